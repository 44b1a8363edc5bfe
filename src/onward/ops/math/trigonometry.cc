// Sin … Atanh and Tanh, element by element; Sign and Reciprocal beside them.
#include <cmath>

#include "onward/ops/elementwise.h"
#include "onward/simd/math.h"
#include "onward/simd/real_math.h"

namespace onward::ops {

// The sine of an angle and `quarter` quarter turns. Blocks with a far angle are left to the C library.
template <int quarter> struct SineBody {
  static void run(const void*, const void* const* in, void* out, int64_t n) {
    const auto* x = static_cast<const float*>(in[0]);
    auto* y = static_cast<float*>(out);
    constexpr int64_t block = 256;
    for (int64_t start = 0; start < n; start += block) {
      const int64_t end = std::min(n, start + block);
      int far = 0;
      for (int64_t i = start; i < end; ++i) far |= !(std::fabs(x[i]) <= simd::near_angle);
      if (far) {
        for (int64_t i = start; i < end; ++i) y[i] = std::fabs(x[i]) <= simd::near_angle ? simd::near_sine<quarter>(x[i]) : quarter ? std::cos(x[i]) : std::sin(x[i]);
        continue;
      }
#pragma GCC ivdep
      for (int64_t i = start; i < end; ++i) y[i] = simd::near_sine<quarter>(x[i]);
    }
  }
};
constexpr auto library_sine = [](auto x) { return std::sin(x); };
constexpr auto library_cosine = [](auto x) { return std::cos(x); };

template <class Standard, int quarter> struct Sine : Standard {
  using Double = LoopBody<Standard, std::conditional_t<quarter == 0, decltype(library_sine), decltype(library_cosine)>, double>;
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  void run(Call& call) const {
    static constexpr Loop loops[] = {
        {DataType::f32, DataType::f32, simd::run<SineBody<quarter>, float, const void*, const void* const*, void*, int64_t>},
        {DataType::f64, DataType::f64, simd::run<Double, double, const void*, const void* const*, void*, int64_t>}};
    map(call, static_cast<const Standard*>(this), 1, loops);
  }
};

Operators math_trigonometry() {
  return {
      define<Sine<standard::Sin, 0>>({.in_place = true, .examples = {"float [0, 1e9, inf] -> float [0, 0.54584345, nan]"}}),
      define<Sine<standard::Cos, 1>>({.in_place = true, .examples = {"double [0] -> double [1]", "float [-1e9, nan] -> float [0.83788718, nan]"}}),
      elementwise<standard::Tan>([](auto x) { return std::tan(x); }, {.examples = {"float [0] -> float [0]"}}),
      elementwise<standard::Asin>([](auto x) { return simd::asin(x); }, {.examples = {"float [0, 2] -> float [0, nan]"}}),
      elementwise<standard::Acos>([](auto x) { return simd::acos(x); }, {.examples = {"float [1] -> float [0]"}}),
      elementwise<standard::Atan>([](auto x) { return simd::atan(x); }, {.examples = {"float [0] -> float [0]"}}),
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
