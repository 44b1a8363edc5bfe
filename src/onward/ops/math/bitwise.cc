// BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, BitShift. A shift by a negative amount or by all bits leaves the sign alone.
#include "onward/ops/elementwise.h"

namespace onward::ops {
namespace {

template <class T> constexpr bool out_of_range(T amount) { return std::make_unsigned_t<T>(amount) >= sizeof(T) * 8; }
constexpr auto left = [](auto x, auto amount) {
  using T = decltype(x);
  return out_of_range(amount) ? T(0) : T(std::make_unsigned_t<T>(x) << amount);
};
constexpr auto right = [](auto x, auto amount) {
  using T = decltype(x);
  return out_of_range(amount) ? T(x < 0 ? -1 : 0) : T(x >> amount);
};

struct BitShift : standard::BitShift {
  Elementwise<standard::BitShift, decltype(left), T.types> to_left;
  Elementwise<standard::BitShift, decltype(right), T.types> to_right;

  void prepare(const Preparation&) const {
    if (direction != "LEFT" && direction != "RIGHT") invalid("direction is '", direction, "', expected LEFT or RIGHT");
  }
  void infer(Inference& io) const { io.output(0, broadcast(io)); }
  void run(Call& call) const { direction == "LEFT" ? to_left.run(call) : to_right.run(call); }
};

}  // namespace

Operators math_bitwise() {
  return {
      elementwise<standard::BitwiseAnd>([](auto a, auto b) { return decltype(a)(a & b); }, {.examples = {"uint8 [12], uint8 [10] -> uint8 [8]"}}),
      elementwise<standard::BitwiseOr>([](auto a, auto b) { return decltype(a)(a | b); }, {.examples = {"int16 [12, -1], int16 [10] -> int16 [14, -1]"}}),
      elementwise<standard::BitwiseXor>([](auto a, auto b) { return decltype(a)(a ^ b); }, {.examples = {"int64 [12], int64 [10] -> int64 [6]"}}),
      elementwise<standard::BitwiseNot>([](auto x) { return decltype(x)(~x); }, {.examples = {"uint8 [1] -> uint8 [254]", "int32 [0] -> int32 [-1]"}}),
      define<BitShift>({.in_place = true, .examples = {"uint8 [16, 4, 1], uint8 [1, 2, 9]; direction=\"RIGHT\" -> uint8 [8, 1, 0]",
                                                       "int8 [-4, 64], int8 [9, 1]; direction=\"RIGHT\" -> int8 [-1, 32]", "uint8 [129], uint8 [1]; direction=\"LEFT\" -> uint8 [2]"}}),
  };
}

}  // namespace onward::ops
