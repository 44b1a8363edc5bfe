// UTF-8, the only text encoding inside onward.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace onward {

void append_utf8(std::string& out, uint32_t code_point);   // surrogates and numbers beyond U+10FFFF become U+FFFD
bool is_utf8(std::string_view bytes);                       // no overlong forms, no surrogates
// The code point at `at`, which moves behind it; a damaged byte is U+FFFD and one byte long.
uint32_t next_code_point(std::string_view bytes, size_t& at);

}  // namespace onward
