// Sin … Atanh and Tanh: the C library's functions, element by element; Sign and Reciprocal beside them.
#include <cmath>

#include "onward/ops/elementwise.h"
#include "onward/simd/math.h"

namespace onward::ops {

Operators math_trigonometry() {
  return {
      elementwise<standard::Sin>([](auto x) { return std::sin(x); }, {.examples = {"float [0] -> float [0]"}}),
      elementwise<standard::Cos>([](auto x) { return std::cos(x); }, {.examples = {"double [0] -> double [1]"}}),
      elementwise<standard::Tan>([](auto x) { return std::tan(x); }, {.examples = {"float [0] -> float [0]"}}),
      elementwise<standard::Asin>([](auto x) { return std::asin(x); }, {.examples = {"float [0, 2] -> float [0, nan]"}}),
      elementwise<standard::Acos>([](auto x) { return std::acos(x); }, {.examples = {"float [1] -> float [0]"}}),
      elementwise<standard::Atan>([](auto x) { return std::atan(x); }, {.examples = {"float [0] -> float [0]"}}),
      elementwise<standard::Sinh>([](auto x) { return std::sinh(x); }, {.examples = {"float [0] -> float [0]"}}),
      elementwise<standard::Cosh>([](auto x) { return std::cosh(x); }, {.examples = {"float [0] -> float [1]"}}),
      elementwise<standard::Tanh>([](auto x) { return simd::tanh(x); }, {.examples = {"float [0, -inf, 100, nan] -> float [0, -1, 1, nan]"}}),
      elementwise<standard::Asinh>([](auto x) { return std::asinh(x); }, {.examples = {"float [0] -> float [0]"}}),
      elementwise<standard::Acosh>([](auto x) { return std::acosh(x); }, {.examples = {"float [1] -> float [0]"}}),
      elementwise<standard::Atanh>([](auto x) { return std::atanh(x); }, {.examples = {"float [0, 1] -> float [0, inf]"}}),
      elementwise<standard::Reciprocal>([](auto x) { return 1 / x; }, {.examples = {"float [2, 0] -> float [0.5, inf]"}}),
      elementwise<standard::Sign>([](auto x) { return decltype(x)(x > 0 ? 1 : x < 0 ? -1 : x); }, {.examples = {"float [-2, 0, nan] -> float [-1, 0, nan]", "uint8 [7] -> uint8 [1]"}}),
  };
}

}  // namespace onward::ops
