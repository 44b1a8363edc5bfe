// Text from parts: text("axis ", 3, " is outside rank ", 2).
#pragma once
#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace onward {
namespace detail {

inline void append(std::string& out, std::string_view s) { out += s; }
inline void append(std::string& out, const std::string& s) { out += s; }
inline void append(std::string& out, const char* s) { out += s; }
inline void append(std::string& out, char c) { out += c; }
inline void append(std::string& out, bool b) { out += b ? "true" : "false"; }
template <class T>
  requires std::integral<T> || std::floating_point<T>
void append(std::string& out, T number) {
  char digits[40];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace detail

template <class... Parts> std::string text(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

}  // namespace onward
