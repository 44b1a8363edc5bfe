// One run of a command: what it was told, where its output goes, and what may stop it.
#pragma once
#include <atomic>
#include <nlohmann/json_fwd.hpp>

#include "onward/cli/command.h"
#include "onward/runtime/session.h"

namespace onward::cli {

// Where words go: data to stdout, messages to stderr, one JSON object to stdout when --json asks for it.
struct Output {
  bool json = false, quiet = false;
  void data(std::string_view text) const;                // not with --json
  void message(std::string_view line) const;             // not with --quiet
  void answer(nlohmann::ordered_json object) const;      // "schema_version" is put in front; only with --json
};

class Call {
 public:
  Call(const Command& command, const Arguments& arguments);
  const Arguments& arguments;
  Output out;

  SessionOptions session_options() const;                // --threads, --memory-limit, --operators
  RunOptions run_options() const;                        // the interrupt, and what is left of --time-limit
  void check() const;                                    // throws Error{cancelled, limit_time}

 private:
  double seconds_left() const;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::shared_ptr<const CustomOperators> operators_;
  size_t memory_limit_ = 0;
  int threads_ = 0;
};

// The error as the program reports it; returns the exit code.
int report(const Error& error, const Output& out);

// The whole program.
int run_program(std::vector<std::string> words);

}  // namespace onward::cli
