// Gelu: x times the normal distribution's cumulative probability of x, by erf or by the tanh approximation.
#include "onward/ops/elementwise.h"
#include "onward/simd/math.h"

namespace onward::ops {
namespace {

constexpr auto exact = [](auto x) {
  using T = decltype(x);
  return T(0.5) * x * (1 + simd::erf(x * T(0.70710678118654752)));
};
constexpr auto by_tanh = [](auto x) {
  using T = decltype(x);
  return T(0.5) * x * (1 + simd::tanh(T(0.79788456080286536) * (x + T(0.044715) * x * x * x)));
};

struct Gelu : standard::Gelu {
  Elementwise<standard::Gelu, decltype(exact), T.types> exactly;
  Elementwise<standard::Gelu, decltype(by_tanh), T.types> approximately;

  void prepare(const Preparation&) const {
    if (approximate != "none" && approximate != "tanh") invalid("approximate is '", approximate, "', expected none or tanh");
  }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  void run(Call& call) const { approximate == "tanh" ? approximately.run(call) : exactly.run(call); }
};

}  // namespace

Operators activation_gelu() {
  return {define<Gelu>({.in_place = true, .tolerance = 1e-6, .examples = {"float [0, 1, -100] -> float [0, 0.8413447, 0]", "double [1]; approximate=\"tanh\" -> double [0.84119199]"}})};
}

}  // namespace onward::ops
