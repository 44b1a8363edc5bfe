// Hardmax: 1 at the first largest element along an axis, 0 elsewhere. Before opset 13 the input was first flattened at `axis`.
#include "onward/ops/activation/flattened.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Hardmax : standard::Hardmax {
  void infer(Inference& io) const {
    axis_of(axis, int64_t(io.dims(0).size()));
    io.output(0, io.dims(0));
  }
  template <class T> void run(In<T> x, Out<T> y) const {
    const int64_t at = axis_of(axis, x.rank()), n = x.dims[size_t(at)], inner = product(x.dims, at + 1, x.rank());
    const int64_t lanes = n ? x.size / n : 0;
    std::fill(y.begin(), y.end(), T(0));
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const int64_t first = lane / inner * n * inner + lane % inner;
      int64_t best = 0;
      for (int64_t i = 1; i < n; ++i) if (x[first + i * inner] > x[first + best * inner]) best = i;
      y[first + best * inner] = T(1);
    }
  }
};

}  // namespace

Operators activation_hardmax() {
  return {define<Hardmax, computed(Hardmax::T)>({.upgrades = {flattened_before_13}, .examples = {"float [[1, 3, 3], [5, 2, 1]] -> float [[0, 1, 0], [1, 0, 0]]"}})};
}

}  // namespace onward::ops
