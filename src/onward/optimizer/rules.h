// Rewrites as text: a pattern and what it becomes, both as expressions over operators.
//
//   {"gelu", "Mul(Mul(x, 0.5), Add(Erf(Div(x, 1.4142135)), 1))", "Gelu(x)"}
//
// In a pattern a small letter starts a name that stands for any value (the same name twice: the same value), a number stands for a
// constant of that value in every element, and Operator(…; attribute=value) must carry those attributes. Operands of commutative
// operators match in any order. Values inside the pattern must have no other reader.
#pragma once
#include <span>

#include "onward/optimizer/optimizer.h"

namespace onward {

struct Rule {
  std::string_view name, from, to;
  std::string_view why = {};             // a condition or reason worth reading
};

std::span<const Rule> rules();           // all of rules/*.cc
int rewrite(Graph& graph, const OptimizeOptions& options);

}  // namespace onward
