// The list of commands, made of the files that define one, and what all of them share.
#include "onward/cli/command.h"

#include <algorithm>

#include "commands.inc"

namespace onward::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = [] {
    std::vector<Command> made;
    for (auto* file : commands_files) made.push_back(file());
    std::sort(made.begin(), made.end(), [](const Command& a, const Command& b) { return a.name < b.name; });
    return made;
  }();
  return all;
}

const Command* find_command(std::string_view name) {
  for (const Command& c : commands())
    if (c.name == name) return &c;
  return nullptr;
}

std::vector<Option> all_options(const Command& command) {
  std::vector<Option> all = command.options;
  if (command.needs == Needs::running) all.push_back({"--threads", "N", "threads to compute with (default: all that this process may use)"});
  if (command.needs == Needs::running)
    all.push_back({"--operators", "LIBRARY", "a shared library of custom operators (onward/operators.hpp), whose code runs; may be given again", 0, false, true});
  if (command.needs != Needs::nothing) {
    all.push_back({"--memory-limit", "SIZE", "stop with exit code 5 rather than use more memory, e.g. 2G"});
    all.push_back({"--time-limit", "TIME", "stop with exit code 5 after this time, e.g. 30s"});
  }
  all.push_back({"--json", "", "print the answer, or the error, as one JSON object"});
  all.push_back({"--quiet", "", "no messages but errors", 'q'});
  all.push_back({"--help", "", "this text", 'h'});
  return all;
}

}  // namespace onward::cli
