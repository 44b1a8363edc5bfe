#include "onward/base/python_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "onward/base/unicode.h"

namespace onward::python {
namespace {

bool is_ascii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
utf8proc_category_t category(uint32_t c) { return utf8proc_category(int32_t(c)); }

// D136 of the Unicode standard: what stands within a word without being part of its case.
bool is_case_ignorable(uint32_t c) {
  static constexpr uint32_t within_words[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,  0x5F4,  0x2018, 0x2019,
                                              0x2024, 0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return std::binary_search(std::begin(within_words), std::end(within_words), c);
  }
}
bool is_cased(uint32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
      return true;
    default:
      return c == 0xAA || c == 0xBA || (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
             (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
  }
}

constexpr uint32_t capital_sigma = 0x3A3, small_sigma = 0x3C3, final_sigma = 0x3C2;

// A sigma ends a word if something with case stands before it and nothing with case behind it.
uint32_t lower_sigma(const std::vector<uint32_t>& text, size_t at) {
  size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return small_sigma;
  size_t behind = at + 1;
  while (behind < text.size() && is_case_ignorable(text[behind])) ++behind;
  return behind < text.size() && is_cased(text[behind]) ? small_sigma : final_sigma;
}

std::vector<uint32_t> decomposed(std::string_view text) {  // NFKD
  std::vector<int32_t> out(text.size() + 16);
  constexpr auto how = utf8proc_option_t(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto n = utf8proc_decompose(bytes, utf8proc_ssize_t(text.size()), out.data(), utf8proc_ssize_t(out.size()), how);
  if (n > utf8proc_ssize_t(out.size())) {
    out.resize(size_t(n));
    n = utf8proc_decompose(bytes, utf8proc_ssize_t(text.size()), out.data(), utf8proc_ssize_t(out.size()), how);
  }
  if (n < 0) return characters(text);  // not UTF-8: nothing to take apart
  return {out.begin(), out.begin() + n};
}

}  // namespace

bool is_word(uint32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  switch (category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

bool is_decimal(uint32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : category(c) == UTF8PROC_CATEGORY_ND; }

bool is_space(uint32_t c) {
  return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::vector<uint32_t> characters(std::string_view text) {
  std::vector<uint32_t> out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) out.push_back(next_code_point(text, at));
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (is_ascii(text)) {
    for (char c : text) out += c >= 'A' && c <= 'Z' ? char(c + 32) : c;
    return out;
  }
  const std::vector<uint32_t> all = characters(text);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i] == capital_sigma) append_utf8(out, lower_sigma(all, i));
    else if (all[i] == 0x130) out += "i\xCC\x87";  // İ: an i, and the dot as a character of its own
    else append_utf8(out, uint32_t(utf8proc_tolower(int32_t(all[i]))));
  }
  return out;
}

std::string without_accents(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  for (const uint32_t c : decomposed(text))
    if (utf8proc_get_property(int32_t(c))->combining_class == 0) append_utf8(out, c);
  return out;
}

std::string to_ascii(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  for (const uint32_t c : decomposed(text))
    if (c < 0x80) out += char(c);
  return out;
}

}  // namespace onward::python
