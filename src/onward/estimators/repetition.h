// Formulas that are repeated until they say stop: a Loop.
#pragma once
#include <functional>

#include "onward/graph/math.h"

namespace onward {

struct Repetition {
  GraphBuilder& body;
  std::vector<Expr> state;  // the present values; the formula leaves the next ones here
  Expr outer(Expr value) { return body.outer(value); }
};

// `formula` makes the next state and says, as one bool, whether to go on. Whether to begin is `go`. -> the last state
std::vector<Expr> repeated(int64_t most, std::vector<Expr> start, const std::function<Expr(Repetition&)>& formula, std::optional<Expr> go = {});

Expr total(Expr x);      // of a matrix, (1, 1)
Expr anywhere(Expr x);   // whether any item of a bool matrix is true, (1, 1)

}  // namespace onward
