// LRN: every element by the squares of its neighbours across channels. LpNormalization: by the norm along an axis, zero staying zero.
#include <cmath>
#include "onward/ops/activation/softmax.h"
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

// Lines that lie in one piece are summed in lanes; those across rows row by row, side by side.
template <class T> struct NormLine {
  [[gnu::always_inline]] static void run(const T* x, T* y, int64_t n, int64_t p) {
    using Sum = FoldBody<TotalFold, T>;
    const T norm = p == 1 ? Sum::line(n, [=](int64_t i) __attribute__((always_inline)) { return std::fabs(x[i]); })
                          : std::sqrt(Sum::line(n, [=](int64_t i) __attribute__((always_inline)) { return x[i] * x[i]; }));
    if (norm == 0) return void(std::fill_n(y, n, T(0)));
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] / norm;
  }
};
template <class T> struct NormColumns {
  [[gnu::always_inline]] static void run(const T* x, T* y, int64_t n, int64_t columns, int64_t p, T* norms) {
    std::fill_n(norms, columns, T(0));
    for (int64_t i = 0; i < n; ++i) {
#pragma GCC ivdep
      for (int64_t c = 0; c < columns; ++c) norms[c] += p == 1 ? std::fabs(x[i * columns + c]) : x[i * columns + c] * x[i * columns + c];
    }
    if (p == 2) for (int64_t c = 0; c < columns; ++c) norms[c] = std::sqrt(norms[c]);
    for (int64_t i = 0; i < n; ++i) {
#pragma GCC ivdep
      for (int64_t c = 0; c < columns; ++c) {
        const T ratio = x[i * columns + c] / norms[c];
        y[i * columns + c] = norms[c] == 0 ? T(0) : ratio;
      }
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
    std::vector<T> norms(size_t(inner == 1 ? 0 : inner));
    const int64_t block = n * inner;
    for (int64_t first = 0; first < x.size; first += block) {
      if (inner == 1) simd::run<NormLine<T>, T>(x.data + first, y.data + first, n, p);
      else simd::run<NormColumns<T>, T>(x.data + first, y.data + first, n, inner, p, norms.data());
    }
  }
};

}  // namespace

Operators nn_lrn() {
  return {define<LRN, computed(LRN::T)>({.tolerance = 1e-6, .examples = {"float [[[1], [2], [4]]]; size=2, alpha=2.0, beta=1.0, bias=0.0 -> float [[[0.2], [0.1], [0.25]]]"}}),
          define<LpNormalization, computed(LpNormalization::T)>({.tolerance = 1e-6, .examples = {"float [[3, -4], [0, 0]] -> float [[0.6, -0.8], [0, 0]]"}})};
}

}  // namespace onward::ops
