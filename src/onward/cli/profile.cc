// onward profile: where the time of a prediction goes, node by node, as a Chrome trace.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "onward/base/file.h"
#include "onward/cli/call.h"
#include "onward/cli/model_text.h"
#include "onward/data/open_table.h"
#include "onward/runtime/profile.h"
#include "onward/validate/table_session.h"

namespace onward::cli {
namespace {

struct Spent {
  int64_t calls = 0;
  double microseconds = 0;
};

std::string shown_number(double x, const char* format) {
  char out[32];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

void run_over(Call& call, const std::shared_ptr<const Session>& session) {
  if (!call.arguments.argument(1)) {
    session->run({}, made_up_inputs(*session, call.arguments.integer("--batch", 8192)), call.run_options());
    return;
  }
  const auto reader = open_table(call.arguments[1], {.batch_rows = call.arguments.integer("--batch", 8192)});
  const TableSession tables(session, reader->names(), reader->named());
  reader->plan(tables.binder().plan());
  while (const std::optional<Table> batch = reader->next()) call.check(), tables.run(*batch, call.run_options());
}

int profile(Call& call) {
  const Arguments& a = call.arguments;
  SessionOptions options = call.session_options();
  options.profile = true;
  const auto session = Session::load(a[0], options);
  run_over(call, session);
  const std::string trace = session->profile()->json();
  const std::string to = *a.value("--output");
  write_file(to, trace);
  std::map<std::string, Spent> by_op;
  double all = 0;
  const auto parsed = nlohmann::json::parse(trace);
  for (const auto& event : parsed.at("traceEvents")) {
    if (event.value("ph", "") != "X" || event.value("name", "") == "run") continue;
    const std::string op = event.contains("args") ? event["args"].value("op", event.value("name", "")) : event.value("name", "");
    Spent& spent = by_op[op];
    ++spent.calls, spent.microseconds += event.value("dur", 0.0), all += event.value("dur", 0.0);
  }
  std::vector<std::pair<std::string, Spent>> sorted(by_op.begin(), by_op.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& x, const auto& y) { return x.second.microseconds > y.second.microseconds; });
  std::vector<std::vector<std::string>> rows{{"operator", "calls", "ms", "share"}};
  nlohmann::ordered_json ops = nlohmann::ordered_json::array();
  for (const auto& [op, spent] : sorted) {
    rows.push_back({op, text(spent.calls), shown_number(spent.microseconds / 1000, "%.3f"), shown_number(all > 0 ? 100 * spent.microseconds / all : 0, "%.1f %%")});
    ops.push_back({{"operator", op}, {"calls", spent.calls}, {"milliseconds", spent.microseconds / 1000}});
  }
  call.out.data(table_text(rows));
  call.out.message(text("the trace is in ", to, ": open it in ui.perfetto.dev or chrome://tracing"));
  call.out.answer({{"output", to}, {"milliseconds", all / 1000}, {"operators", ops}});
  return 0;
}

}  // namespace

Command profile_command() {
  return {.name = "profile", .summary = "where the time goes, operator by operator, and a Chrome trace",
          .arguments = {{"MODEL.onnx", "the model"}, {"DATA", "a table; without one, made-up rows", false}},
          .options = {{"--output", "TRACE.json", "where to write the trace", 'o', true}, {"--batch", "N", "rows at a time (default 8192)"}},
          .needs = Needs::running, .run = profile};
}

}  // namespace onward::cli
