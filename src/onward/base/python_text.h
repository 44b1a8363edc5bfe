// Text as Python's str sees it: what is a letter, a space, lower case; accents taken off. Whatever the locale of the machine.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onward::python {

bool is_word(uint32_t c);     // re's \w: str.isalnum or _
bool is_decimal(uint32_t c);  // re's \d
bool is_space(uint32_t c);    // re's \s, and what str.split() splits at

// str.lower() of UTF-8, with a final sigma where one ends a word.
std::string lower(std::string_view text);
// unicodedata.normalize('NFKD', text) without its combining characters; or of it the ASCII characters alone.
std::string without_accents(std::string_view text);
std::string to_ascii(std::string_view text);

// The characters; damaged bytes are U+FFFD each.
std::vector<uint32_t> characters(std::string_view text);

}  // namespace onward::python
