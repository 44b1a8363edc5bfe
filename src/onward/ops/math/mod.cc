// Mod: the remainder of a floored (fmod=0, the sign of B) or truncated (fmod=1, the sign of A) division. Integers by zero give zero.
#include <cmath>
#include "onward/ops/elementwise.h"

namespace onward::ops {
namespace {

// Of floats in double, where the quotient times b is exact as long as it is small; std::fmod takes five times as long.
inline float remainder(float a, float b) {
  const double quotient = double(a) / double(b);
  if (!(std::abs(quotient) < 0x1p29 && std::abs(b) < INFINITY)) return std::fmod(a, b);
  double rest = double(a) - double(int64_t(quotient)) * double(b);
  if (rest != 0 && (rest < 0) != (a < 0)) rest += std::copysign(double(b), double(a));   // the quotient had been rounded to the next whole number
  return std::copysign(float(rest), a);
}

constexpr auto truncated = [](auto a, auto b) {
  using T = decltype(a);
  if constexpr (std::is_same_v<T, float>) return remainder(a, b);
  else if constexpr (std::is_floating_point_v<T>) return std::fmod(a, b);
  else return b == T(0) || b == T(-1) ? T(std::is_signed_v<T> || b == T(0) ? 0 : a % b) : T(a % b);   // the smallest % -1 would trap
};

constexpr auto floored = [](auto a, auto b) {
  using T = decltype(a);
  const T rest = truncated(a, b);
  if constexpr (std::is_floating_point_v<T>) if (rest == 0) return std::copysign(T(0), b);
  return rest != 0 && (rest < 0) != (b < 0) ? T(rest + b) : rest;
};

struct Mod : standard::Mod {
  Elementwise<standard::Mod, decltype(truncated), T.types> truncating;
  Elementwise<standard::Mod, decltype(floored), T.types> flooring;

  void prepare(const Preparation&) const {
    if (fmod != 0 && fmod != 1) invalid("fmod is ", fmod, ", expected 0 or 1");
  }
  void infer(Inference& io) const { io.output(0, broadcast(io)); }
  void run(Call& call) const { fmod ? truncating.run(call) : flooring.run(call); }
};

}  // namespace

Operators math_mod() {
  return {define<Mod>({.in_place = true,
                       .on_sizes = [](Symbols& s, std::span<const int64_t> x) {
                         return s.at_least(x[0], 0) && s.at_least(x[1], 0) ? s.subtract(x[0], s.multiply(x[1], s.divide(x[0], x[1]))) : s.fresh_item();
                       },
                       .examples = {"int32 [-7, 7, 7], int32 [3, -3, 0] -> int32 [2, -2, 0]", "int32 [-7, 7], int32 [3, -3]; fmod=1 -> int32 [-1, 1]",
                                    "float [-7, 1, 5], float [3, 0, -inf] -> float [2, nan, -inf]", "int8 [-128], int8 [-1] -> int8 [0]"}})};
}

}  // namespace onward::ops
