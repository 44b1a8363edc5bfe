// The outcome of an input, for fuzz/replay: an Error's text less its numbers, or what the target says.
#pragma once
#include <string>
#include <string_view>

namespace onward::fuzz {

inline std::string last_outcome;

inline void came_to(std::string_view text) {
  last_outcome.clear();
  for (char c : text) if (c < '0' || c > '9') last_outcome += c;
}

}  // namespace onward::fuzz

extern "C" const char* onward_fuzz_outcome() { return onward::fuzz::last_outcome.c_str(); }
