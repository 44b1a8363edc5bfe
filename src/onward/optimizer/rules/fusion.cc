// Several nodes that one kernel does better.
#include "onward/optimizer/rules/rules.h"

namespace onward {

static constexpr Rule list[] = {
    {"gelu", "Mul(Mul(x, 0.5), Add(Erf(Div(x, 1.4142135623730951)), 1))", "Gelu(x)"},
    {"gelu-half-last", "Mul(Mul(x, Add(Erf(Div(x, 1.4142135623730951)), 1)), 0.5)", "Gelu(x)"},
};

std::span<const Rule> fusion_rules() { return list; }

}  // namespace onward
