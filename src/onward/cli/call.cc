#include "onward/cli/call.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "onward/api/operator_library.h"
#include "onward/api/problems.h"
#include "onward/cli/limits.h"
#include "onward/cli/terminal.h"

namespace onward::cli {

static void print(std::FILE* to, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), to) != text.size() || std::fflush(to) != 0) fail(Code::io, "standard output cannot be written");
}

void Output::data(std::string_view text) const {
  if (!json) print(stdout, text);
}

void Output::message(std::string_view line) const {
  if (!quiet) std::fprintf(stderr, "%.*s\n", int(line.size()), line.data());
}

void Output::answer(nlohmann::ordered_json object) const {
  if (!json) return;
  nlohmann::ordered_json all = {{"schema_version", 1}};
  all.update(object);
  print(stdout, all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

static bool declares(const Command& command, Needs needs) { return command.needs >= needs; }

Call::Call(const Command& command, const Arguments& arguments) : arguments(arguments) {
  out.json = arguments.has("--json"), out.quiet = arguments.has("--quiet");
  if (declares(command, Needs::running)) threads_ = int(std::min<int64_t>(arguments.integer("--threads", 0), 1024));
  if (!declares(command, Needs::loading)) return;
  memory_limit_ = arguments.bytes("--memory-limit");
  if (memory_limit_) limit_memory(memory_limit_);
  if (const double seconds = arguments.seconds("--time-limit"); seconds > 0) {
    deadline_ = std::chrono::steady_clock::now() + std::chrono::nanoseconds(int64_t(seconds * 1e9));
    limit_time(seconds, out.json);
  }
  if (!declares(command, Needs::running) || !arguments.has("--operators")) return;
  CustomOperators all;
  for (const std::string& path : arguments.list("--operators")) all.add(load_operators(path));
  operators_ = std::make_shared<const CustomOperators>(std::move(all));
}

SessionOptions Call::session_options() const { return {.threads = threads_, .memory_limit = memory_limit_, .operators = operators_}; }

double Call::seconds_left() const {
  if (!deadline_) return 0;
  return std::max(1e-9, std::chrono::duration<double>(*deadline_ - std::chrono::steady_clock::now()).count());
}

RunOptions Call::run_options() const { return {.cancel = &interrupted(), .time_limit_seconds = seconds_left()}; }

void Call::check() const {
  if (interrupted()) fail(Code::cancelled, "interrupted");
  if (deadline_ && std::chrono::steady_clock::now() > *deadline_) fail(Code::limit_time, "the time limit was reached");
}

int report(const Error& error, const Output& out) {
  if (out.json) {
    nlohmann::ordered_json e = {{"code", id_of(error.code)}, {"name", fact_of(error.code).name}, {"message", error.message}};
    if (!error.hint.empty()) e["hint"] = error.hint;
    e["exit_code"] = exit_code(error.code);
    if (auto* refusal = dynamic_cast<const Refusal*>(&error)) e["problems"] = described(refusal->problems);
    out.answer({{"error", e}});
  } else {
    std::string text = painted(Paint::error, onward::text("error[", id_of(error.code), "]")) + ": " + error.message + "\n";
    if (!error.hint.empty()) text += painted(Paint::help, "help") + ": " + error.hint + "\n";
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
  return exit_code(error.code);
}

}  // namespace onward::cli
