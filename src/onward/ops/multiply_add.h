// acc + a * b of vectors, or of a number and a vector: the step of every product of floats and doubles.
#pragma once
#include <type_traits>
#include <utility>
#ifdef __aarch64__
#include <arm_neon.h>
#endif

#include "onward/simd/targets.h"       // the compiler knows the instructions only behind a function that is compiled for them

namespace onward {

// Fused where the target can. GCC is told which instruction: it finds the vector in a loop over lanes only sometimes.
template <bool fused, class T, class V> [[gnu::always_inline]] inline void multiply_add_vectors(V& acc, const V& a, const V& b) {
  if constexpr (!fused) {
    acc = acc + a * b;
#if defined(__x86_64__) && !defined(__clang__)
  } else if constexpr (sizeof(V) == 64 && std::is_same_v<T, double>) {
    acc = __builtin_ia32_vfmaddpd512_mask(a, b, acc, -1, 4);
  } else if constexpr (sizeof(V) == 64) {
    acc = __builtin_ia32_vfmaddps512_mask(a, b, acc, -1, 4);
  } else if constexpr (std::is_same_v<T, double>) {
    acc = __builtin_ia32_vfmaddpd256(a, b, acc);
  } else {
    acc = __builtin_ia32_vfmaddps256(a, b, acc);
#else
#ifdef __aarch64__
  } else if constexpr (sizeof(V) == 16 && std::is_same_v<T, double>) {
    acc = vfmaq_f64(acc, a, b);
  } else if constexpr (sizeof(V) == 16) {
    acc = vfmaq_f32(acc, a, b);
#endif
  } else {
    for (int lane = 0; lane < int(sizeof(V) / sizeof(T)); ++lane)
      acc[lane] = std::is_same_v<T, float> ? T(__builtin_fmaf(float(a[lane]), float(b[lane]), float(acc[lane]))) : T(__builtin_fma(double(a[lane]), double(b[lane]), double(acc[lane])));
#endif
  }
}

template <bool fused, class V, class T, int... lane> [[gnu::always_inline]] inline void multiply_add_number(V& acc, T a, const V& b, std::integer_sequence<int, lane...>) {
  if constexpr (!fused) acc = acc + a * b;
  else multiply_add_vectors<true, T>(acc, V{(void(lane), a)...}, b);
}
template <bool fused, class V, class T> [[gnu::always_inline]] inline void multiply_add(V& acc, T a, const V& b) {
  multiply_add_number<fused>(acc, a, b, std::make_integer_sequence<int, int(sizeof(V) / sizeof(T))>());
}

}  // namespace onward
