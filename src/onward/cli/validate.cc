// onward validate: the same rows through the source library, or its recorded outputs, and through the engine.
#include "onward/base/file.h"
#include "onward/cli/checking.h"

namespace onward::cli {
namespace {

int validate(Call& call) {
  const Arguments& a = call.arguments;
  const std::string source = a.value("--source").value_or(""), data = a.value("--data").value_or("");
  if (source.empty() && !a.has("--expected")) throw Error(Code::usage, "there is nothing to compare with", "give --source SOURCE, or --expected OUT.npz and --data DATA");
  if (a.has("--expected") && (data.empty() || a.integer("--search", 0, 0) > 0)) throw Error(Code::usage, "--expected needs --data, the rows that the outputs were recorded for, and no --search");
  const auto session = Session::load(a[0], call.session_options());
  return check_converted(call, session, map_file(a[0]).bytes, source, data);
}

}  // namespace

Command validate_command() {
  return {.name = "validate", .summary = "compare a model with its source, row by row; exit code 1 when they differ",
          .arguments = {{"MODEL.onnx", "the model"}},
          .options = {{"--source", "SOURCE", "the fitted model it was converted from; run by its own library in a Python process"},
                      {"--data", "DATA", "a table of rows to compare on (default: 1000 made-up rows)"},
                      {"--expected", "OUT.npz", "recorded outputs instead of a source: an array for each output; needs no Python"},
                      {"--rtol", "R", "relative tolerance (default 1e-12 for float64, 1e-6 for float32; labels have none)"},
                      {"--atol", "A", "absolute tolerance (the same defaults)"},
                      {"--trust", "", "load the source without asking; loading may run code in it"},
                      {"--python", "PATH", "the interpreter to run the source with"},
                      {"--search", "N", "also compare on N made-up rows: values of the data mixed anew, gaps, extremes, unseen texts"},
                      {"--seed", "N", "of the made-up rows (default 1)"},
                      {"--report", "FILE", "write a report: .html, or .json"}},
          .needs = Needs::running, .run = validate};
}

}  // namespace onward::cli
