// Work that changes nothing, bit for bit, NaN and -0 included. Not here: x + 0, which turns -0 into 0, and x * 1 or
// x / 1, whose constant may broadcast x to a larger shape.
#include "onward/optimizer/rules/rules.h"

namespace onward {

static constexpr Rule list[] = {
    {"double-not", "Not(Not(x))", "Identity(x)"},
    {"double-neg", "Neg(Neg(x))", "Identity(x)"},
    {"relu-of-relu", "Relu(Relu(x))", "Relu(x)"},
    {"abs-of-neg", "Abs(Neg(x))", "Abs(x)"},
    {"abs-of-abs", "Abs(Abs(x))", "Abs(x)"},
};

std::span<const Rule> neutral_rules() { return list; }

}  // namespace onward
