// numpy.sum of numbers that lie side by side, to the last bit: what a library learned in float32 it also adds in float32.
#pragma once
#include <array>
#include <cstddef>
#include <span>

namespace onward {

// Halves of halves, and in what is left of them eight sums side by side.
template <class T> T numpy_sum(std::span<const T> v) {
  const size_t n = v.size();
  if (n > 128) {
    const size_t half = n / 2 - n / 2 % 8;
    return numpy_sum(v.first(half)) + numpy_sum(v.subspan(half));
  }
  T total = 0;
  size_t i = 0;
  if (n >= 8) {
    std::array<T, 8> s{};
    for (; i + 8 <= n; i += 8)
      for (size_t k = 0; k < 8; ++k) s[k] += v[i + k];
    total = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  }
  for (; i < n; ++i) total += v[i];
  return total;
}

}  // namespace onward
