// Operators that fold the elements along some axes into one: a start, a step, how two partial folds join, a finish.
#pragma once
#include <numeric>
#include "onward/ops/operator.h"
#include "onward/ops/transpose.h"
#include "onward/simd/targets.h"

namespace onward {

// The axes of a reduction, seen as [outer, reduced, inner] after the kept axes were moved out of the way.
struct Reduced {
  Dims out;                             // the shape of the output
  Dims perm;                            // not empty: transpose like this first
  int64_t outer = 1, n = 1, inner = 1;
};
Reduced reduced(std::span<const int64_t> dims, std::span<const int64_t> axes, bool keep_dims);
Dims reduced_somewhere(Inference& io, bool keep_dims);   // along axes that are not known
// A shape vector whose items all become one.
void follow(Inference& io, int64_t (Symbols::*join)(int64_t, int64_t));

// Folds rows in a fixed number of lanes, so that every instruction set adds in the same order.
template <class Fold, class T> struct FoldBody {
  static constexpr int64_t lanes = 256 / sizeof(T), few = 4;
  [[gnu::always_inline]] static void run(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) {
    for (int64_t row = 0; row < outer; ++row, x += n * inner, y += inner) {
      if (inner == 1) { *y = Fold::template finish<T>(n <= few ? short_line(x, n) : line(x, n), n); continue; }
      std::fill_n(y, inner, Fold::template start<T>());
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < inner; ++k) y[k] = Fold::step(y[k], x[i * inner + k]);
      for (int64_t k = 0; k < inner; ++k) y[k] = Fold::template finish<T>(y[k], n);
    }
  }
  // The same of few elements: what a reduction starts with does not change what it is joined to.
  [[gnu::always_inline]] static T short_line(const T* x, int64_t n) {
    T partial[few];
    std::fill_n(partial, few, Fold::template start<T>());
    for (int64_t k = 0; k < n; ++k) partial[k] = Fold::step(partial[k], x[k]);
    halve<few / 2>(partial);
    return partial[0];
  }
  [[gnu::always_inline]] static T line(const T* x, int64_t n) {
    return line(n, [x](int64_t i) __attribute__((always_inline)) { return x[i]; });
  }
  template <class Element> [[gnu::always_inline]] static T line(int64_t n, Element element) {
    T partial[lanes];
    std::fill_n(partial, lanes, Fold::template start<T>());
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
#pragma GCC ivdep
      for (int64_t k = 0; k < lanes; ++k) partial[k] = Fold::step(partial[k], element(i + k));
#pragma GCC ivdep
    for (int64_t k = 0; k < n - i; ++k) partial[k] = Fold::step(partial[k], element(i + k));
    halve<lanes / 2>(partial);
    return partial[0];
  }
  template <int64_t width> [[gnu::always_inline]] static void halve(T* partial) {
    for (int64_t k = 0; k < width; ++k) partial[k] = Fold::join(partial[k], partial[k + width]);
    if constexpr (width > 1) halve<width / 2>(partial);
  }
};

template <class Standard, class Fold>
struct Reduction : Standard {

  void infer(Inference& io) const {
    const auto axes = io.has(1) ? io.values(1) : Dims{};
    if (!axes) return io.output(0, reduced_somewhere(io, this->keepdims));
    io.output(0, shape(io.dims(0), *axes).out);
    if constexpr (requires { Fold::of_sizes; }) follow(io, Fold::of_sizes);
  }
  template <class T> void run(const RunContext& context, In<T> x, Integers axes, Out<T> y) const {
    const Reduced r = shape(x.dims, axes);
    if (axes.empty() && this->noop_with_empty_axes) { std::copy(x.begin(), x.end(), y.data); return; }
    Tensor moved;
    const T* from = x.data;
    if (!r.perm.empty()) moved = transposed(Tensor::view(type_of<T>, x.dims, x.data), r.perm), from = moved.data<T>();
    context.parallel(r.outer, 0.3 * double(r.n * r.inner), [&](int64_t begin, int64_t end) {
      simd::run<FoldBody<Fold, T>, T>(from + begin * r.n * r.inner, y.data + begin * r.inner, end - begin, r.n, r.inner);
    });
  }

 private:
  Reduced shape(std::span<const int64_t> dims, const Dims& axes) const {
    if (axes.empty() && this->noop_with_empty_axes) return {{dims.begin(), dims.end()}, {}};
    return reduced(dims, axes, this->keepdims);
  }
};

}  // namespace onward
