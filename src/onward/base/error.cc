#include "onward/base/error.h"

#include <utility>

namespace onward {
namespace {

// Neither cut falls inside a character of UTF-8.
void shorten(std::string& message) {
  if (message.size() <= Error::longest) return;
  const auto starts = [&](size_t i) { return (static_cast<unsigned char>(message[i]) & 0xC0) != 0x80; };
  size_t first = Error::longest / 2, last = message.size() - Error::longest / 2;
  while (first > 0 && !starts(first)) --first;
  while (last < message.size() && !starts(last)) ++last;
  message.replace(first, last - first, text(" … ", last - first, " bytes left out … "));
}

}  // namespace

Error::Error(Code code, std::string message, std::string hint) : code(code), message(std::move(message)), hint(std::move(hint)) {
  shorten(this->message), shorten(this->hint);
}

void fail_with(Code code, std::initializer_list<Part> parts) { throw Error(code, join(parts)); }

Error& Error::within(std::string_view context) & {
  message.insert(0, text(context, ": "));
  shorten(message);
  return *this;
}

static constexpr CodeFact facts[] = {
    {Code::difference, "difference", "The converted model and its source do not give the same answers within the tolerance.",
     "Look at the worst rows in the report; a difference on float32 inputs often means the source was fed float64. Use --rtol/--atol only with a reason."},
    {Code::usage, "usage", "The command line, an option or an argument is not understood.", "Run the command with --help."},
    {Code::io, "io", "A file cannot be opened, read or written.", "Check the path, the permissions and the space left on the disk."},
    {Code::bad_file, "bad-file", "The bytes of a file are not what its kind demands: it is damaged, cut short, or lies about a size.",
     "Write the file again from its source; compare its size and checksum with the original."},
    {Code::bad_model, "bad-model", "An ONNX model breaks a rule of the standard: a cycle, a missing value, an unknown attribute, a wrong type.",
     "The message names the node. Run onnx.checker on the file and export it again."},
    {Code::bad_input, "bad-input", "A tensor given to a session has a name, element type or shape that the model does not take.",
     "Compare with `onward inspect MODEL`; cast or reshape the array."},
    {Code::bad_value, "bad-value", "An operator met a value for which the standard gives no answer, such as an index outside an axis.",
     "Look at the named node and at the values that reach it."},
    {Code::bad_data, "bad-data", "A table does not fit the model's schema: a column is missing, or a value cannot be read as the column's type.",
     "The message names column and row. See `onward schema MODEL` for what is expected."},
    {Code::bad_schema, "bad-schema", "A schema cannot be read, or says something that the model contradicts.", "Start from the output of `onward schema FILE`."},
    {Code::unsupported_operator, "unsupported-operator", "The engine has no kernel for this operator, version or element type.",
     "Export with another opset, or replace the operator; `onward inspect MODEL --why` lists all that is missing."},
    {Code::unsupported_estimator, "unsupported-estimator", "A fitted model holds a step, parameter or function that cannot be converted.",
     "The message names the step and the nearest thing that works; refit with that, or register a converter."},
    {Code::unsupported_format, "unsupported-format", "A file of a kind that is recognised but not read.", "Save the model or the table in one of the kinds that the message names."},
    {Code::limit_memory, "limit-memory", "More memory was asked for than the limit allows.", "Raise --memory-limit, or feed smaller batches."},
    {Code::limit_time, "limit-time", "The time limit was reached.", "Raise --time-limit."},
    {Code::limit_size, "limit-size", "Nesting, a count or a declared size is beyond what any real model has.", "If the file is real, please report it."},
    {Code::internal, "internal", "A bug in onward.", "Please report it with the command and, if possible, the file."},
    {Code::cancelled, "cancelled", "The work was interrupted.", ""},
};

std::span<const CodeFact> code_facts() { return facts; }

const CodeFact& fact_of(Code code) {
  for (const CodeFact& fact : facts)
    if (fact.code == code) return fact;
  return fact_of(Code::internal);
}

std::string id_of(Code code) {
  const std::string digits = text(int(code));
  return "E" + std::string(4 - digits.size(), '0') + digits;
}

int exit_code(Code code) {
  switch (int(code) / 100) {
    case 1: return 1;
    case 2: return 2;
    case 3: return 3;
    case 4: return 4;
    case 5: return 5;
    case 8: return 130;
    default: return 70;
  }
}

void check_failed(const char* condition, const char* file, int line) {
  throw Error(Code::internal, text("check failed: ", condition, " (", file, ":", line, ")"), "this is a bug in onward; please report it");
}

}  // namespace onward
