// Softmax of one line: the largest is taken away first so that nothing overflows. Inside a body that is compiled for each target.
#pragma once
#include <cmath>

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

template <class T> [[gnu::always_inline]] inline T largest_of(const T* x, int64_t n) { return FoldBody<LargestFold, T>::line(x, n); }

// y[i] = e^(x[i] - top), and their sum; y may be x.
template <class T> [[gnu::always_inline]] inline T exponentials(const T* x, T* y, int64_t n, T top) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = simd::exp(x[i] - top);
  return FoldBody<TotalFold, T>::line(y, n);
}

}  // namespace onward
