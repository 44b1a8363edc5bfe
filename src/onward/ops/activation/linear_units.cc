// Activations that are linear on one side: Elu, Celu, Selu, ThresholdedRelu; HardSigmoid, Shrink and Softsign beside them. The
// standard's meaning in simpler operators is the oracle of the test.
#include "onward/ops/elementwise.h"
#include "onward/simd/math.h"

namespace onward::ops {

constexpr auto exponential_unit = [](auto x) { return x < 0 ? simd::exp(x) - 1 : x; };

Operators activation_linear_units() {
  return {
      elementwise<standard::Elu>([](const standard::Elu& op, auto x) { return x < 0 ? decltype(x)(op.alpha) * (simd::exp(x) - 1) : x; }, {
          .tolerance = 2e-7, .examples = {"float [-1, 2, nan]; alpha=2.0 -> float [-1.2642411, 2, nan]"}}),
      elementwise<standard::Celu>([](const standard::Celu& op, auto x) { return decltype(x)(op.alpha) * exponential_unit(x / decltype(x)(op.alpha)); }, {
          .tolerance = 2e-7, .examples = {"float [-2, 2]; alpha=2.0 -> float [-1.2642411, 2]"}}),
      elementwise<standard::Selu>([](const standard::Selu& op, auto x) {
        const auto alpha = decltype(x)(op.alpha);
        return decltype(x)(op.gamma) * (x < 0 ? alpha * simd::exp(x) - alpha : x);
      }, {.tolerance = 3e-7, .examples = {"float [-1, 2]; alpha=2.0, gamma=3.0 -> float [-3.7927234, 6]"}}),
      elementwise<standard::ThresholdedRelu>([](const standard::ThresholdedRelu& op, auto x) { return x > decltype(x)(op.alpha) ? x : 0; }, {
          .examples = {"float [1, 1.5, nan] -> float [0, 1.5, 0]"}}),
      elementwise<standard::HardSigmoid>([](const standard::HardSigmoid& op, auto x) {
        const auto y = decltype(x)(op.alpha) * x + decltype(x)(op.beta);
        return y < 0 ? 0 : y > 1 ? 1 : y;
      }, {.tolerance = 1e-7, .examples = {"float [-9, 1, 9, nan]; alpha=0.5, beta=0.25 -> float [0, 0.75, 1, nan]"}}),
      elementwise<standard::Shrink>([](const standard::Shrink& op, auto x) {
        using T = decltype(x);
        const T edge = T(op.lambd), bias = T(op.bias);
        return T(x < T(-edge) ? T(x + bias) : x > edge ? T(x - bias) : T(0));
      }, {.examples = {"float [-2, 0.25, 2]; bias=0.5 -> float [-1.5, 0, 1.5]", "int32 [-3, 1, 3]; lambd=1.0, bias=1.0 -> int32 [-2, 0, 2]"}}),
      elementwise<standard::Softsign>([](auto x) { return x / (1 + (x < 0 ? -x : x)); }, {.examples = {"float [-1, 3] -> float [-0.5, 0.75]"}}),
  };
}

}  // namespace onward::ops
