#include "onward/ops/packed_rows.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstring>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t lanes = 16;

template <int64_t bits> [[gnu::always_inline]] inline float zero_of(const PackedRows& w, int64_t row, int64_t b) {
  if (w.zeros) return w.zeros[row * w.blocks + b];
  if (!w.packed_zeros) return float(1 << (bits - 1));
  return float(packed_code(w.packed_zeros + row * ((w.blocks * bits + 7) / 8), b, bits));
}

typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));

// 16 codes at a time; the rest of a block, which may end inside a byte's neighbours, one by one.
template <int64_t bits> struct UnpackRow {
  [[gnu::always_inline]] static void run(const PackedRows* rows, int64_t row, float* to) {
    const PackedRows& w = *rows;
    const uint8_t* codes = w.codes + row * w.blocks * (w.block * bits / 8);
    for (int64_t b = 0; b < w.blocks; ++b, to += w.block, codes += w.block * bits / 8) {
      const int64_t n = std::min(w.block, w.k - b * w.block);
      const float scale = w.group ? 1 : w.scales[row * w.blocks + b], zero = w.group ? 0 : zero_of<bits>(w, row, b);
      int64_t i = 0;
      for (; i + lanes <= n; i += lanes) put(codes + i * bits / 8, zero, scale, to + i);
      for (; i < n; ++i) to[i] = (float(packed_code(codes, i, bits)) - zero) * scale;
    }
    if (w.group) regroup(w, row, to - w.blocks * w.block);
  }

 private:
  // Words of 32 bits are spread over the lanes and shifted: what GCC makes vectors of on every target.
  [[gnu::always_inline]] static void nibbles(const uint8_t* codes, Floats& out) {
    int32_t word[2];
    std::memcpy(word, codes, sizeof word);
    constexpr Ints shifts = {0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28}, first = {-1, -1, -1, -1, -1, -1, -1, -1};
    out = __builtin_convertvector((((Ints{} + word[0]) & first) | ((Ints{} + word[1]) & ~first)) >> shifts & 15, Floats);
  }
  [[gnu::always_inline]] static void whole(const uint8_t* codes, Floats& out) {
    int32_t word[4];
    std::memcpy(word, codes, sizeof word);
    constexpr Ints shifts = {0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24}, a = {-1, -1, -1, -1}, b = {0, 0, 0, 0, -1, -1, -1, -1}, c = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1};
    const Ints spread = ((Ints{} + word[0]) & a) | ((Ints{} + word[1]) & b) | ((Ints{} + word[2]) & c) | ((Ints{} + word[3]) & ~(a | b | c));
    out = __builtin_convertvector(spread >> shifts & 255, Floats);
  }
  [[gnu::always_inline]] static void quarters(const uint8_t* codes, Floats& out) {
    int32_t word;
    std::memcpy(&word, codes, sizeof word);
    constexpr Ints shifts = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
    out = __builtin_convertvector((Ints{} + word) >> shifts & 3, Floats);
  }
  [[gnu::always_inline]] static void put(const uint8_t* codes, float zero, float scale, float* to) {
    Floats real;
    if constexpr (bits == 2) quarters(codes, real);
    else if constexpr (bits == 4) nibbles(codes, real);
    else whole(codes, real);
    real = (real - zero) * scale;
    std::memcpy(to, &real, sizeof real);
  }
  static void regroup(const PackedRows& w, int64_t row, float* to) {
    for (int64_t i = 0; i < w.k; ++i) to[i] = (to[i] - zero_of<bits>(w, row, w.group[i])) * w.scales[row * w.blocks + w.group[i]];
  }
};

#ifdef __x86_64__
// The 16 values that a block's codes of 4 bits can have stand in one register, and the codes choose among them.
[[ONWARD_AVX512]] void unpack_nibbles(const PackedRows* rows, int64_t row, float* to) {
  const PackedRows& w = *rows;
  const uint8_t* codes = w.codes + row * w.blocks * (w.block / 2);
  const __m512 numbers = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i halves = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1), other_halves = _mm512_add_epi32(halves, _mm512_set1_epi32(2));
  const __m512i shifts = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  for (int64_t b = 0; b < w.blocks; ++b, to += w.block, codes += w.block / 2) {
    const int64_t n = std::min(w.block, w.k - b * w.block);
    const float scale = w.scales[row * w.blocks + b], zero = zero_of<4>(w, row, b);
    const __m512 values = _mm512_mul_ps(_mm512_sub_ps(numbers, _mm512_set1_ps(zero)), _mm512_set1_ps(scale));
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const __m512i words = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + i / 2)));
      const __m512i low = _mm512_srlv_epi32(_mm512_permutexvar_epi32(halves, words), shifts), high = _mm512_srlv_epi32(_mm512_permutexvar_epi32(other_halves, words), shifts);
      _mm512_storeu_ps(to + i, _mm512_permutexvar_ps(low, values)), _mm512_storeu_ps(to + i + lanes, _mm512_permutexvar_ps(high, values));
    }
    for (; i + lanes <= n; i += lanes) {
      const __m512i words = _mm512_castsi128_si512(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + i / 2)));
      const __m512i index = _mm512_srlv_epi32(_mm512_permutexvar_epi32(halves, words), shifts);
      _mm512_storeu_ps(to + i, _mm512_permutexvar_ps(index, values));
    }
    for (; i < n; ++i) to[i] = (float(packed_code(codes, i, 4)) - zero) * scale;
  }
}
#endif

template <int64_t bits> constexpr auto unpack_row = simd::Compiled<UnpackRow<bits>, const PackedRows*, int64_t, float*>::best;

}  // namespace

void PackedRows::operator()(int64_t row, float* to) const {
#ifdef __x86_64__
  if (bits == 4 && !group && simd::best() == simd::Target::avx512) return unpack_nibbles(this, row, to);
#endif
  const auto unpack = bits == 2 ? unpack_row<2> : bits == 4 ? unpack_row<4> : unpack_row<8>;
  unpack(this, row, to);
}

}  // namespace onward
