// CumSum, CumProd: running sums and products along an axis, from either end, with or without the element itself.
#include "onward/ops/operator.h"
#include "onward/ops/wrapping.h"

namespace onward::ops {
namespace {

struct Plus {
  static constexpr int neutral = 0;
  template <class T> static T of(T a, T b) { return sum(a, b); }
};
struct Times {
  static constexpr int neutral = 1;
  template <class T> static T of(T a, T b) { return times(a, b); }
};

template <class Standard, class Step> struct Cumulative : Standard {
  void infer(Inference& io) const { io.output(0, io.dims(0)); }

  template <class T> void run(In<T> x, Integers axis, Out<T> y) const {
    if (axis.size() != 1) invalid("the axis has ", axis.size(), " elements, expected 1");
    const int64_t at = axis_of(axis[0], x.rank()), n = x.dims[at];
    const int64_t outer = product(x.dims, 0, at), inner = product(x.dims, at + 1, x.rank());
    const int64_t step = this->reverse ? -inner : inner, first = this->reverse && n > 0 ? (n - 1) * inner : 0;
    for (int64_t row = 0; row < outer && y.size; ++row) {
      const T* from = x.data + row * n * inner + first;
      T* to = y.data + row * n * inner + first;
      for (int64_t k = 0; k < inner; ++k) to[k] = this->exclusive ? T(Step::neutral) : from[k];
      for (int64_t i = 1; i < n; ++i, from += step, to += step)
        for (int64_t k = 0; k < inner; ++k) to[step + k] = Step::of(to[k], from[this->exclusive ? k : step + k]);
    }
  }
};
using CumSum = Cumulative<standard::CumSum, Plus>;
using CumProd = Cumulative<standard::CumProd, Times>;

}  // namespace

Operators math_cumulative() {
  return {define<CumSum, computed(CumSum::T)>({.examples = {"float [1, 2, 3], int64 0 -> float [1, 3, 6]", "int32 [[1, 2, 3]], int32 -1; exclusive=1, reverse=1 -> int32 [[5, 3, 0]]"}}),
          define<CumProd, computed(CumProd::T)>({.examples = {"int64 [2, 3, 4], int64 0; exclusive=1 -> int64 [1, 2, 6]"}})};
}

}  // namespace onward::ops
