// onward schema: what a fitted model, an ONNX model or a table takes or holds, column by column.
#include <iostream>
#include <nlohmann/json.hpp>

#include "onward/cli/call.h"
#include "onward/data/table_schema.h"
#include "onward/formats/source.h"
#include "onward/model/onnx_file.h"

namespace onward::cli {
namespace {

Schema schema_of_file(const std::string& path) {
  if (path != "-") {
    const MappedFile file = map_file(path);
    switch (formats::kind_of(file.bytes)) {
      case formats::FileKind::onnx: return schema_of(load_model(path));
      case formats::FileKind::fitted: return schema_of(formats::convert_file(path, {.own_ops = true}));
      case formats::FileKind::other: break;
    }
  }
  const auto table = open_table(path);
  return schema_of(*table);
}

int schema(Call& call) {
  const std::string json = write_schema(schema_of_file(call.arguments[0]), 2) + "\n";
  const auto to = call.arguments.value("--output");
  if (to && *to != "-") {
    write_file(*to, json);
    call.out.message(text("wrote ", *to));
    call.out.answer({{"output", *to}});
    return 0;
  }
  // The schema is JSON with a version of its own: with and without --json it is the same object.
  std::cout << json << std::flush;
  return 0;
}

}  // namespace

Command schema_command() {
  return {.name = "schema", .summary = "the input schema of a fitted model, an ONNX model or a table",
          .arguments = {{"FILE", "a fitted model (.pkl, .joblib, …), an .onnx file, or a table"}},
          .options = {{"--output", "SCHEMA.json", "write to a file instead of stdout", 'o'}}, .needs = Needs::loading, .run = schema};
}

}  // namespace onward::cli
