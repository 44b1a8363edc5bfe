// Help, from the commands' tables.
#include "onward/cli/command.h"

namespace onward::cli {
namespace {

// "  left        right", right wrapped to the width of a page.
void append_row(std::string& out, const std::string& left, std::string_view right, size_t column) {
  constexpr size_t page = 110;
  out += "  " + left + std::string(left.size() + 2 < column ? column - left.size() : 2, ' ');
  size_t at = std::max(column, left.size() + 2) + 2;
  for (size_t from = 0; from < right.size();) {
    const size_t end = std::min(right.find(' ', from), right.size());
    if (at + (end - from) > page) out += "\n" + std::string(column + 2, ' '), at = column + 2;
    out += right.substr(from, end - from);
    if (end < right.size()) out += ' ';
    at += end - from + 1, from = end + 1;
  }
  out += "\n";
}

std::string left_of(const Option& o) {
  const std::string letter = o.letter ? text("-", o.letter, ", ") : std::string("    ");
  return text(letter, o.name, o.value.empty() ? "" : " ", o.value);
}

}  // namespace

std::string usage_of(const Command& c) {
  std::string out = text("onward ", c.name);
  for (const Argument& a : c.arguments) out += a.required ? text(" ", a.name) : text(" [", a.name, "]");
  for (const Option& o : c.options)
    if (o.required) out += o.letter ? text(" -", o.letter, " ", o.value) : text(" ", o.name, " ", o.value);
  return out + " [options]";
}

std::string help_of(const Command& c) {
  std::string out = text(c.summary, "\n\nUsage: ", usage_of(c), "\n");
  if (!c.arguments.empty()) out += "\nArguments:\n";
  for (const Argument& a : c.arguments) append_row(out, std::string(a.name), a.help, 24);
  out += "\nOptions:\n";
  for (const Option& o : all_options(c)) {
    std::string help(o.help);
    for (size_t i = 0; i < o.choices.size(); ++i) help += text(i ? ", " : " [", o.choices[i], i + 1 == o.choices.size() ? "]" : "");
    append_row(out, left_of(o), help, 28);
  }
  if (!c.more.empty()) out += text("\n", c.more, "\n");
  return out;
}

std::string help_of_program() {
  std::string out = "Fitted models to ONNX, and ONNX models to predictions.\n\nUsage: onward COMMAND [arguments] [options]\n\nCommands:\n";
  for (const Command& c : commands()) append_row(out, std::string(c.name), c.summary, 14);
  out += "\n`onward COMMAND --help` tells more; `onward --version` the version. Exit codes: 0 ok, 1 the answer is no, 2 usage, 3 bad input\n"
         "file, 4 unsupported, 5 limit reached, 70 a bug of ours, 130 interrupted; `onward explain CODE` explains an error.\n";
  return out;
}

}  // namespace onward::cli
