// Words that say little about a text, with a space between them.
#pragma once
#include <string_view>

namespace onward {

std::string_view english_stop_words();

}  // namespace onward
