// Words to options and arguments.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "onward/base/suggest.h"
#include "onward/cli/command.h"

namespace onward::cli {
namespace {

[[noreturn]] void misused(const Command& command, std::string message, std::string hint = {}) {
  throw Error(Code::usage, std::move(message), hint.empty() ? text("usage: ", usage_of(command)) : std::move(hint));
}

std::vector<std::string> words_of(const auto& items) { return {items.begin(), items.end()}; }

std::string listed(const std::vector<std::string_view>& words) {
  std::string out;
  for (std::string_view w : words) out += text(out.empty() ? "" : ", ", w);
  return out;
}

// A number and the unit behind it.
std::pair<double, std::string> number_and_unit(std::string_view option, const std::string& word, const char* expected) {
  double number = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (problem != std::errc() || !(number >= 0) || !std::isfinite(number)) fail(Code::usage, option, ": expected ", expected, ", found '", word, "'");
  return {number, std::string(end, word.data() + word.size())};
}

}  // namespace

Arguments::Arguments(const Command& command, std::vector<std::string> words) : options_(all_options(command)) {
  bool only_arguments = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (only_arguments || words[i].size() < 2 || words[i][0] != '-') places_.push_back(words[i]);
    else if (words[i] == "--") only_arguments = true;
    else take_option(command, words, i);
  }
  if (has("--help")) return;
  if (places_.size() > command.arguments.size())
    misused(command, text("unexpected argument '", places_[command.arguments.size()], "'"));
  for (size_t i = places_.size(); i < command.arguments.size(); ++i)
    if (command.arguments[i].required) misused(command, text("the argument ", command.arguments[i].name, " is missing (", command.arguments[i].help, ")"));
  for (const Option& o : options_)
    if (o.required && !has(o.name)) misused(command, text("the option ", o.name, " ", o.value, " is missing (", o.help, ")"));
}

// One of --name, --name value, --name=value, -n, -n value.
void Arguments::take_option(const Command& command, const std::vector<std::string>& words, size_t& i) {
  const std::string& word = words[i];
  const size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
  const std::string name = word.substr(0, equals);
  const auto option = std::find_if(options_.begin(), options_.end(), [&](const Option& o) {
    return o.name == name || (name.size() == 2 && o.letter && name[1] == o.letter);
  });
  if (option == options_.end()) {
    std::vector<std::string> names;
    for (const Option& o : options_) names.emplace_back(o.name);
    const auto near = nearest(name, names);
    misused(command, text("unknown option '", name, "'"), near ? text("did you mean '", *near, "'?") : std::string());
  }
  std::string value;
  if (option->value.empty()) {
    if (equals != std::string::npos) misused(command, text(option->name, " takes no value"));
  } else if (equals != std::string::npos) {
    value = word.substr(equals + 1);
  } else if (i + 1 < words.size()) {
    value = words[++i];
  } else {
    misused(command, text(option->name, " needs a value: ", option->value));
  }
  if (!option->choices.empty() && std::find(option->choices.begin(), option->choices.end(), value) == option->choices.end()) {
    const auto near = nearest(value, words_of(option->choices));
    misused(command, text(option->name, ": expected one of ", listed(option->choices), ", found '", value, "'"),
            near ? text("did you mean '", *near, "'?") : std::string());
  }
  if (!option->repeats && has(option->name) && !option->value.empty()) misused(command, text(option->name, " is given twice"));
  given_.emplace_back(option->name, std::move(value));
}

const Option& Arguments::known(std::string_view name) const {
  const auto it = std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
  ONWARD_CHECK(it != options_.end());                    // a command reads an option that it does not declare
  return *it;
}

bool Arguments::declares(std::string_view option) const {
  return std::any_of(options_.begin(), options_.end(), [&](const Option& o) { return o.name == option; });
}

std::optional<std::string> Arguments::value(std::string_view option) const {
  known(option);
  for (auto it = given_.rbegin(); it != given_.rend(); ++it)
    if (it->first == option) return it->second;
  return std::nullopt;
}

std::vector<std::string> Arguments::list(std::string_view option) const {
  known(option);
  std::vector<std::string> out;
  for (const auto& [name, value] : given_) {
    if (name != option) continue;
    for (size_t at = 0, end; at <= value.size(); at = end + 1) {
      end = std::min(value.find(',', at), value.size());
      if (end > at) out.push_back(value.substr(at, end - at));
    }
  }
  return out;
}

std::vector<std::string> Arguments::values(std::string_view option) const {
  known(option);
  std::vector<std::string> out;
  for (const auto& [name, value] : given_)
    if (name == option) out.push_back(value);
  return out;
}

double Arguments::number(std::string_view option, double otherwise, double least) const {
  const auto word = value(option);
  if (!word) return otherwise;
  const auto [number, unit] = number_and_unit(option, *word, "a number");
  if (!unit.empty() || number < least) fail(Code::usage, option, ": expected a number of at least ", least, ", found '", *word, "'");
  return number;
}

int64_t Arguments::integer(std::string_view option, int64_t otherwise, int64_t least) const {
  const auto word = value(option);
  if (!word) return otherwise;
  int64_t number = 0;
  const auto [end, problem] = std::from_chars(word->data(), word->data() + word->size(), number);
  if (problem != std::errc() || end != word->data() + word->size() || number < least)
    fail(Code::usage, option, ": expected a whole number of at least ", least, ", found '", *word, "'");
  return number;
}

size_t Arguments::bytes(std::string_view option) const {
  const auto word = value(option);
  if (!word) return 0;
  const auto [number, unit] = number_and_unit(option, *word, "a size such as 512M or 2G");
  const std::string_view letters = "KMGT";
  const size_t at = unit.empty() ? 0 : letters.find(char(std::toupper(unit[0])));
  const bool known_unit = unit.empty() || unit == "B" || (at != letters.npos && (unit.size() == 1 || unit.substr(1) == "B" || unit.substr(1) == "iB"));
  const double size = unit.empty() || unit == "B" ? number : number * std::ldexp(1.0, int(10 * (at + 1)));
  if (!known_unit || size < 1 || size > 9e18) fail(Code::usage, option, ": expected a size such as 512M or 2G, found '", *word, "'");
  return size_t(size);
}

double Arguments::seconds(std::string_view option) const {
  const auto word = value(option);
  if (!word) return 0;
  const auto [number, unit] = number_and_unit(option, *word, "a time such as 30s, 500ms or 2m");
  const double scale = unit == "ms" ? 1e-3 : unit.empty() || unit == "s" ? 1 : unit == "m" || unit == "min" ? 60 : unit == "h" ? 3600 : 0;
  if (scale == 0 || number <= 0 || number * scale > 1e9) fail(Code::usage, option, ": expected a time such as 30s, 500ms or 2m, found '", *word, "'");
  return number * scale;
}

}  // namespace onward::cli
