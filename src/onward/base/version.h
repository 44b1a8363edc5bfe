// Which release this is: the text in the file VERSION.
#pragma once
#include <string_view>

namespace onward {
extern const std::string_view version;
}
