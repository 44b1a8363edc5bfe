// Fitted models to ONNX models.
#include <chrono>
#include <nlohmann/json.hpp>

#include "onward/api/converters.h"
#include "onward/formats/source.h"
#include "onward/model/check.h"
#include "onward/model/onnx_file.h"
#include "onward/ops/infer_types.h"
#include "onward/opsets/convert_opsets.h"
#include "onward/validate/same_answers.h"

using namespace onward;
using onward::api::buffer_of;
using onward::api::guarded;
using onward::api::require;

onward_status* onward_convert_options_create(onward_convert_options** options) {
  return guarded([&] { require(options, "options"), *options = new onward_convert_options; });
}
void onward_convert_options_release(onward_convert_options* options) { delete options; }

onward_status* onward_convert_options_add_output(onward_convert_options* options, const char* name) {
  return guarded([&] { require(options, "options"), require(name, "name"), options->options.outputs.push_back(name); });
}

onward_status* onward_convert_options_set_inputs(onward_convert_options* options, int inputs) {
  return guarded([&] {
    require(options, "options");
    switch (inputs) {
      case ONWARD_INPUTS_AS_FITTED: options->options.inputs = Inputs::automatic; return;
      case ONWARD_INPUTS_MATRIX: options->options.inputs = Inputs::matrix; return;
      case ONWARD_INPUTS_COLUMNS: options->options.inputs = Inputs::columns; return;
    }
    fail(Code::usage, "inputs: expected 0 (as fitted), 1 (matrix) or 2 (columns), given ", inputs);
  });
}

onward_status* onward_convert_options_set_input_type(onward_convert_options* options, int element_type) {
  return guarded([&] {
    require(options, "options");
    if (element_type != 0 && element_type != ONWARD_FLOAT && element_type != ONWARD_DOUBLE) fail(Code::usage, "input type: expected 1 (float), 11 (double) or 0 (automatic), given ", element_type);
    options->options.input_type = DataType(element_type);
  });
}

onward_status* onward_convert_options_set_column_type(onward_convert_options* options, const char* column, int element_type) {
  return guarded([&] {
    require(options, "options"), require(column, "column");
    if (element_type <= 0 || element_type >= int(DataType::count)) fail(Code::usage, "column '", column, "': element type ", element_type, " does not exist");
    options->options.column_types[column] = DataType(element_type);
  });
}

onward_status* onward_convert_options_set_schema(onward_convert_options* options, const char* json) {
  return guarded([&] {
    require(options, "options"), require(json, "json");
    options->schema = read_schema(json);
    for (const Field& field : options->schema->inputs) options->options.column_types[field.name] = tensor_type(field);
  });
}

onward_status* onward_convert_options_set_opset(onward_convert_options* options, const char* domain, int64_t version) {
  return guarded([&] { require(options, "options"), require(domain, "domain"), options->opsets[domain] = version; });
}

onward_status* onward_convert_options_add_step(onward_convert_options* options, const char* step) {
  return guarded([&] { require(options, "options"), require(step, "step"), options->options.steps.push_back(parse_step(step)); });
}

onward_status* onward_convert_options_add_column(onward_convert_options* options, const char* name) {
  return guarded([&] { require(options, "options"), require(name, "name"), options->options.columns.push_back(name); });
}

onward_status* onward_convert_options_allow_own_operators(onward_convert_options* options, int allowed) {
  return guarded([&] { require(options, "options"), options->options.own_ops = allowed != 0; });
}

onward_status* onward_convert_options_add_operators(onward_convert_options* options, const onward_operators* operators) {
  return guarded([&] {
    require(options, "options"), require(operators, "operators");
    CustomOperators all = options->operators ? *options->operators : CustomOperators();
    all.add(operators->list);
    options->operators = std::make_shared<const CustomOperators>(std::move(all));
  });
}

namespace {

// Writes the model for these opsets. The answers stay the same, or it says what is lost, or it throws.
OpsetConversion change_opsets(Model& model, const Opsets& wanted, const SessionOptions& options) {
  const auto before = std::make_shared<const Session>(model, options);
  OpsetConversion done = convert_opsets(model, wanted);
  const SameAnswers same = same_answers(before, std::make_shared<const Session>(model, options));
  if (same.difference.empty()) return done;
  if (done.lost.empty()) throw Error(Code::difference, text("written for these opsets the model answers otherwise: ", same.difference), "please report it with the model");
  done.lost.push_back("the answers differ: " + same.difference);
  return done;
}

void convert_file(MappedFile file, const onward_convert_options* given, onward_buffer** model_out, onward_buffer** report_out) {
  const auto start = std::chrono::steady_clock::now();
  const bool other_opsets = given && !given->opsets.empty(), is_onnx = formats::kind_of(file.bytes) == formats::FileKind::onnx;
  if (is_onnx && !other_opsets) throw Error(Code::unsupported_format, "this is an ONNX model already", "give the opsets to write it for");
  ConvertOptions options = given ? given->options : ConvertOptions{};
  SessionOptions session_options;
  if (given) session_options.operators = given->operators;
  if (given && !given->converters.empty()) options.registry = api::registry_with(given->converters, given->operators);
  std::vector<std::string> warnings;
  Model model = is_onnx ? read_model(file.bytes, file.owner) : formats::convert_source(std::move(file), options, &warnings);
  const OpsetConversion opsets = other_opsets ? change_opsets(model, given->opsets, session_options) : OpsetConversion{};
  if (given && given->schema) set_policies(model, *given->schema);
  const auto bytes = std::make_shared<std::string>(write_model(model));
  const Source source = model.metadata.contains(std::string(schema_key)) ? schema_of(model).source : Source{};
  const size_t nodes = model.graph.nodes.size();
  const Opsets versions = model.opsets;
  model = {};                                                            // the source's memory, before the session takes its own
  auto session = std::make_unique<const Session>(read_model(*bytes, bytes), session_options);   // what does not load and run never leaves
  if (!is_onnx) session->run({}, made_up_inputs(*session, 1));
  std::unique_ptr<onward_buffer> report;
  if (report_out) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    report.reset(buffer_of(nlohmann::ordered_json{
        {"schema_version", 1}, {"bytes", bytes->size()}, {"nodes", nodes}, {"opsets", versions}, {"lost", opsets.lost}, {"notes", opsets.notes}, {"warnings", warnings},
        {"source", {{"library", source.library}, {"version", source.version}, {"class", source.class_name}, {"sha256", source.sha256}}},
        {"seconds", seconds}}.dump()));
  }
  session.reset();
  *model_out = buffer_of(std::move(*bytes));
  if (report_out) *report_out = report.release();
}

}  // namespace

onward_status* onward_convert(const char* path, const onward_convert_options* options, onward_buffer** model, onward_buffer** report) {
  return guarded([&] {
    require(path, "path"), require(model, "model");
    try {
      convert_file(map_file(path), options, model, report);
    } catch (Error& e) {
      if (e.message.find(path) == e.message.npos) e.within(text("reading ", path));
      throw;
    }
  });
}

onward_status* onward_convert_bytes(const void* bytes, size_t size, const onward_convert_options* options, onward_buffer** model, onward_buffer** report) {
  return guarded([&] {
    require(bytes, "bytes"), require(model, "model");
    const auto owner = std::make_shared<const std::string>(static_cast<const char*>(bytes), size);
    convert_file({owner, *owner}, options, model, report);
  });
}

onward_status* onward_infer_types(const void* bytes, size_t size, int strict, onward_buffer** model_out) {
  return guarded([&] {
    require(bytes, "bytes"), require(model_out, "model");
    Model model = read_model({static_cast<const char*>(bytes), size});
    check(model);
    const InferredTypes types = infer_types(model);
    if (strict && !types.problems.empty()) throw types.problems.front();
    write_types(model, types.graph);
    *model_out = buffer_of(write_model(model));
  });
}

onward_status* onward_model_schema(const void* bytes, size_t size, onward_buffer** json) {
  return guarded([&] {
    require(bytes, "bytes"), require(json, "json");
    *json = buffer_of(write_schema(schema_of(read_model({static_cast<const char*>(bytes), size}))));
  });
}
