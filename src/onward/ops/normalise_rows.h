// Rows brought to mean 0 (or left where they are) and variance 1. Mean and variance are summed in double.
#pragma once
#include <cmath>
#include <cstdint>

namespace onward {

struct Moments { double mean = 0, inverse = 0; };         // of one row: the mean, 1 / sqrt(variance + epsilon)

template <class T> Moments moments(const T* x, int64_t n, double epsilon, bool centred) {
  Moments m;
  if (centred) {
    for (int64_t i = 0; i < n; ++i) m.mean += double(x[i]);
    m.mean /= double(n);
  }
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) squares += (double(x[i]) - m.mean) * (double(x[i]) - m.mean);
  m.inverse = 1 / std::sqrt(squares / double(n) + epsilon);
  return m;
}

template <class T> void normalise(const T* x, T* y, int64_t n, const Moments& m) {
  for (int64_t i = 0; i < n; ++i) y[i] = T((double(x[i]) - m.mean) * m.inverse);
}

}  // namespace onward
