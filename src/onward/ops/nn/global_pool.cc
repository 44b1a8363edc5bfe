// GlobalAveragePool, GlobalMaxPool, GlobalLpPool: one value for every channel of every batch entry.
#include <cmath>
#include <limits>
#include "onward/ops/reduction.h"

namespace onward::ops {
namespace {

struct Total {
  template <class T> static T start() { return 0; }
  template <class T> static T step(T a, T b) { return a + b; }
  template <class T> static T join(T a, T b) { return a + b; }
};
struct Largest {
  template <class T> static T start() { return -std::numeric_limits<T>::infinity(); }
  template <class T> static T step(T a, T b) { return a > b || a != a ? a : b; }
  template <class T> static T join(T a, T b) { return step(a, b); }
};

template <class Standard> struct Global : Standard {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    if (out.size() < 3) invalid("expected spatial axes, found shape ", shown(out));
    std::fill(out.begin() + 2, out.end(), 1);
    io.output(0, out);
  }
  // of(image, its size) for every channel.
  template <class T, class F> static void each(In<T> x, Out<T> y, F&& of) {
    const int64_t n = product(x.dims, 2, x.rank());
    for (int64_t i = 0; i < y.size; ++i) y[i] = of(x.data + i * n, n);
  }
};

struct Average : Global<standard::GlobalAveragePool> {
  template <class T> void run(In<T> x, Out<T> y) const {
    each(x, y, [](const T* image, int64_t n) { return FoldBody<Total, T>::line(image, n) / T(n); });
  }
};
struct Max : Global<standard::GlobalMaxPool> {
  template <class T> void run(In<T> x, Out<T> y) const {
    each(x, y, [](const T* image, int64_t n) { return FoldBody<Largest, T>::line(image, n); });
  }
};
struct Lp : Global<standard::GlobalLpPool> {
  template <class T> void run(In<T> x, Out<T> y) const {
    each(x, y, [&](const T* image, int64_t n) {
      const T sum = FoldBody<Total, T>::line(n, [&](int64_t i) { return p == 1 ? std::abs(image[i]) : p == 2 ? image[i] * image[i] : T(std::pow(std::abs(image[i]), double(p))); });
      return p == 1 ? sum : p == 2 ? std::sqrt(sum) : T(std::pow(sum, 1.0 / double(p)));
    });
  }
};

}  // namespace

Operators nn_global_pool() {
  return {define<Average, computed(Average::T)>({.tolerance = 1e-6, .examples = {"float [[[1, 2, 6]]] -> float [[[3]]]"}}),
          define<Max, computed(Max::T)>({.examples = {"float [[[[1, 7], [3, 2]]]] -> float [[[[7]]]]"}}),
          define<Lp, computed(Lp::T)>({.tolerance = 1e-6, .examples = {"float [[[3, -4]]] -> float [[[5]]]"}})};
}

}  // namespace onward::ops
