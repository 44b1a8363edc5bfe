#include "onward/formats/booster_json.h"

#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "onward/base/unicode.h"

namespace onward::formats {
namespace {

using plain::Kind;
using plain::Value;

constexpr int depth_max = 200;

class Parser {
 public:
  Parser(Arena& arena, std::string_view json) : arena_(arena), begin_(json.data()), at_(json.data()), end_(json.data() + json.size()) {}

  Value whole() {
    const Value v = value(0);
    if (next() != 0) bad("something follows the end");
    return v;
  }

 private:
  [[noreturn]] void bad(const char* what) const { fail(Code::bad_file, "byte ", at_ - begin_, ": this is no JSON: ", what); }

  // The next character that is no blank; 0 at the end.
  char next() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!std::string_view(at_, size_t(end_ - at_)).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  static bool begins_number(char c) { return (c >= '0' && c <= '9') || c == '-' || c == 'N' || c == 'I'; }

  Value value(int depth) {
    if (depth > depth_max) fail(Code::limit_size, "JSON is nested more than ", depth_max, " levels deep");
    const char c = next();
    if (c == '{') return object(depth);
    if (c == '[') return array(depth);
    if (c == '"') return plain::text(arena_, string());
    if (begins_number(c)) return number();
    if (take("true")) return plain::boolean(true);
    if (take("false")) return plain::boolean(false);
    if (take("null")) return Value();
    bad(at_ == end_ ? "it ends too early" : "expected a value");
  }

  Value number() {
    int64_t whole = 0;
    const auto integer = std::from_chars(at_, end_, whole);
    const bool is_whole = integer.ec == std::errc() && (integer.ptr == end_ || (*integer.ptr != '.' && (*integer.ptr | 32) != 'e'));
    if (is_whole) return at_ = integer.ptr, plain::integer(whole);
    double x = 0;
    const auto real = std::from_chars(at_, end_, x);
    if (real.ec == std::errc::result_out_of_range) x = std::strtod(std::string(at_, real.ptr).c_str(), nullptr);
    else if (real.ec != std::errc()) bad("expected a number");
    at_ = real.ptr;
    return plain::real(x);
  }

  Value object(int depth) {
    ++at_;
    const Value dict = plain::sequence(arena_, Kind::dict);
    if (take('}')) return dict;
    do {
      if (next() != '"') bad("expected a name");
      dict.sequence->push(arena_, plain::text(arena_, string()));
      if (!take(':')) bad("expected ':'");
      dict.sequence->push(arena_, value(depth + 1));
    } while (take(','));
    if (!take('}')) bad("expected ',' or '}'");
    return dict;
  }

  // Numbers gather beside the arena, so that only the finished array takes room in it.
  Value array(int depth) {
    ++at_;
    if (take(']')) return plain::sequence(arena_, Kind::list);
    if (!begins_number(next())) return list(plain::sequence(arena_, Kind::list), depth);
    std::vector<Value> numbers;
    bool whole = true;
    do {
      if (!begins_number(next())) {
        const Value mixed = plain::sequence(arena_, Kind::list, numbers);
        return list(mixed, depth);
      }
      numbers.push_back(number());
      whole &= numbers.back().is(Kind::integer);
    } while (take(','));
    if (!take(']')) bad("expected ',' or ']'");
    return packed(numbers, whole);
  }

  Value list(Value into, int depth) {
    do into.sequence->push(arena_, value(depth + 1));
    while (take(','));
    if (!take(']')) bad("expected ',' or ']'");
    return into;
  }

  Value packed(const std::vector<Value>& numbers, bool whole) {
    static constexpr plain::DType integers{'i', 8}, reals{'f', 8};
    auto* shape = arena_.array<int64_t>(1);
    *shape = int64_t(numbers.size());
    char* bytes = arena_.array<char>(8 * numbers.size());
    for (size_t i = 0; i < numbers.size(); ++i) {
      const double x = numbers[i].is(Kind::real) ? numbers[i].real : double(numbers[i].integer);
      if (whole) std::memcpy(bytes + 8 * i, &numbers[i].integer, 8);
      else std::memcpy(bytes + 8 * i, &x, 8);
    }
    Value v;
    v.kind = Kind::array;
    v.array = arena_.make(plain::NdArray{whole ? &integers : &reals, {shape, 1}, false, {bytes, 8 * numbers.size()}});
    return v;
  }

  // A view of the file where nothing in it is escaped.
  std::string_view string() {
    const char* start = ++at_;
    while (at_ != end_ && *at_ != '"' && *at_ != '\\') ++at_;
    if (at_ != end_ && *at_ == '"') return {start, size_t(at_++ - start)};
    std::string out(start, at_);
    while (at_ != end_ && *at_ != '"') {
      if (*at_ != '\\') out += *at_++;
      else ++at_, escaped(out);
    }
    if (at_ == end_) bad("a text has no end");
    ++at_;
    return arena_.copy(out);
  }
  void escaped(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    if (at_ == end_) bad("a text has no end");
    const char c = *at_++;
    if (const size_t i = names.find(c); i != names.npos) return void(out += values[i]);
    if (c != 'u') bad("an escape that is none");
    uint32_t point = code_unit();
    if (point >= 0xd800 && point < 0xdc00 && take("\\u")) {
      const uint32_t low = code_unit();
      if (low < 0xdc00 || low > 0xdfff) bad("half a character");
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, point);
  }
  uint32_t code_unit() {
    uint32_t unit = 0;
    if (end_ - at_ < 4 || std::from_chars(at_, at_ + 4, unit, 16).ptr != at_ + 4) bad("an escape that is none");
    at_ += 4;
    return unit;
  }

  Arena& arena_;
  const char *begin_, *at_, *end_;
};

}  // namespace

Value read_booster_json(Arena& arena, std::string_view json) { return Parser(arena, json).whole(); }

}  // namespace onward::formats
