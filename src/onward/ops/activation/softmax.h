// Softmax of one line: the largest is taken away first so that nothing overflows. Inside a body that is compiled for each target.
#pragma once
#include <cmath>
#include <cstring>

#include "onward/ops/reduction.h"
#include "onward/simd/math.h"

namespace onward {

struct LargestFold {
  template <class T> static T start() { return -INFINITY; }
  template <class T> static T step(T a, T b) { return a > b ? a : b; }
  template <class T> static T join(T a, T b) { return step(a, b); }
};
struct TotalFold {
  template <class T> static T start() { return 0; }
  template <class T> static T step(T a, T b) { return a + b; }
  template <class T> static T join(T a, T b) { return a + b; }
};

// Lines of fewer elements than these are folded in as many lanes as a vector has; longer ones as reductions are. The end of a line is a
// vector that reaches back over what was seen. (Unrolled, the lanes would become numbers of their own before anyone makes vectors of them.)
inline constexpr int64_t short_for_largest = 512, short_for_total = 8192;
template <class T> inline constexpr int64_t softmax_lanes = 64 / sizeof(T);

template <class T> [[gnu::always_inline]] inline T largest_of(const T* x, int64_t n) {
  constexpr int64_t lanes = softmax_lanes<T>;
  if (n < lanes || n >= short_for_largest) return FoldBody<LargestFold, T>::line(x, n);
  T top[lanes];
  std::memcpy(top, x + n - lanes, sizeof top);
  for (int64_t i = 0; i + lanes <= n; i += lanes)
#pragma GCC unroll 1
    for (int64_t k = 0; k < lanes; ++k) top[k] = LargestFold::step(top[k], x[i + k]);
  FoldBody<LargestFold, T>::template halve<lanes / 2>(top);
  return top[0];
}

// y[i] = e^(x[i] - top), and their sum; y may be x, and is not written where `stored` is false.
template <class T, bool stored = true> [[gnu::always_inline]] inline T exponentials(const T* x, T* y, int64_t n, T top) {
  constexpr int64_t lanes = softmax_lanes<T>;
  if (n < lanes || n >= short_for_total) {
    if constexpr (!stored) return FoldBody<TotalFold, T>::line(n, [=](int64_t i) __attribute__((always_inline)) { return simd::exp(x[i] - top); });
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = simd::exp(x[i] - top);
    return FoldBody<TotalFold, T>::line(y, n);
  }
  T total[lanes], last[lanes], e[lanes];
  const int64_t whole = n / lanes * lanes, seen = whole + lanes - n;
#pragma GCC unroll 1
  for (int64_t k = 0; k < lanes; ++k) last[k] = simd::exp(x[n - lanes + k] - top);
#pragma GCC unroll 1
  for (int64_t k = 0; k < lanes; ++k) total[k] = k < seen ? T(0) : last[k];
  for (int64_t i = 0; i < whole; i += lanes) {
#pragma GCC unroll 1
    for (int64_t k = 0; k < lanes; ++k) e[k] = simd::exp(x[i + k] - top);
    if constexpr (stored) std::memcpy(y + i, e, sizeof e);
#pragma GCC unroll 1
    for (int64_t k = 0; k < lanes; ++k) total[k] += e[k];
  }
  if constexpr (stored) if (whole < n) std::memcpy(y + n - lanes, last, sizeof last);
  FoldBody<TotalFold, T>::template halve<lanes / 2>(total);
  return total[0];
}

}  // namespace onward
