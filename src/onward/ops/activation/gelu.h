// The two formulas of Gelu: by the normal distribution's cumulative probability, and the approximation by tanh.
#pragma once
#include "onward/simd/math.h"

namespace onward {

inline constexpr auto gelu_exact = [](auto x) {
  using T = decltype(x);
  return T(0.5) * x * (1 + simd::erf(x * T(0.70710678118654752)));
};
inline constexpr auto gelu_by_tanh = [](auto x) {
  using T = decltype(x);
  return T(0.5) * x * (1 + simd::tanh(T(0.79788456080286536) * (x + T(0.044715) * x * x * x)));
};

}  // namespace onward
