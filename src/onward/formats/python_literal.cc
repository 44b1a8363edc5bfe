#include "onward/formats/python_literal.h"

#include "onward/formats/pickle_text.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

class Parser {
 public:
  Parser(Arena& arena, std::string_view text) : arena_(arena), rest_(text) {}

  Value value(int depth = 16) {
    if (depth == 0) fail(Code::limit_size, "a literal is nested too deeply");
    skip_spaces();
    const char c = rest_.empty() ? 0 : rest_[0];
    if (c == '{') return sequence(Kind::dict, '}', depth);
    if (c == '[') return sequence(Kind::list, ']', depth);
    if (c == '(') return sequence(Kind::tuple, ')', depth);
    if (c == '\'' || c == '"') return string(c);
    if (take_word("True")) return plain::boolean(true);
    if (take_word("False")) return plain::boolean(false);
    if (take_word("None")) return Value();
    const std::string_view digits = rest_.substr(0, rest_.find_first_not_of("-0123456789"));
    rest_.remove_prefix(digits.size());
    if (take_word("L")) skip_spaces();   // Python 2
    return integer_of_digits(arena_, digits);
  }
  void end() {
    skip_spaces();
    if (!rest_.empty()) fail(Code::bad_file, "a literal goes on with '", rest_.substr(0, 20), "'");
  }

 private:
  Value sequence(Kind kind, char close, int depth) {
    rest_.remove_prefix(1);
    const Value v = plain::sequence(arena_, kind);
    for (bool key = kind == Kind::dict; skip_spaces(), !take(close);) {
      v.sequence->push(arena_, value(depth - 1));
      skip_spaces();
      if (key ? !take(':') : !take(',') && (rest_.empty() || rest_[0] != close))
        fail(Code::bad_file, "a literal lacks a ',' or ':' before '", rest_.substr(0, 20), "'");
      key = kind == Kind::dict && !key;
    }
    if (kind == Kind::dict && v.items().size() % 2) fail(Code::bad_file, "a literal has a key without a value");
    return v;
  }
  Value string(char quote) {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote) end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) fail(Code::bad_file, "a literal's string has no end");
    const std::string_view s = string_escaped(arena_, rest_.substr(0, end + 1));
    rest_.remove_prefix(end + 1);
    return checked_text(arena_, s);
  }
  void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool take(char c) { return take_word({&c, 1}); }
  bool take_word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  Arena& arena_;
  std::string_view rest_;
};

}  // namespace

Value read_python_literal(Arena& arena, std::string_view text) {
  Parser parser(arena, text);
  const Value v = parser.value();
  parser.end();
  return v;
}

}  // namespace onward::formats
