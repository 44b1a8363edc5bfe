#include "onward/formats/pickle_text.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "onward/base/unicode.h"

namespace onward::formats {
namespace {

using plain::Value;

constexpr size_t integer_bytes_max = 1024;   // the conversion to digits takes quadratic time

// The magnitude of a two's complement number, as digits to the base of 10⁹, lowest first.
std::vector<uint32_t> decimal_digits(std::string_view little_endian, bool negative) {
  std::vector<uint32_t> digits;
  for (size_t i = little_endian.size(); i-- > 0;) {
    uint64_t carry = static_cast<uint8_t>(little_endian[i]) ^ (negative ? 0xffu : 0u);
    for (uint32_t& d : digits) {
      carry += uint64_t{d} << 8;
      d = static_cast<uint32_t>(carry % 1'000'000'000);
      carry /= 1'000'000'000;
    }
    if (carry) digits.push_back(static_cast<uint32_t>(carry));
  }
  if (!negative) return digits;
  for (size_t i = 0;; ++i) {   // −x = ~x + 1
    if (i == digits.size()) return digits.push_back(1), digits;
    if (++digits[i] < 1'000'000'000) return digits;
    digits[i] = 0;
  }
}

std::optional<uint32_t> hexadecimal(std::string_view s, size_t at, size_t n) {
  uint32_t v = 0;
  if (at + n > s.size()) return {};
  const auto [end, error] = std::from_chars(s.data() + at, s.data() + at + n, v, 16);
  if (error != std::errc() || end != s.data() + at + n) return {};
  return v;
}

bool is_ascii(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; });
}

}  // namespace

Value integer_of_bytes(Arena& arena, std::string_view s) {
  const bool negative = !s.empty() && static_cast<uint8_t>(s.back()) >= 0x80;
  if (s.size() > integer_bytes_max) fail(Code::limit_size, "an integer of ", s.size(), " bytes");
  if (s.size() <= 8) {
    int64_t v = negative ? -1 : 0;
    s.copy(reinterpret_cast<char*>(&v), s.size());
    return plain::integer(v);
  }
  std::string out = negative ? "-" : "";
  const std::vector<uint32_t> digits = decimal_digits(s, negative);
  if (digits.empty()) return plain::integer(0);
  for (size_t i = digits.size(); i-- > 0;) {
    const std::string part = text(digits[i]);
    if (i + 1 < digits.size()) out.append(9 - part.size(), '0');
    out += part;
  }
  return integer_of_digits(arena, arena.copy(out));
}

Value integer_of_digits(Arena& arena, std::string_view digits) {
  int64_t v = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument)
    fail(Code::bad_file, "'", digits.substr(0, 40), "' is no integer");
  return error == std::errc() ? plain::integer(v) : plain::text(arena, digits);
}

uint64_t index_of_digits(std::string_view digits) {
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  if (end != digits.data() + digits.size() || error != std::errc()) fail(Code::bad_file, "'", digits.substr(0, 40), "' is no index");
  return v;
}

double real_of_digits(std::string_view digits) {
  double v = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  if (end == digits.data() + digits.size() && error == std::errc()) return v;
  fail(Code::bad_file, "'", digits.substr(0, 40), "' is no float");
}

Value checked_text(Arena& arena, std::string_view utf8) {
  if (!is_utf8(utf8)) fail(Code::bad_file, "a text is not UTF-8");
  return plain::text(arena, utf8);
}

Value python2_string(Arena& arena, std::string_view s) {
  return plain::text(arena, s, is_ascii(s) ? plain::Kind::text : plain::Kind::bytes);
}

std::string_view string_escaped(Arena& arena, std::string_view quoted) {
  const bool closed = quoted.size() >= 2 && quoted.front() == quoted.back() && (quoted.front() == '\'' || quoted.front() == '"');
  if (!closed) fail(Code::bad_file, "a string has no quotes around it");
  const std::string_view s = quoted.substr(1, quoted.size() - 2);
  static constexpr std::string_view letters = "abfnrtv", meanings = "\a\b\f\n\r\t\v";
  std::string out;
  for (size_t i = 0; i < s.size();) {
    if (s[i] != '\\' || i + 1 == s.size()) {
      out += s[i++];
      continue;
    }
    const char c = s[i + 1];
    if (const auto code = c == 'x' ? hexadecimal(s, i + 2, 2) : std::nullopt) {
      out += static_cast<char>(*code), i += 4;
    } else if (c >= '0' && c <= '7') {
      unsigned code = 0;
      size_t digit = i + 1;
      for (; digit < s.size() && digit < i + 4 && s[digit] >= '0' && s[digit] <= '7'; ++digit)
        code = 8 * code + static_cast<unsigned>(s[digit] - '0');
      out += static_cast<char>(code), i = digit;
    } else if (const size_t letter = letters.find(c); letter != std::string_view::npos) {
      out += meanings[letter], i += 2;
    } else {
      if (c != '\\' && c != '\'' && c != '"') out += '\\';
      out += c, i += 2;
    }
  }
  return arena.copy(out);
}

std::string_view unicode_escaped(Arena& arena, std::string_view raw) {
  std::string out;
  for (size_t i = 0; i < raw.size();) {
    const char next = raw[i] == '\\' && i + 1 < raw.size() ? raw[i + 1] : 0;
    if (next == 'u' || next == 'U') {
      const size_t digits = next == 'u' ? 4 : 8;
      const auto code = hexadecimal(raw, i + 2, digits);
      if (!code || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
        fail(Code::bad_file, "a text has a damaged \\", next, " escape");
      append_utf8(out, *code), i += 2 + digits;
    } else {
      append_utf8(out, static_cast<uint8_t>(raw[i++]));
      if (next) append_utf8(out, static_cast<uint8_t>(raw[i++]));
    }
  }
  return arena.copy(out);
}

}  // namespace onward::formats
