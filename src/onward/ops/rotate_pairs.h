// Pairs of elements turned by angles, as rotary embeddings do it: neighbours where interleaved, else one of each half.
#pragma once
#include <cstdint>

namespace onward {

// 2 * half elements; `from` and `to` may be the same.
template <class T> void rotate_pairs(const T* from, T* to, const T* cos, const T* sin, int64_t half, bool interleaved) {
  for (int64_t i = 0; i < half; ++i) {
    const int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : half + i;
    const T a = from[first], b = from[second];
    to[first] = cos[i] * a - sin[i] * b;
    to[second] = sin[i] * a + cos[i] * b;
  }
}

}  // namespace onward
