// The source library's answers: the table goes to a Python process as arrays, and the outputs come back as arrays.
#include <nlohmann/json.hpp>

#include "onward/base/file.h"
#include "onward/base/temporary_folder.h"
#include "onward/data/column_tensor.h"
#include "onward/data/npy.h"
#include "onward/validate/answers.h"
#include "onward/validate/python.h"

namespace onward {
namespace {

constexpr std::string_view script =
#include "source_py.inc"
    ;

// 32-bit floats are compared with what the library gives for the same values as float64.
Tensor widened(const Tensor& t) {
  if (t.type() != DataType::f32) return t;
  Tensor wide(DataType::f64, t.dims());
  std::copy_n(t.data<float>(), t.size(), wide.data<double>());
  return wide;
}

Tensor gaps_of(const Column& column) {
  Tensor gaps(DataType::u8, {int64_t(column.size())});
  for (size_t i = 0; i < column.size(); ++i) gaps.data<uint8_t>()[i] = uint8_t(column.cell(i));
  return gaps;
}

const char* kind_of(const Column& column) {
  switch (column.type) {
    case ColumnType::string: return "text";
    case ColumnType::boolean: return "bool";
    case ColumnType::int64: return "int";
    case ColumnType::datetime: return "datetime";
    default: return "float";
  }
}

void write_request(const TemporaryFolder& folder, const SourceRun& run, const Schema& schema, const Session& session, const Table& table) {
  const bool list = schema.inputs.size() == 1 && schema.inputs[0].shape.size() == 1;        // fitted on a list, as models of text are
  nlohmann::ordered_json request = {{"source", run.source}, {"rows", table.rows}, {"list", list}};
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    request["columns"].push_back({{"name", column.name}, {"kind", kind_of(column)}});
    arrays.emplace_back(text("c", i), widened(tensor_of(column)));
    arrays.emplace_back(text("gaps", i), gaps_of(column));
  }
  for (const ValueInfo& output : session.outputs()) request["outputs"].push_back(output.name);
  write_file(folder / "request.json", request.dump());
  write_file(folder / "input.npz", write_npz(arrays));
}

// The last line that Python wrote is the exception.
[[noreturn]] void failed(const SourceRun& run, const ProcessResult& result) {
  std::string said = result.err;
  while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
  const std::string last = said.substr(said.rfind('\n') + 1);
  throw Error(Code::bad_file, text("reading ", run.source, " with ", run.python, ": ", last.empty() ? text("Python ended with exit code ", result.exit_code) : last),
              "the source must load in that Python with the library it was fitted with; --python names another");
}

}  // namespace

Answers answers_of_source(const SourceRun& run, const Binder& binder, const Session& session, const Table& table) {
  const TemporaryFolder folder("onward-validate");
  Table used{.rows = table.rows};
  for (const std::string& name : binder.used()) used.columns.push_back(*table.find(name));
  write_request(folder, run, binder.schema(), session, used);
  const ProcessResult result = run_process({run.python, "-c", std::string(script), folder.path()}, run.cancel, run.time_limit_seconds);
  if (result.exit_code != 0) failed(run, result);
  const MappedFile facts = map_file(folder / "answers.json"), arrays = map_file(folder / "answers.npz");
  const auto info = nlohmann::json::parse(facts.bytes);
  Answers answers{.who = info.at("who"), .why_refused = info.at("why_refused"), .seconds = info.at("seconds")};
  answers.refused.resize(size_t(table.rows));
  for (const NpyArray& array : read_npz(arrays.bytes)) {
    Tensor own(array.tensor.type(), array.tensor.dims());                // the file will be gone
    for_type<every_type>(own.type(), [&]<class T>() { std::copy_n(array.tensor.data<T>(), own.size(), own.data<T>()); });
    if (array.name == "refused") std::copy_n(own.data<uint8_t>(), own.size(), answers.refused.begin());
    else answers.outputs.emplace_back(info.at("outputs").at(size_t(std::stoul(array.name.substr(1)))), own);
  }
  return answers;
}

}  // namespace onward
