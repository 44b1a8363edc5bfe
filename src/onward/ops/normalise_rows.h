// Rows brought to mean 0 (or left where they are) and variance 1. Mean and variance are summed in double.
#pragma once
#include <cmath>

#include "onward/ops/activation/softmax.h"

namespace onward {

struct Moments { double mean = 0, inverse = 0; };         // of one row: the mean, 1 / sqrt(variance + epsilon)

// Sums run in a fixed number of lanes, so that every instruction set adds in the same order.
template <class T> struct MomentsBody {
  [[gnu::always_inline]] static void run(const T* x, int64_t n, double epsilon, bool centred, Moments* to) {
    using Sum = FoldBody<TotalFold, double>;
    const double mean = centred ? Sum::line(n, [=](int64_t i) __attribute__((always_inline)) { return double(x[i]); }) / double(n) : 0;
    const double squares = Sum::line(n, [=](int64_t i) __attribute__((always_inline)) { return (double(x[i]) - mean) * (double(x[i]) - mean); });
    *to = {mean, 1 / std::sqrt(squares / double(n) + epsilon)};
  }
};
template <class T> Moments moments(const T* x, int64_t n, double epsilon, bool centred) {
  Moments m;
  simd::run<MomentsBody<T>, T>(x, n, epsilon, centred, &m);
  return m;
}

// (x - mean) * inverse, then scaled and shifted by element where there is anything to scale and shift by; y may be x.
template <class T> struct NormaliseBody {
  [[gnu::always_inline]] static void run(const T* x, T* y, int64_t n, const Moments* m, const T* scale, const T* shift) {
    const double mean = m->mean, inverse = m->inverse;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = T((double(x[i]) - mean) * inverse);
    if (scale && shift) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) y[i] = y[i] * scale[i] + shift[i];
    } else if (scale) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) y[i] *= scale[i];
    }
  }
};
template <class T> void normalise(const T* x, T* y, int64_t n, const Moments& m, const T* scale = nullptr, const T* shift = nullptr) {
  simd::run<NormaliseBody<T>, T>(x, y, n, &m, scale, shift);
}

// The same scaled and shifted as a whole.
template <class T> struct NormaliseWhole {
  [[gnu::always_inline]] static void run(const T* x, T* y, int64_t n, const Moments* m, T scale, T shift) {
    const double mean = m->mean, inverse = m->inverse;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = T((double(x[i]) - mean) * inverse) * scale + shift;
  }
};

}  // namespace onward
