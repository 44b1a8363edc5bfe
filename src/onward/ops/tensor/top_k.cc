// TopK: the k largest or smallest elements along an axis, and where they were. Equal elements keep their order; NaN is largest.
#include <numeric>
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct TopK : standard::TopK {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const auto k = io.sizes(1);
    if (k && k->size() != 1) invalid("k has ", k->size(), " elements, expected 1");
    int64_t& size = out[axis_of(axis, int64_t(out.size()))];
    const int64_t kept = k ? io.size_of((*k)[0]) : io.unknown();
    if (!is_symbol(kept) && (kept < 0 || (size >= 0 && kept > size))) invalid("k is ", kept, " but the axis has ", size, " elements");
    size = kept;
    io.output(0, out);
    io.output(1, out);
  }

  template <class T> void run(In<T> x, Integers, Out<T> values, Out<int64_t> indices) const {
    const int64_t at = axis_of(axis, x.rank()), n = x.dims[at], k = values.dims[at];
    const int64_t outer = product(x.dims, 0, at), inner = product(x.dims, at + 1, x.rank());
    std::vector<int64_t> best(n);
    for (int64_t row = 0; row < outer * inner; ++row) {
      const int64_t lane = row / inner * n * inner + row % inner;
      const auto element = [&](int64_t i) { return x[lane + i * inner]; };
      const auto before = [&](int64_t i, int64_t j) {
        const T a = element(i), b = element(j);
        if (below(a, b)) return !largest;
        if (below(b, a)) return bool(largest);
        return i < j;
      };
      std::iota(best.begin(), best.end(), 0);
      std::partial_sort(best.begin(), best.begin() + k, best.end(), before);
      for (int64_t i = 0; i < k; ++i) {
        const int64_t to = row / inner * k * inner + row % inner + i * inner;
        values[to] = element(best[i]);
        if (indices) indices[to] = best[i];
      }
    }
  }

 private:
  template <class T> static bool below(T a, T b) { return a < b || (a == a && b != b); }
};

}  // namespace

Operators tensor_top_k() {
  return {define<TopK, computed(TopK::T)>({.examples = {
      "float [1, nan, 3, 3], int64 [3] -> float [nan, 3, 3], int64 [1, 2, 3]",
      "uint64 [[3, 1, 2]], int64 [2]; largest=0 -> uint64 [[1, 2]], int64 [[1, 2]]"}})};
}

}  // namespace onward::ops
