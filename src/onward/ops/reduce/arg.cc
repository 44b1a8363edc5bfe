// ArgMax, ArgMin: where the largest or smallest element along an axis is; of equals the first, or the last if asked. NaN is
// the largest and the smallest, as in numpy.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

template <class Standard, bool largest> struct Arg : Standard {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const auto at = size_t(axis_of(this->axis, int64_t(out.size())));
    if (out[at] == 0) invalid("axis ", this->axis, " of ", shown(out), " has no elements");
    if (this->keepdims) out[at] = 1;
    else out.erase(out.begin() + at);
    io.output(0, out);
  }

  template <class T> void run(const RunContext& context, In<T> x, Out<int64_t> y) const {
    const int64_t at = axis_of(this->axis, x.rank()), n = x.dims[size_t(at)], inner = product(x.dims, at + 1, x.rank());
    context.parallel(y.size, double(n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* lane = x.data + i / inner * n * inner + i % inner;
        y[i] = inner == 1 ? best(lane, n) : best(lane, n, inner);
      }
    });
  }

 private:
  template <class T> int64_t best(const T* lane, int64_t n, int64_t step) const {
    int64_t found = 0;
    for (int64_t k = 1; k < n; ++k) {
      const T a = lane[k * step], b = lane[found * step];
      if (beats(a, b)) found = k;
    }
    return found;
  }
  // The same of neighbours, without jumps that depend on the elements: first what is best, then where it stands.
  template <class T> int64_t best(const T* lane, int64_t n) const {
    T top = lane[0];
    bool nan = false;
    for (int64_t k = 0; k < n; ++k) {
      top = (largest ? lane[k] > top : lane[k] < top) ? lane[k] : top;
      nan |= lane[k] != lane[k];
    }
    if (nan) return best(lane, n, 1);
    int64_t found = 0;
    if (this->select_last_index) for (int64_t k = 0; k < n; ++k) found = lane[k] == top ? k : found;
    else for (int64_t k = n; k-- > 0;) found = lane[k] == top ? k : found;
    return found;
  }
  template <class T> bool beats(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) if (a != a || b != b) return a != a && (b == b || this->select_last_index);
    return (largest ? b < a : a < b) || (this->select_last_index && a == b);
  }
};
using ArgMax = Arg<standard::ArgMax, true>;
using ArgMin = Arg<standard::ArgMin, false>;

}  // namespace

Operators reduce_arg() {
  return {define<ArgMax, computed(ArgMax::T)>({.examples = {"float [[1, 3, 3]]; axis=1, keepdims=0 -> int64 [1]", "float [[1, 3, 3]]; axis=1, select_last_index=1 -> int64 [[2]]",
                                                               "float [1, nan, nan, 9] -> int64 [1]"}}),
          define<ArgMin, computed(ArgMin::T)>({.examples = {"int8 [[2], [-1], [-1]] -> int64 [[1]]"}})};
}

}  // namespace onward::ops
