#include "onward/ops/forest_mask_kernels.h"

#ifdef __x86_64__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"   // GCC 12 of its own intrinsics
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstring>

#include "onward/simd/targets.h"

namespace onward {
namespace {

// A row that goes to the second child of a node passes the leaves of the first. Masks of a byte for each row.
template <class V, int rows> [[gnu::always_inline]] inline void leaf_numbers(const ReachNode* nodes, int lowest, int count, bool symmetric, const uint8_t* codes, uint8_t* out) {
  constexpr int parts = rows / int(sizeof(V));
  V passed[parts] = {};
  V reach[(2 * most_reach_leaves - 1) * parts];
  for (int i = 0; i < parts; ++i) reach[i] = ~V{};
  const auto each = [&](int first, int last, auto&& step) __attribute__((always_inline)) {
    for (int j = first; j < last; ++j) {
      const V code = V{} + nodes[j].code, leaves = V{} + nodes[j].leaves;
      const V* column = reinterpret_cast<const V*>(codes + size_t(nodes[j].plane) * rows);
#pragma GCC unroll 4
      for (int i = 0; i < parts; ++i) step(j, i, V(column[i] <= code), leaves);
    }
  };
  if (symmetric) {
    each(0, count, [&](int, int i, V pass, V leaves) __attribute__((always_inline)) { passed[i] += ~pass & leaves; });
  } else {
    V* children = reach + parts;
    each(0, lowest, [&](int j, int i, V pass, V leaves) __attribute__((always_inline)) {
      const V here = reach[nodes[j].slot * parts + i], second = here & ~pass;
      children[2 * j * parts + i] = here & pass, children[(2 * j + 1) * parts + i] = second;
      passed[i] += second & leaves;
    });
    each(lowest, count, [&](int j, int i, V pass, V leaves) __attribute__((always_inline)) { passed[i] += reach[nodes[j].slot * parts + i] & ~pass & leaves; });
  }
  std::memcpy(out, passed, rows);
}

using Bytes16 [[gnu::vector_size(16)]] = uint8_t;
using Bytes32 [[gnu::vector_size(32)]] = uint8_t;

template <int rows> [[gnu::flatten]] void leaf_numbers_baseline(const ReachNode* n, int lowest, int count, bool symmetric, const uint8_t* c, uint8_t* o) {
  leaf_numbers<Bytes16, rows>(n, lowest, count, symmetric, c, o);
}

template <int rows, class T> void add_leaves(const uint8_t* leaf, const T* values, int, T* scores) {
  for (int r = 0; r < rows; ++r) scores[r] += values[leaf[r]];
}

void set_plane_baseline(const uint8_t* category, const uint8_t* set, uint8_t* out) {
  for (int r = 0; r < 64; ++r) out[r] = uint8_t((set[category[r] >> 3] >> (category[r] & 7) & 1) - 1);
}

template <int rows> constexpr ReachKernels baseline{rows, leaf_numbers_baseline<rows>, add_leaves<rows, float>, add_leaves<rows, double>};

#ifdef __x86_64__

template <int rows> [[gnu::flatten, ONWARD_AVX2]] void leaf_numbers_avx2(const ReachNode* n, int lowest, int count, bool symmetric, const uint8_t* c, uint8_t* o) {
  leaf_numbers<Bytes32, rows>(n, lowest, count, symmetric, c, o);
}

// The same with masks of one bit for a row.
template <int rows> [[ONWARD_AVX512]] void leaf_numbers_avx512(const ReachNode* nodes, int, int count, bool symmetric, const uint8_t* codes, uint8_t* out) {
  constexpr int parts = rows / 64;
  __m512i passed[parts];
  uint64_t reach[(2 * most_reach_leaves - 1) * parts];
  for (int i = 0; i < parts; ++i) reach[i] = ~uint64_t{0}, passed[i] = _mm512_setzero_si512();
  uint64_t* children = reach + parts;
  for (int j = 0; symmetric && j < count; ++j) {
    const __m512i code = _mm512_set1_epi8(char(nodes[j].code)), leaves = _mm512_set1_epi8(char(nodes[j].leaves));
    const uint8_t* column = codes + size_t(nodes[j].plane) * rows;
#pragma GCC unroll 4
    for (int i = 0; i < parts; ++i) passed[i] = _mm512_mask_add_epi8(passed[i], _mm512_cmpgt_epu8_mask(_mm512_load_si512(column + 64 * i), code), passed[i], leaves);
  }
  for (int j = 0; !symmetric && j < count; ++j, children += 2 * parts) {
    const __m512i code = _mm512_set1_epi8(char(nodes[j].code)), leaves = _mm512_set1_epi8(char(nodes[j].leaves));
    const uint8_t* column = codes + size_t(nodes[j].plane) * rows;
    const uint64_t* here = reach + nodes[j].slot * parts;
#pragma GCC unroll 4
    for (int i = 0; i < parts; ++i) {
      const uint64_t above = _mm512_cmpgt_epu8_mask(_mm512_load_si512(column + 64 * i), code), second = here[i] & above;
      children[i] = here[i] & ~above, children[parts + i] = second;
      passed[i] = _mm512_mask_add_epi8(passed[i], second, passed[i], leaves);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < parts; ++i) _mm512_store_si512(out + 64 * i, passed[i]);
}

// The values of 16 leaves as planes of their bytes: [bytes][16].
[[ONWARD_AVX2, gnu::always_inline]] inline void to_byte_planes(const float* values, __m128i* planes) {
  const __m128i by_byte = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m128i v[4];
  for (int i = 0; i < 4; ++i) v[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values + 4 * i)), by_byte);
  const __m128i a = _mm_unpacklo_epi32(v[0], v[1]), b = _mm_unpackhi_epi32(v[0], v[1]), c = _mm_unpacklo_epi32(v[2], v[3]), d = _mm_unpackhi_epi32(v[2], v[3]);
  planes[0] = _mm_unpacklo_epi64(a, c), planes[1] = _mm_unpackhi_epi64(a, c), planes[2] = _mm_unpacklo_epi64(b, d), planes[3] = _mm_unpackhi_epi64(b, d);
}
[[ONWARD_AVX2, gnu::always_inline]] inline void to_byte_planes(const double* values, __m128i* planes) {
  const __m128i by_byte = _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  __m128i v[8], w[8];
  for (int i = 0; i < 8; ++i) v[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values + 2 * i)), by_byte);
  for (int i = 0; i < 4; ++i) w[2 * i] = _mm_unpacklo_epi16(v[2 * i], v[2 * i + 1]), w[2 * i + 1] = _mm_unpackhi_epi16(v[2 * i], v[2 * i + 1]);
  for (int half = 0; half < 2; ++half) {
    const __m128i a = _mm_unpacklo_epi32(w[half], w[2 + half]), b = _mm_unpackhi_epi32(w[half], w[2 + half]);
    const __m128i c = _mm_unpacklo_epi32(w[4 + half], w[6 + half]), d = _mm_unpackhi_epi32(w[4 + half], w[6 + half]);
    __m128i* to = planes + 4 * half;
    to[0] = _mm_unpacklo_epi64(a, c), to[1] = _mm_unpackhi_epi64(a, c), to[2] = _mm_unpacklo_epi64(b, d), to[3] = _mm_unpackhi_epi64(b, d);
  }
}

// Numbers of leaves dealt so that the bytes of 32 rows, interleaved in each half of a register, come in the rows' order.
template <class T> [[ONWARD_AVX2, gnu::always_inline]] inline __m256i dealt(__m256i leaf) {
  if constexpr (sizeof(T) == 4) return _mm256_permutevar8x32_epi32(leaf, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
  const __m256i pairs = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
  return _mm256_permute4x64_epi64(_mm256_shuffle_epi8(leaf, pairs), 0xd8);
}

// Each byte of the values is looked up by shuffles, of 32 rows at a time. blocks: of 16 leaves.
template <int rows, int blocks, class T> [[ONWARD_AVX2]] void add_looked_up(const uint8_t* leaf, const T* values, T* scores) {
  constexpr int bytes = int(sizeof(T));
  __m128i planes[blocks * bytes];
  for (int b = 0; b < blocks; ++b) to_byte_planes(values + 16 * b, planes + b * bytes);
  const auto table = [&](int block, int byte) __attribute__((always_inline, target("avx2"))) { return _mm256_broadcastsi128_si256(planes[block * bytes + byte]); };
  for (int r = 0; r < rows; r += 32) {
    const __m256i at = dealt<T>(_mm256_load_si256(reinterpret_cast<const __m256i*>(leaf + r)));
    const __m256i odd = _mm256_slli_epi16(at, 3), upper = _mm256_slli_epi16(at, 2);   // the bits that choose a block, as signs
    __m256i v[bytes], w[bytes];
#pragma GCC unroll 8
    for (int b = 0; b < bytes; ++b) {
      v[b] = _mm256_shuffle_epi8(table(0, b), at);
      if constexpr (blocks > 1) v[b] = _mm256_blendv_epi8(v[b], _mm256_shuffle_epi8(table(1, b), at), odd);
      if constexpr (blocks > 2) {
        const __m256i rest = _mm256_blendv_epi8(_mm256_shuffle_epi8(table(2, b), at), _mm256_shuffle_epi8(table(3, b), at), odd);
        v[b] = _mm256_blendv_epi8(v[b], rest, upper);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < bytes / 2; ++i) w[i] = _mm256_unpacklo_epi8(v[2 * i], v[2 * i + 1]), w[bytes / 2 + i] = _mm256_unpackhi_epi8(v[2 * i], v[2 * i + 1]);
#pragma GCC unroll 4
    for (int i = 0; i < bytes / 2; ++i) v[2 * i] = _mm256_unpacklo_epi16(w[2 * i], w[2 * i + 1]), v[2 * i + 1] = _mm256_unpackhi_epi16(w[2 * i], w[2 * i + 1]);
    if constexpr (bytes == 4) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) _mm256_storeu_ps(scores + r + 8 * i, _mm256_add_ps(_mm256_loadu_ps(scores + r + 8 * i), _mm256_castsi256_ps(v[i])));
    } else {
      // v: of rows 0 to 3 of each half the lower four bytes, of rows 4 to 7; then their upper four; then rows 8 to 15 alike.
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const int low = i / 2 * 4 + i % 2;
        const __m256d a = _mm256_castsi256_pd(_mm256_unpacklo_epi32(v[low], v[low + 2])), b = _mm256_castsi256_pd(_mm256_unpackhi_epi32(v[low], v[low + 2]));
        double* to = scores + r + 8 * i;
        _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), a)), _mm256_storeu_pd(to + 4, _mm256_add_pd(_mm256_loadu_pd(to + 4), b));
      }
    }
  }
}
template <int rows, class T> void add_leaves_avx2(const uint8_t* leaf, const T* values, int leaves, T* scores) {
  if (leaves <= 16) add_looked_up<rows, 1>(leaf, values, scores);
  else if (leaves <= 32) add_looked_up<rows, 2>(leaf, values, scores);
  else if (leaves <= 64) add_looked_up<rows, 4>(leaf, values, scores);
  else add_leaves<rows>(leaf, values, leaves, scores);
}

// Up to 64 leaves stand in registers. Doubles: in two halves, so that one lookup serves sixteen rows.
template <int rows> [[ONWARD_AVX512]] void add_leaves_avx512(const uint8_t* leaf, const float* values, int leaves, float* scores) {
  if (leaves > 64) return add_leaves<rows>(leaf, values, leaves, scores);
  const auto lanes = [&](int32_t first) __attribute__((target("avx512f"))) { return __mmask16(leaves - first >= 16 ? 0xffff : leaves <= first ? 0 : (1 << (leaves - first)) - 1); };
  const __m512 a = _mm512_maskz_loadu_ps(lanes(0), values), b = _mm512_maskz_loadu_ps(lanes(16), values + 16);
  const bool many = leaves > 32;
  const __m512 c = _mm512_maskz_loadu_ps(lanes(32), values + 32), d = _mm512_maskz_loadu_ps(lanes(48), values + 48);
  for (int r = 0; r < rows; r += 16) {
    const __m512i at = _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(leaf + r)));
    __m512 v = _mm512_permutex2var_ps(a, at, b);
    if (many) v = _mm512_mask_blend_ps(_mm512_test_epi32_mask(at, _mm512_set1_epi32(32)), v, _mm512_permutex2var_ps(c, at, d));
    _mm512_storeu_ps(scores + r, _mm512_add_ps(_mm512_loadu_ps(scores + r), v));
  }
}

template <int rows> [[ONWARD_AVX512]] void add_leaves_avx512(const uint8_t* leaf, const double* values, int leaves, double* scores) {
  if (leaves > 64) return add_leaves<rows>(leaf, values, leaves, scores);
  const bool many = leaves > 16, more = leaves > 32;
  const auto load = [&](int32_t first) __attribute__((target("avx512f"))) {
    return _mm512_maskz_loadu_pd(__mmask8(leaves - first >= 8 ? 0xff : leaves <= first ? 0 : (1 << (leaves - first)) - 1), values + first);
  };
  __m512d table[8];
  for (int i = 0; i < 8; ++i) table[i] = load(8 * i);
  for (int r = 0; r < rows; r += 8) {
    const __m512i at = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(leaf + r)));
    const __mmask8 odd = _mm512_test_epi64_mask(at, _mm512_set1_epi64(16));
    __m512d v = _mm512_permutex2var_pd(table[0], at, table[1]);
    if (many) v = _mm512_mask_blend_pd(odd, v, _mm512_permutex2var_pd(table[2], at, table[3]));
    if (more) {
      const __m512d w = _mm512_mask_blend_pd(odd, _mm512_permutex2var_pd(table[4], at, table[5]), _mm512_permutex2var_pd(table[6], at, table[7]));
      v = _mm512_mask_blend_pd(_mm512_test_epi64_mask(at, _mm512_set1_epi64(32)), v, w);
    }
    _mm512_storeu_pd(scores + r, _mm512_add_pd(_mm512_loadu_pd(scores + r), v));
  }
}

// A byte's place in the set is looked up by permutation, sixteen bytes at a time: numbers with their high bit set give zero.
[[ONWARD_AVX2]] void set_plane_avx2(const uint8_t* category, const uint8_t* set, uint8_t* out) {
  const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set)));
  const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set + 16)));
  const __m256i bits = _mm256_set1_epi64x(int64_t(0x8040201008040201));
  for (int r = 0; r < 64; r += 32) {
    const __m256i c = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(category + r));
    const __m256i byte = _mm256_and_si256(_mm256_srli_epi16(c, 3), _mm256_set1_epi8(31)), bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(c, _mm256_set1_epi8(7)));
    const __m256i own = _mm256_or_si256(_mm256_shuffle_epi8(low, _mm256_add_epi8(byte, _mm256_set1_epi8(112))), _mm256_shuffle_epi8(high, _mm256_sub_epi8(byte, _mm256_set1_epi8(16))));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r), _mm256_cmpeq_epi8(_mm256_and_si256(own, bit), _mm256_setzero_si256()));
  }
}
[[ONWARD_AVX512]] void set_plane_avx512(const uint8_t* category, const uint8_t* set, uint8_t* out) {
  const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set)));
  const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set + 16)));
  const __m512i c = _mm512_loadu_si512(category);
  const __m512i byte = _mm512_and_si512(_mm512_srli_epi16(c, 3), _mm512_set1_epi8(31)), bit = _mm512_shuffle_epi8(_mm512_set1_epi64(int64_t(0x8040201008040201)), _mm512_and_si512(c, _mm512_set1_epi8(7)));
  const __m512i own = _mm512_or_si512(_mm512_shuffle_epi8(low, _mm512_add_epi8(byte, _mm512_set1_epi8(112))), _mm512_shuffle_epi8(high, _mm512_sub_epi8(byte, _mm512_set1_epi8(16))));
  _mm512_storeu_si512(out, _mm512_movm_epi8(_mm512_testn_epi8_mask(own, bit)));
}

template <int rows> constexpr ReachKernels avx2{rows, leaf_numbers_avx2<rows>, add_leaves_avx2<rows, float>, add_leaves_avx2<rows, double>};
template <int rows> constexpr ReachKernels avx512{rows, leaf_numbers_avx512<rows>, add_leaves_avx512<rows>, add_leaves_avx512<rows>};

#endif

}  // namespace

const ReachKernels& few_rows_kernels() {
  static constexpr const ReachKernels* all[] = ONWARD_PER_TARGET(&baseline<64>, &avx2<64>, &avx512<64>);
  return *all[size_t(simd::best())];
}

const ReachKernels& many_rows_kernels() {
  static constexpr const ReachKernels* all[] = ONWARD_PER_TARGET(&baseline<64>, &avx2<128>, &avx512<256>);
  return *all[size_t(simd::best())];
}

void set_plane(const uint8_t* category, const uint8_t* set, uint8_t* out) {
  constexpr void (*all[])(const uint8_t*, const uint8_t*, uint8_t*) = ONWARD_PER_TARGET(set_plane_baseline, set_plane_avx2, set_plane_avx512);
  all[size_t(simd::best())](category, set, out);
}

}  // namespace onward
