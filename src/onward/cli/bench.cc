// onward bench: how fast a model is, at several batch sizes, alone or in turns with ONNX Runtime.
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "onward/cli/call.h"
#include "onward/cli/model_text.h"
#include "onward/cli/onnxruntime_library.h"
#include "onward/data/open_table.h"
#include "onward/model/onnx_file.h"
#include "onward/validate/python.h"
#include "onward/validate/realistic_inputs.h"
#include "onward/validate/table_session.h"

namespace onward::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Times {
  std::vector<double> seconds;
  double at(double share) {
    std::sort(seconds.begin(), seconds.end());
    return seconds.empty() ? 0 : seconds[std::min(seconds.size() - 1, size_t(share * double(seconds.size())))];
  }
  double spread() { return (at(0.75) - at(0.25)) / 2; }
  Json json(int64_t rows) {
    const double median = at(0.5);
    return {{"runs", seconds.size()}, {"rows_per_second", double(rows) / median}, {"p25_ms", at(0.25) * 1e3}, {"p50_ms", median * 1e3},
            {"p75_ms", at(0.75) * 1e3}, {"p90_ms", at(0.9) * 1e3}, {"p99_ms", at(0.99) * 1e3}};
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

// What the calls take in turn, so that no branch predictor learns the rows by heart: a table's, the first again where there are too
// few; or made-up ones.
constexpr int64_t most_pieces = 4096;

std::vector<NamedValues> pieces_of(const Session& session, const std::string& data, int64_t rows) {
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
  std::vector<NamedValues> pieces;
  for (int64_t at = 0; at + rows <= table.rows && int64_t(pieces.size()) < most_pieces; at += rows) {
    NamedValues& inputs = pieces.emplace_back();
    for (auto& [name, tensor] : binder.bind(rows_of(table, at, rows))) inputs.emplace_back(name, tensor);
  }
  return pieces;
}

std::vector<NamedValues> pieces_of(RealisticInputs& made, int64_t rows) {
  constexpr size_t most_bytes = size_t{32} << 20;
  std::vector<NamedValues> pieces{made.next(rows)};
  size_t bytes = 1;
  for (const auto& [name, value] : pieces[0]) bytes += value.tensor()->bytes();
  const size_t wanted = std::clamp<size_t>(most_bytes / bytes, 2, size_t(most_pieces));
  while (pieces.size() < wanted) pieces.push_back(made.next(rows));
  return pieces;
}

// An engine's calls, each on the next piece. With one thread a call's time is that on the clock or, where it is less, the thread's on its
// processor: while other work has that, no engine runs.
struct Engine {
  std::function<void(size_t piece)> run;
  Times times = {};
  size_t next = 0, in_turn = 1;

  double call(size_t pieces, bool one_thread) {
    const double processor = now(CLOCK_THREAD_CPUTIME_ID), start = now(CLOCK_MONOTONIC);
    run(next);
    const double seconds = now(CLOCK_MONOTONIC) - start, used = now(CLOCK_THREAD_CPUTIME_ID) - processor;
    next = (next + 1) % pieces;
    return one_thread ? std::min(seconds, used) : seconds;
  }

 private:
  static double now(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
  }
};

// Every order comes equally often. Where a turn is many calls its first is not counted: it pays for the caches that the engine before
// has emptied.
void take_turns(const Call& call, std::span<Engine> engines, size_t pieces, bool one_thread, double seconds) {
  constexpr double turn_seconds = 0.002;
  constexpr size_t most_in_turn = 50, fewest_rounds = 6;
  for (Engine& e : engines) {
    e.call(pieces, one_thread);
    e.in_turn = size_t(std::clamp(turn_seconds / std::max(e.call(pieces, one_thread), 1e-9), 1.0, double(most_in_turn)));
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (size_t round = 0; round < fewest_rounds || std::chrono::steady_clock::now() < end; ++round)
    for (size_t i = 0; i < engines.size(); ++i) {
      call.check();
      Engine& e = engines[round % 2 ? engines.size() - 1 - i : i];
      for (size_t k = 0; k < e.in_turn; ++k)
        if (const double took = e.call(pieces, one_thread); k > 0 || e.in_turn <= 2) e.times.seconds.push_back(took);
    }
}

// How alike two engines' answers are: labels and other whole values that differ, and the largest difference of numbers.
struct Agreement {
  int64_t values = 0, labels_differing = 0;
  double largest_difference = 0;
  std::string problem;

  void compare(const std::string& name, const Tensor& ours, const Tensor& theirs) {
    if (ours.type() != theirs.type() || ours.size() != theirs.size()) {
      problem = text("output '", name, "' is ", shown(ours), " here and ", shown(theirs), " there");
      return;
    }
    values += ours.size();
    for_type<every_type>(ours.type(), [&]<class T>() {
      for (int64_t i = 0; i < ours.size(); ++i) {
        const T &a = ours.data<T>()[i], &b = theirs.data<T>()[i];
        if constexpr (contains(f32 | f64 | f16 | bf16, type_of<T>)) {
          using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
          const double x = double(Wide(a)), y = double(Wide(b));
          if (x != y && !(std::isnan(x) && std::isnan(y))) largest_difference = std::max(largest_difference, std::isfinite(x) && std::isfinite(y) ? std::abs(x - y) : INFINITY);
        } else {
          labels_differing += !(a == b);
        }
      }
    });
  }
  std::string said() const {
    if (!problem.empty()) return problem;
    if (values == 0) return "its outputs are no tensors, and were not compared";
    return text(labels_differing ? text(labels_differing, " labels differ") : "labels are the same", ", numbers differ by ", shown_number("%.2g", largest_difference), " at most");
  }
  Json json() const {
    Json out = {{"values", values}, {"labels_differing", labels_differing}, {"largest_difference", std::isfinite(largest_difference) ? Json(largest_difference) : Json("infinite")}};
    if (!problem.empty()) out["problem"] = problem;
    return out;
  }
};

class Bench {
 public:
  explicit Bench(Call& call) : call_(call), arguments_(call.arguments), options_(call.session_options()) {
    options_.threads = int(arguments_.integer("--threads", 1));
    session_ = Session::load(arguments_[0], options_);
    if (!arguments_.has("--data")) made_ = std::make_unique<RealisticInputs>(*session_, load_model(arguments_[0]).graph);
    if (arguments_.has("--vs")) open_rival();
    if (rival_) table_[0].insert(table_[0].end(), {"ONNX Runtime rows/s", "median ms", "±", "p99", "ratio"});
  }

  void measure(int64_t rows) {
    const std::vector<NamedValues> pieces = made_ ? pieces_of(*made_, rows) : pieces_of(*session_, *arguments_.value("--data"), rows);
    std::vector<std::vector<Value>> arguments;
    for (const NamedValues& piece : pieces) arguments.push_back(arguments_of(piece));
    const RunOptions limits = call_.run_options();
    std::vector<Engine> engines{{[&](size_t piece) { session_->run(arguments[piece], limits); }}};
    if (rival_ && take(pieces)) engines.push_back({[&](size_t piece) { rival_->run(piece); }});
    if (engines.size() == 2) compare(session_->run(arguments[0], limits));
    const double seconds = arguments_.has("--seconds") ? arguments_.seconds("--seconds") : 1;
    take_turns(call_, engines, pieces.size(), options_.threads == 1, seconds * double(engines.size()));
    note(rows, pieces.size(), engines);
  }

  void report() {
    call_.out.data(table_text(table_));
    call_.out.message(about());
    if (!refusal_.empty()) call_.out.message("ONNX Runtime does not run this model: " + refusal_);
    else if (rival_) call_.out.message(text("ONNX Runtime ", rival_->version(), " through its C interface, in turns; ", agreement_.said(), "."));
    Json answer = {{"model", arguments_[0]}, {"threads", options_.threads}, {"batches", batches_}};
    if (arguments_.has("--vs")) answer["onnxruntime"] = refusal_.empty() ? Json(rival_->version()) : Json({{"refusal", refusal_}});
    if (rival_ && refusal_.empty()) answer["agreement"] = agreement_.json();
    call_.out.answer(answer);
  }

 private:
  void open_rival() {
    const auto python = find_python(arguments_.value("--python").value_or(""));
    if (!python) throw Error(Code::io, "no Python was found to run ONNX Runtime with", "name one with --python");
    try {
      rival_ = std::make_unique<OnnxRuntimeLibrary>(OnnxRuntimeLibrary::found_by(*python), arguments_[0], options_.threads);
    } catch (const Error& e) {
      refusal_ = e.message;
    }
  }

  std::vector<Value> arguments_of(const NamedValues& inputs) const {
    std::vector<Value> out(session_->inputs().size());
    for (const auto& [name, value] : inputs) out[session_->input_index(name)] = value;
    return out;
  }

  // Whether it takes and runs these inputs.
  bool take(const std::vector<NamedValues>& pieces) {
    try {
      rival_->take(pieces);
      rival_->run(0);
      return true;
    } catch (const Error& e) {
      refusal_ = e.message;
      return false;
    }
  }

  void compare(const std::vector<Value>& ours) {
    const auto theirs = rival_->answers(0);
    for (size_t i = 0; i < ours.size(); ++i) {
      const auto same = std::find_if(theirs.begin(), theirs.end(), [&](const auto& t) { return t.first == session_->outputs()[i].name; });
      if (ours[i].tensor() && same != theirs.end()) agreement_.compare(same->first, *ours[i].tensor(), same->second);
    }
  }

  void note(int64_t rows, size_t pieces, std::span<Engine> engines) {
    const auto cells = [&](Times& t) {
      return std::vector<std::string>{shown_number("%.0f", double(rows) / t.at(0.5)), shown_number("%.4f", t.at(0.5) * 1e3), shown_number("%.4f", t.spread() * 1e3), shown_number("%.4f", t.at(0.99) * 1e3)};
    };
    Times& ours = engines[0].times;
    Json one = {{"rows", rows}, {"different_inputs", pieces}, {"onward", ours.json(rows)}};
    table_.push_back({text(rows)});
    for (Engine& e : engines) for (std::string& cell : cells(e.times)) table_.back().push_back(std::move(cell));
    if (engines.size() == 2) {
      Times& theirs = engines[1].times;
      one["onnxruntime"] = theirs.json(rows), one["ratio"] = theirs.at(0.5) / ours.at(0.5);
      table_.back().push_back(shown_number("%.2f", theirs.at(0.5) / ours.at(0.5)));
    }
    batches_.push_back(one);
  }

  std::string about() const {
    const std::string rows = !made_ ? "rows of the table in turn" : made_->knows_constants() ? "made-up rows in turn, of what the model tells apart" : "made-up rows in turn";
    return text(options_.threads, options_.threads == 1 ? " thread" : " threads", "; ", rows, "; ± is half the span between the quartiles.");
  }

  Call& call_;
  const Arguments& arguments_;
  SessionOptions options_;
  std::shared_ptr<const Session> session_;
  std::unique_ptr<RealisticInputs> made_;                // null: --data gives the rows
  std::unique_ptr<OnnxRuntimeLibrary> rival_;
  std::string refusal_;                                  // what ONNX Runtime said
  Agreement agreement_;
  std::vector<std::vector<std::string>> table_{{"rows", "rows/s", "median ms", "±", "p99"}};
  Json batches_ = Json::array();
};

int bench(Call& call) {
  Bench bench(call);
  for (const int64_t rows : batch_sizes(call.arguments)) bench.measure(rows);
  bench.report();
  return 0;
}

}  // namespace

Command bench_command() {
  return {.name = "bench", .summary = "how fast a model is, alone or beside ONNX Runtime",
          .arguments = {{"MODEL.onnx", "the model"}},
          .options = {{"--batch", "N,…", "rows at a time (default 1,100,10000)", 0, false, true},
                      {"--data", "DATA", "a table to take rows from (default: made-up rows, between the thresholds of trees, of known categories, in the schema's ranges)"},
                      {"--seconds", "TIME", "for each batch size and engine (default 1s)"},
                      {"--vs", "ENGINE", "measure beside another engine, in turns, on the same inputs with as many threads", 0, false, false, {"onnxruntime"}},
                      {"--python", "PATH", "the interpreter that has onnxruntime"}},
          .needs = Needs::running, .more = "One thread, unless --threads says otherwise. Each call takes the next rows: a row that comes again at once trains the branch predictor.", .run = bench};
}

}  // namespace onward::cli
