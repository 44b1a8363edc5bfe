// onward bench: how fast a model is, at several batch sizes, alone or in turns with ONNX Runtime.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "onward/base/file.h"
#include "onward/base/temporary_folder.h"
#include "onward/cli/call.h"
#include "onward/cli/model_text.h"
#include "onward/data/npy.h"
#include "onward/data/open_table.h"
#include "onward/validate/python.h"
#include "onward/validate/table_session.h"

namespace onward::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view rival_script =
#include "rival_py.inc"
    ;

struct Times {
  std::vector<double> seconds;
  double at(double share) {
    std::sort(seconds.begin(), seconds.end());
    return seconds.empty() ? 0 : seconds[std::min(seconds.size() - 1, size_t(share * double(seconds.size())))];
  }
  Json json(int64_t rows) {
    const double median = at(0.5);
    return {{"runs", seconds.size()}, {"rows_per_second", double(rows) / median}, {"p50_ms", median * 1e3}, {"p90_ms", at(0.9) * 1e3}, {"p99_ms", at(0.99) * 1e3}};
  }
};

std::string shown_number(const char* format, double x) {
  char out[32];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

std::vector<int64_t> batch_sizes(const Arguments& a) {
  std::vector<int64_t> sizes;
  for (const std::string& word : a.list("--batch")) {
    int64_t n = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), n);
    if (problem != std::errc() || end != word.data() + word.size() || n < 1 || n > 100'000'000) fail(Code::usage, "--batch: expected numbers of rows such as 1,100,10000, found '", word, "'");
    sizes.push_back(n);
  }
  return sizes.empty() ? std::vector<int64_t>{1, 100, 10'000} : sizes;
}

// The first rows of the table, again and again until there are enough.
NamedValues inputs_from(const Session& session, const std::string& data, int64_t rows) {
  const auto reader = open_table(data);
  const Binder binder(schema_of(session.model()), reader->names(), reader->named());
  reader->plan(binder.plan());
  Table table = read_all(*reader);
  if (table.rows == 0) fail(Code::bad_data, data, ": the table has no rows");
  while (table.rows < rows) {
    const Table more = rows_of(table, 0, std::min(table.rows, rows - table.rows));
    for (size_t i = 0; i < table.columns.size(); ++i) append(table.columns[i], more.columns[i]);
    table.rows += more.rows;
  }
  NamedValues inputs;
  for (auto& [name, tensor] : binder.bind(rows_of(table, 0, rows))) inputs.emplace_back(name, tensor);
  return inputs;
}

void time_ours(const Call& call, const Session& session, const NamedValues& inputs, double seconds, Times& times) {
  std::vector<Value> arguments(session.inputs().size());
  for (const auto& [name, value] : inputs) arguments[session.input_index(name)] = value;
  session.run(arguments, call.run_options());
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (size_t runs = 0; runs < 3 || std::chrono::steady_clock::now() < end; ++runs) {
    const auto start = std::chrono::steady_clock::now();
    session.run(arguments, call.run_options());
    times.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
}

// ONNX Runtime in a Python process; it cannot load every model, and then says so.
struct Rival {
  std::string python, model, version, refusal;
  TemporaryFolder folder{"onward-bench"};

  void prepare(const NamedValues& inputs) const {
    std::vector<std::pair<std::string, Tensor>> arrays;
    Json names = Json::array();
    for (const auto& [name, value] : inputs) arrays.emplace_back(text("i", names.size()), *value.tensor()), names.push_back(name);
    write_file(folder / "inputs.npz", write_npz(arrays));
    write_file(folder / "names.json", names.dump());
  }
  void time(const Call& call, int threads, double seconds, Times& times) {
    const RunOptions limits = call.run_options();
    const ProcessResult result = run_process({python, "-c", std::string(rival_script), model, folder / "inputs.npz", folder / "names.json", text(threads), text(seconds)},
                                             limits.cancel, limits.time_limit_seconds);
    const Json answer = Json::parse(result.out, nullptr, false);
    if (result.exit_code != 0 || !answer.is_object()) {
      std::string said = result.err;
      while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
      refusal = said.substr(said.rfind('\n') + 1);
      if (refusal.empty()) refusal = text("Python ended with exit code ", result.exit_code);
      return;
    }
    version = answer.at("version");
    for (const double s : answer.at("seconds")) times.seconds.push_back(s);
  }
};

std::unique_ptr<Rival> rival_of(const Arguments& a) {
  if (!a.has("--vs")) return nullptr;
  const auto python = find_python(a.value("--python").value_or(""));
  if (!python) throw Error(Code::io, "no Python was found to run ONNX Runtime with", "name one with --python");
  auto rival = std::make_unique<Rival>();
  rival->python = *python, rival->model = a[0];
  return rival;
}

int bench(Call& call) {
  const Arguments& a = call.arguments;
  SessionOptions options = call.session_options();
  options.threads = int(a.integer("--threads", 1));
  const double seconds = a.has("--seconds") ? a.seconds("--seconds") : 1;
  const auto session = Session::load(a[0], options);
  const auto rival = rival_of(a);
  std::vector<std::vector<std::string>> rows{{"rows", "rows/s", "median ms", "p90", "p99"}};
  if (rival) rows[0].insert(rows[0].end(), {"ONNX Runtime rows/s", "ratio"});
  Json batches = Json::array();
  for (const int64_t n : batch_sizes(a)) {
    const NamedValues inputs = a.has("--data") ? inputs_from(*session, *a.value("--data"), n) : made_up_inputs(*session, n);
    Times ours, theirs;
    if (rival) rival->prepare(inputs);
    constexpr int turns = 3;
    for (int turn = 0; turn < turns; ++turn) {
      call.check();
      time_ours(call, *session, inputs, seconds / turns, ours);
      if (rival && rival->refusal.empty()) rival->time(call, options.threads, seconds / turns, theirs);
    }
    Json one = {{"rows", n}, {"onward", ours.json(n)}};
    rows.push_back({text(n), shown_number("%.0f", double(n) / ours.at(0.5)), shown_number("%.4f", ours.at(0.5) * 1e3), shown_number("%.4f", ours.at(0.9) * 1e3), shown_number("%.4f", ours.at(0.99) * 1e3)});
    if (rival && !theirs.seconds.empty()) {
      one["onnxruntime"] = theirs.json(n), one["ratio"] = theirs.at(0.5) / ours.at(0.5);
      rows.back().insert(rows.back().end(), {shown_number("%.0f", double(n) / theirs.at(0.5)), shown_number("%.2f", theirs.at(0.5) / ours.at(0.5))});
    }
    batches.push_back(one);
  }
  call.out.data(table_text(rows));
  if (rival && !rival->refusal.empty()) call.out.message("ONNX Runtime does not run this model: " + rival->refusal);
  Json answer = {{"model", a[0]}, {"threads", options.threads}, {"batches", batches}};
  if (rival) answer["onnxruntime"] = rival->refusal.empty() ? Json(rival->version) : Json({{"refusal", rival->refusal}});
  call.out.answer(answer);
  return 0;
}

}  // namespace

Command bench_command() {
  return {.name = "bench", .summary = "how fast a model is, alone or beside ONNX Runtime",
          .arguments = {{"MODEL.onnx", "the model"}},
          .options = {{"--batch", "N,…", "rows at a time (default 1,100,10000)", 0, false, true},
                      {"--data", "DATA", "a table to take rows from (default: made-up rows)"},
                      {"--seconds", "TIME", "for each batch size and engine (default 1s)"},
                      {"--vs", "ENGINE", "measure beside another engine, taking turns, same inputs and threads", 0, false, false, {"onnxruntime"}},
                      {"--python", "PATH", "the interpreter that has onnxruntime"}},
          .needs = Needs::running, .more = "One thread, unless --threads says otherwise.", .run = bench};
}

}  // namespace onward::cli
