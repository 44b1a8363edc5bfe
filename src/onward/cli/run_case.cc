// onward run-case, onward run-cases: runs a model on the values that conformance suites keep in files.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "onward/cli/call.h"
#include "onward/cli/cases.h"
#include "onward/model/onnx_file.h"

namespace onward::cli {
namespace {

bool exists(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0;
}

Value read_input(const std::string& path, const TypeInfo& type) {
  const MappedFile file = map_file(path);
  const ValueProto kind = type.kind == TypeInfo::Kind::optional ? ValueProto::optional
                          : type.kind == TypeInfo::Kind::sequence ? ValueProto::sequence
                          : type.kind == TypeInfo::Kind::tensor ? ValueProto::tensor : guess_value_proto(file.bytes);
  try {
    return read_value(file.bytes, kind);
  } catch (Error& e) {
    throw e.within(path);
  }
}

}  // namespace

void run_case(const Call& call, const std::string& model, const std::string& inputs, const std::string& outputs) {
  const auto session = Session::load(model, call.session_options());
  std::vector<std::pair<std::string, Value>> arguments;
  for (size_t k = 0; k < session->inputs().size(); ++k) {
    const std::string path = text(inputs, "/input_", k, ".pb");
    if (exists(path)) arguments.emplace_back(session->inputs()[k].name, read_input(path, session->inputs()[k].type));
  }
  const std::vector<Value> values = session->run({}, arguments, call.run_options());
  for (size_t k = 0; k < values.size(); ++k) {
    const bool optional = session->outputs()[k].type.kind == TypeInfo::Kind::optional;
    write_file(text(outputs, "/output_", k, ".pb"), write_value(values[k], optional));
  }
}

std::string verdict_of(const Error& e) {
  std::string line = (exit_code(e.code) == 4 ? "unsupported " : "error ") + e.message;
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  return line;
}

static int run_one(Call& call) {
  int code = 0;
  std::string verdict = "ok";
  try {
    run_case(call, call.arguments[0], call.arguments[1], call.arguments[2]);
  } catch (const Error& e) {
    verdict = verdict_of(e), code = exit_code(e.code);
  }
  call.out.data(verdict + "\n");
  call.out.answer({{"verdict", verdict.substr(0, verdict.find(' '))}, {"reason", verdict.size() > 2 ? verdict.substr(verdict.find(' ') + 1) : ""}});
  return code;
}

Command run_case_command() {
  return {.name = "run-case", .summary = "run a model on input_K.pb files and write output_K.pb files",
          .arguments = {{"MODEL.onnx", "the model"}, {"INPUT_DIR", "holds input_0.pb, input_1.pb, …: TensorProto, SequenceProto or OptionalProto"},
                        {"OUTPUT_DIR", "a folder that exists; output_0.pb, … are written there"}},
          .needs = Needs::running,
          .more = "Prints `ok`, `unsupported REASON` (exit code 4) or `error REASON`.", .run = run_one};
}

}  // namespace onward::cli
