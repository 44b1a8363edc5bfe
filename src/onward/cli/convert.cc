// onward convert: a fitted model's file to ONNX. What does not load and run never leaves the program.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "onward/api/problems.h"
#include "onward/cli/call.h"
#include "onward/cli/checking.h"
#include "onward/cli/model_text.h"
#include "onward/cli/opsets.h"
#include "onward/data/open_table.h"
#include "onward/formats/source.h"
#include "onward/model/onnx_file.h"
#include "onward/validate/table_session.h"

namespace onward::cli {
namespace {

DataType number_type(const std::string& name) { return name == "float32" ? DataType::f32 : name == "float64" ? DataType::f64 : DataType::none; }

void take_example(ConvertOptions& options, const std::string& path) {
  const std::optional<Table> rows = open_table(path)->next();
  if (!rows) fail(Code::bad_data, path, ": the example has no rows");
  options.columns.clear();
  for (const Column& c : rows->columns) options.columns.push_back(c.name), options.column_types[c.name] = tensor_type(Field{.name = c.name, .type = c.type});
}

Schema given_schema(const std::string& path) {
  const MappedFile file = map_file(path);
  try {
    return read_schema(file.bytes);
  } catch (Error& e) {
    throw e.within(path);
  }
}

ConvertOptions options_of(const Arguments& a) {
  ConvertOptions options;
  options.outputs = a.list("--outputs");
  options.input_type = number_type(a.value("--input-dtype").value_or("auto"));
  if (const auto inputs = a.value("--inputs")) options.inputs = *inputs == "matrix" ? Inputs::matrix : Inputs::columns;
  if (const auto example = a.value("--example")) take_example(options, *example);
  if (a.has("--schema")) options.columns.clear();
  if (const auto path = a.value("--schema"))
    for (const Field& f : given_schema(*path).inputs) options.column_types[f.name] = tensor_type(f), options.columns.push_back(f.name);
  for (const std::string& step : a.values("--step")) options.steps.push_back(parse_step(step));
  options.own_ops = a.has("--own-ops");
  return options;
}

struct Written {
  std::shared_ptr<ModelFile> file;
  Schema schema;
  Opsets opsets;
  size_t nodes = 0;
  ChangedOpsets changed;                                  // what the opsets asked for cannot say, and cost
};

// The source and the model are let go once the model is written: they may be gigabytes.
// Path "": in memory.
Written converted(Call& call, MappedFile file, const std::string& path) {
  const Arguments& a = call.arguments;
  std::vector<std::string> warnings;
  Model model = formats::convert_source(std::move(file), options_of(a), &warnings);
  for (const std::string& warning : warnings) call.out.message("warning: " + warning);
  Written out;
  if (asks_for_opsets(a)) out.changed = change_opsets(call, model);
  if (const auto path = a.value("--schema")) set_policies(model, given_schema(*path));
  out.file = std::make_shared<ModelFile>(model, path);
  out.schema = schema_of(model), out.opsets = model.opsets, out.nodes = model.graph.nodes.size();
  call.check();
  return out;
}

std::shared_ptr<const Session> run_once(Call& call, const ModelFile& written) {
  const auto session = std::make_shared<const Session>(written.read(), call.session_options());
  session->run({}, made_up_inputs(*session, 1), call.run_options());
  return session;
}

// Everything that stands in the way of this conversion; none where it can be carried out.
std::vector<Problem> obstacles(Call& call, const MappedFile& file, ChangedOpsets& opsets) {
  try {
    const Written made = converted(call, file, "");
    run_once(call, *made.file);
    opsets = made.changed;
    return {};
  } catch (const Refusal& e) {
    return e.problems;
  } catch (const Error& e) {
    if (int(e.code) / 100 != 4) throw;
    return {{e.code, "", e.message, e.hint}};
  }
}

std::string in_lines(const Problem& p) {
  const bool one_place = p.also.empty();
  std::string out = text(id_of(p.code), " ", one_place ? shown(p) : p.message, "\n");
  if (!one_place) out += text("      in ", p.where, "\n");
  for (const std::string& place : p.also) out += text("      in ", place, "\n");
  return p.hint.empty() ? out : text(out, "      help: ", p.hint, "\n");
}

// Lists everything that stands in the way; writes nothing.
int dry_run(Call& call, const MappedFile& file) {
  ChangedOpsets opsets;
  const std::vector<Problem> problems = obstacles(call, file, opsets);
  for (const Problem& p : problems) call.out.data(in_lines(p));
  if (problems.empty()) call.out.data("can be converted\n");
  call.out.answer({{"convertible", problems.empty()}, {"problems", described(problems)}, {"lost", opsets.lost()}, {"notes", opsets.conversion.notes}});
  return problems.empty() ? 0 : exit_code(problems[0].code);
}

int write_model_file(Call& call, MappedFile file) {
  const Arguments& a = call.arguments;
  const auto start = std::chrono::steady_clock::now();
  const auto to = a.value("--output");
  if (!to) throw Error(Code::usage, "the option --output MODEL.onnx is missing", "usage: onward convert SOURCE -o MODEL.onnx");
  const Written made = converted(call, std::move(file), *to == "-" ? "" : *to);
  const auto session = run_once(call, *made.file);
  const std::string_view bytes = made.file->bytes();
  int code = 0;
  if (a.has("--check")) code = check_converted(call, session, bytes, a[0], *a.value("--check"));
  if (code) return call.out.message(text(*to, " is not written")), code;
  if (*to == "-") {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) fail(Code::io, "standard output cannot be written");
    return 0;
  }
  made.file->commit();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Schema& schema = made.schema;
  call.out.message(text(schema.source.class_name, " of ", schema.source.library, " ", schema.source.version, ": ", schema.inputs.size(), " inputs, ",
                        schema.outputs.size(), " outputs, ", made.nodes, " nodes, ", bytes.size(), " bytes -> ", *to));
  if (const std::string note = note_on_size(*made.file, *to); !note.empty()) call.out.message(note);
  if (!a.has("--check"))
    call.out.answer({{"output", *to}, {"bytes", bytes.size()}, {"data_bytes", made.file->data_bytes()}, {"nodes", made.nodes}, {"opsets", made.opsets}, {"lost", made.changed.lost()}, {"notes", made.changed.conversion.notes}, {"seconds", seconds},
                     {"schema", nlohmann::ordered_json::parse(write_schema(schema))}});
  return 0;
}

int convert(Call& call) {
  const std::string& source = call.arguments[0];
  for (const char* option : {"--trust", "--report"})
    if (call.arguments.has(option) && !call.arguments.has("--check")) throw Error(Code::usage, text(option, " goes with --check DATA, which is not given"));
  MappedFile file = map_file(source);
  if (formats::kind_of(file.bytes) == formats::FileKind::onnx)
    throw Error(Code::unsupported_format, text(source, " is an ONNX model already"), "`onward inspect` looks into it, `onward optimize` rewrites it");
  try {
    return call.arguments.has("--dry-run") ? dry_run(call, file) : write_model_file(call, std::move(file));
  } catch (Error& e) {
    const bool about_source = e.code == Code::bad_file || int(e.code) / 100 == 4;
    if (about_source && e.message.find(source) == e.message.npos) e.within("reading " + source);
    throw;
  }
}

}  // namespace

Command convert_command() {
  return {.name = "convert", .summary = "a fitted model's file to ONNX",
          .arguments = {{"SOURCE", "a fitted model: .pkl, .joblib, .skops, XGBoost's .json and .ubj, LightGBM's .txt, CatBoost's .cbm and .json (told by content); nothing in it is executed"}},
          .options = {{"--output", "MODEL.onnx", "where to write; - is stdout", 'o'},
                      {"--schema", "S.json", "types and policies of the inputs (start from `onward schema SOURCE`)"},
                      {"--example", "DATA", "a table whose columns' types the inputs take"},
                      {"--inputs", "KIND", "one matrix or one input per column (default: as the model was fitted)", 0, false, false, {"matrix", "columns"}},
                      {"--input-dtype", "TYPE", "of numeric inputs", 0, false, false, {"auto", "float32", "float64"}},
                      {"--outputs", "NAME,…", "of label, probabilities, log_probabilities, scores, variable, transformed, leaf, score_samples, distances, neighbors, std", 0, false, true},
                      {"--step", "NAME=EXPR", "a column computed from others before the model, such as \"fare_log=log1p(fare)\" (docs/expressions.md); may be given again", 0, false, true},
                      opset_option, ml_opset_option,
                      {"--own-ops", "", "allow operators of our own domain, com.onward, where standard ones cannot say what a model computes (hashing words); only onward runs such a file"},
                      {"--dry-run", "", "list everything that stands in the way; write nothing"},
                      {"--check", "DATA", "compare with the source library on these rows first; exit code 1 and no file when they differ"},
                      {"--trust", "", "let --check load the source with its own library, which may run code in it"},
                      {"--report", "R.html", "with --check: where to write its report"}},
          .needs = Needs::running, .run = convert};
}

}  // namespace onward::cli
