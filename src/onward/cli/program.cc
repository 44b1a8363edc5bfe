// From words to an exit code: finds the command, runs it, and reports what went wrong.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "onward/base/suggest.h"
#include "onward/base/version.h"
#include "onward/cli/call.h"
#include "onward/cli/limits.h"

namespace onward::cli {
namespace {

[[noreturn]] void unknown_command(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& c : commands()) names.emplace_back(c.name);
  const auto near = nearest(word, names);
  throw Error(Code::usage, text("unknown command '", word, "'"), near ? text("did you mean '", *near, "'?") : "`onward --help` lists the commands");
}

nlohmann::ordered_json described(const Command& c) {
  nlohmann::ordered_json options = nlohmann::ordered_json::array(), arguments = options;
  for (const Argument& a : c.arguments) arguments.push_back({{"name", a.name}, {"help", a.help}, {"required", a.required}});
  for (const Option& o : all_options(c)) options.push_back({{"name", o.name}, {"value", o.value}, {"help", o.help}, {"required", o.required}});
  return {{"name", c.name}, {"summary", c.summary}, {"arguments", arguments}, {"options", options}};
}

int show_help(const Command& c, const Output& out) {
  out.data(help_of(c));
  out.answer(described(c));
  return 0;
}

int list_commands(const Output& out) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Command& c : commands()) all.push_back(described(c));
  out.answer({{"commands", all}});
  return 0;
}

int dispatch(std::vector<std::string> words, const Output& out) {
  const std::string first = words.empty() ? "--help" : words[0];
  if (first == "--version" || first == "-V") {
    out.data(text("onward ", version, "\n"));
    out.answer({{"version", version}});
    return 0;
  }
  if (first == "--help" || first == "-h" || first == "help" || (first == "--json" && words.size() == 1)) {
    if (words.size() > 1 && words[1] != "--json") {
      const Command* command = find_command(words[1]);
      if (!command) unknown_command(words[1]);
      return show_help(*command, out);
    }
    if (out.json) return list_commands(out);
    std::fputs(help_of_program().c_str(), words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  const Command* command = find_command(first);
  if (!command) unknown_command(first);
  words.erase(words.begin());
  const Arguments arguments(*command, std::move(words));
  if (arguments.has("--help")) return show_help(*command, out);
  Call call(*command, arguments);
  return command->run(call);
}

}  // namespace

int run_program(std::vector<std::string> words) {
  const Output out{.json = std::find(words.begin(), words.end(), "--json") != words.end()};
  watch_interrupts();
  try {
    return dispatch(std::move(words), out);
  } catch (const Error& e) {
    return report(e, out);
  } catch (const std::bad_alloc&) {
    return report(Error(Code::limit_memory, "there is not enough memory", "raise --memory-limit, or feed smaller batches"), out);
  } catch (const std::system_error& e) {
    return report(Error(e.code() == std::errc::resource_unavailable_try_again ? Code::limit_memory : Code::internal, e.what()), out);
  } catch (const std::exception& e) {
    return report(Error(Code::internal, e.what(), "this is a bug in onward; please report it"), out);
  }
}

}  // namespace onward::cli
