// The lists of rules, one file a theme.
#pragma once
#include "onward/optimizer/rules.h"

namespace onward {

std::span<const Rule> neutral_rules();   // work that changes nothing
std::span<const Rule> fusion_rules();    // several nodes that one kernel does better

}  // namespace onward
