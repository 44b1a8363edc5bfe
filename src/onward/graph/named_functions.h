// Functions by the names that NumPy and SciPy give them, as formulas. What they are given is numbers (double) unless they say otherwise.
#pragma once
#include "onward/graph/math.h"

namespace onward {

struct NamedFunction {
  std::string_view name;
  int arguments;
  Expr (*formula)(std::span<const Expr>);
  std::string_view module = "numpy";                      // or "scipy.special": where a reference to it points
};
std::span<const NamedFunction> named_functions();
const NamedFunction* named_function(std::string_view name);

}  // namespace onward
