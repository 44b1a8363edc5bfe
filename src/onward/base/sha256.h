// SHA-256 (FIPS 180-4): which file a model was made from.
#pragma once
#include <string>
#include <string_view>

namespace onward {
std::string sha256(std::string_view bytes, bool plain = false);  // 64 hexadecimal digits; plain: without the processor's own instructions
}
