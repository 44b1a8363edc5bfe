// LRN: every element by the squares of its neighbours across channels. LpNormalization: by the norm along an axis, zero staying zero.
#include <cmath>
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct LRN : standard::LRN {
  void prepare(const Preparation&) const { if (size < 1) invalid("size is ", size, ", expected 1 or more"); }
  void infer(Inference& io) const {
    if (io.dims(0).size() < 2) invalid("expected a batch axis and a channel axis, found shape ", shown(io.dims(0)));
    io.output(0, io.dims(0));
  }
  template <class T> void run(In<T> x, Out<T> y) const {
    const int64_t channels = x.dims[1], inner = product(x.dims, 2, x.rank());
    for (int64_t i = 0; i < x.size; ++i) {
      const int64_t c = i / inner % channels, from = std::max(int64_t(0), c - (size - 1) / 2), to = std::min(channels - 1, c + size / 2);
      T squares = 0;
      for (int64_t k = from; k <= to; ++k) squares += x[i + (k - c) * inner] * x[i + (k - c) * inner];
      y[i] = x[i] / std::pow(T(bias) + T(alpha) / T(size) * squares, T(beta));
    }
  }
};

struct LpNormalization : standard::LpNormalization {
  void prepare(const Preparation&) const { if (p != 1 && p != 2) invalid("p is ", p, ", expected 1 or 2"); }
  void infer(Inference& io) const {
    axis_of(axis, int64_t(io.dims(0).size()));
    io.output(0, io.dims(0));
  }
  template <class T> void run(In<T> x, Out<T> y) const {
    const int64_t at = axis_of(axis, x.rank()), n = x.dims[size_t(at)], inner = product(x.dims, at + 1, x.rank());
    for (int64_t lane = 0; n && lane < x.size / n; ++lane) {
      const int64_t first = lane / inner * n * inner + lane % inner;
      T sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += p == 1 ? std::abs(x[first + i * inner]) : x[first + i * inner] * x[first + i * inner];
      const T norm = p == 1 ? sum : std::sqrt(sum);
      for (int64_t i = 0; i < n; ++i) y[first + i * inner] = norm == 0 ? T(0) : x[first + i * inner] / norm;
    }
  }
};

}  // namespace

Operators nn_lrn() {
  return {define<LRN, computed(LRN::T)>({.tolerance = 1e-6, .examples = {"float [[[1], [2], [4]]]; size=2, alpha=2.0, beta=1.0, bias=0.0 -> float [[[0.2], [0.1], [0.25]]]"}}),
          define<LpNormalization, computed(LpNormalization::T)>({.tolerance = 1e-6, .examples = {"float [[3, -4], [0, 0]] -> float [[0.6, -0.8], [0, 0]]"}})};
}

}  // namespace onward::ops
