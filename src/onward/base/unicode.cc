#include "onward/base/unicode.h"
#include <utility>

namespace onward {

constexpr uint32_t replacement = 0xFFFD;

void append_utf8(std::string& out, uint32_t c) {
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = replacement;
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xC0 | c >> 6), out += char(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += char(0xE0 | c >> 12), out += char(0x80 | (c >> 6 & 63)), out += char(0x80 | (c & 63));
  } else {
    out += char(0xF0 | c >> 18), out += char(0x80 | (c >> 12 & 63)), out += char(0x80 | (c >> 6 & 63)), out += char(0x80 | (c & 63));
  }
}

// The code point and its length; length 0 where the bytes are no UTF-8.
static std::pair<uint32_t, size_t> decode(std::string_view s) {
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(s[i])); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first >= 0xF5 || s.size() < length) return {replacement, 0};
  uint32_t c = first & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {replacement, 0};
    c = c << 6 | (byte(i) & 63);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < least[length] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return {replacement, 0};
  return {c, length};
}

bool is_utf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const auto [c, length] = decode(bytes.substr(at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

uint32_t next_code_point(std::string_view bytes, size_t& at) {
  const auto [c, length] = decode(bytes.substr(at));
  at += length ? length : 1;
  return c;
}

}  // namespace onward
