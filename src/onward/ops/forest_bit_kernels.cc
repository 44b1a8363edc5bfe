#include "onward/ops/forest_bit_kernels.h"

#ifdef __x86_64__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"   // GCC 12 of its own intrinsics
#include <immintrin.h>
#endif

#include <bit>

#include "onward/simd/targets.h"

namespace onward {
#ifdef __x86_64__
namespace {

constexpr int most_leaves = 64;

// Sixty-four trees: a byte permutation looks up the codes of all lanes in four registers.
namespace vbmi {

constexpr size_t lanes = 64;

#define ONWARD_VBMI gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx2,bmi")

struct Codes { __m512i part[4]; };

template <bool many> [[ONWARD_VBMI, gnu::always_inline]] inline __m512i looked_up(const Codes& c, __m512i plane) {
  const __m512i low = _mm512_permutex2var_epi8(c.part[0], plane, c.part[1]);
  if constexpr (!many) return low;
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(plane), low, _mm512_permutex2var_epi8(c.part[2], plane, c.part[3]));
}

[[ONWARD_VBMI, gnu::always_inline]] inline Codes loaded(const uint8_t* codes, bool many) {
  Codes row;
  for (int i = 0; i < (many ? 4 : 2); ++i) row.part[i] = _mm512_load_si512(codes + 64 * i);
  return row;
}
template <bool many> [[ONWARD_VBMI, gnu::always_inline]] inline uint64_t failed(const Codes& row, const uint8_t* node) {
  return _mm512_cmpgt_epu8_mask(looked_up<many>(row, _mm512_loadu_si512(node)), _mm512_loadu_si512(node + lanes));
}

// Word: as many bits as a tree may have leaves.
template <class Word, bool many> [[ONWARD_VBMI]] void leaves_left(const uint8_t* codes, const uint8_t* node, const uint8_t* stay, int nodes, uint8_t* out) {
  constexpr int parts = int(sizeof(Word));               // registers for 64 words
  const Codes row = loaded(codes, many);
  __m512i left[parts];
  for (int i = 0; i < parts; ++i) left[i] = _mm512_set1_epi32(-1);
  for (int j = 0; j < nodes; ++j, node += 2 * lanes, stay += lanes * sizeof(Word)) {
    const uint64_t fails = failed<many>(row, node);
#pragma GCC unroll 8
    for (int i = 0; i < parts; ++i) {
      const __m512i own = _mm512_loadu_si512(stay + 64 * i);
      if constexpr (sizeof(Word) == 4) left[i] = _mm512_mask_and_epi32(left[i], __mmask16(fails >> (16 * i)), left[i], own);
      else left[i] = _mm512_mask_and_epi64(left[i], __mmask8(fails >> (8 * i)), left[i], own);
    }
  }
  Word words[lanes];
  for (int i = 0; i < parts; ++i) _mm512_storeu_si512(reinterpret_cast<uint8_t*>(words) + 64 * i, left[i]);
  for (size_t t = 0; t < lanes; ++t) out[t] = uint8_t(std::countr_zero(words[t]));
}

template <bool many> [[ONWARD_VBMI]] void full(const uint8_t* codes, const uint8_t* node, const uint8_t*, int depth, uint8_t* out) {
  const Codes row = loaded(codes, many);
  uint64_t reach[2 * most_leaves - 1];
  reach[0] = ~uint64_t{0};
  __m512i passed = _mm512_setzero_si512();
  for (int level = 0, j = 0; level < depth; ++level) {
    const __m512i leaves = _mm512_set1_epi8(char(1 << (depth - 1 - level)));
    for (int end = 2 * j + 1; j < end; ++j, node += 2 * lanes) {
      const uint64_t fails = failed<many>(row, node), second = reach[j] & fails;
      reach[2 * j + 1] = reach[j] & ~fails, reach[2 * j + 2] = second;
      passed = _mm512_mask_add_epi8(passed, second, passed, leaves);
    }
  }
  _mm512_storeu_si512(out, passed);
}

template <bool many> [[ONWARD_VBMI]] void levels(const uint8_t* codes, const uint8_t* node, const uint8_t*, int depth, uint8_t* out) {
  const Codes row = loaded(codes, many);
  __m512i passed = _mm512_setzero_si512();
  for (int level = 0; level < depth; ++level, node += 2 * lanes)
    passed = _mm512_mask_add_epi8(passed, failed<many>(row, node), passed, _mm512_set1_epi8(char(1 << (depth - 1 - level))));
  _mm512_storeu_si512(out, passed);
}

template <bool many> constexpr LeafBitKernels kernels{levels<many>, full<many>, leaves_left<uint32_t, many>, leaves_left<uint64_t, many>, lanes, false, 2.0, 1.2, 1.2};

}  // namespace vbmi

// Thirty-two trees: a register looks up sixteen codes, the bits of a plane's number choose among registers.
namespace avx2 {

constexpr size_t lanes = 32;

template <int registers> struct Codes { __m256i part[registers]; };

template <int registers> [[ONWARD_AVX2, gnu::always_inline]] inline Codes<registers> loaded(const uint8_t* codes) {
  Codes<registers> row;
  for (int i = 0; i < registers; ++i) row.part[i] = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(codes + 16 * i)));
  return row;
}

template <int first, int count, int registers> [[ONWARD_AVX2, gnu::always_inline]] inline __m256i looked_up(const Codes<registers>& row, __m256i plane, __m256i place) {
  if constexpr (count == 1) {
    return _mm256_shuffle_epi8(row.part[first], place);
  } else {
    constexpr int to_sign = 4 - std::bit_width(unsigned(count / 2));   // of the bit that chooses between the halves
    return _mm256_blendv_epi8(looked_up<first, count / 2>(row, plane, place), looked_up<first + count / 2, count / 2>(row, plane, place), _mm256_slli_epi16(plane, to_sign));
  }
}

[[ONWARD_AVX2, gnu::always_inline]] inline __m256i loaded_lanes(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }

// All ones where a test passes.
template <int registers> [[ONWARD_AVX2, gnu::always_inline]] inline __m256i passes(const Codes<registers>& row, const uint8_t* node) {
  const __m256i plane = loaded_lanes(node), place = registers > 8 ? _mm256_and_si256(plane, _mm256_set1_epi8(15)) : plane;
  const __m256i code = looked_up<0, registers>(row, plane, place);
  return _mm256_cmpeq_epi8(_mm256_min_epu8(code, loaded_lanes(node + lanes)), code);
}

// Words of so many bytes.
template <int bytes, int registers> [[ONWARD_AVX2]] void leaves_left(const uint8_t* codes, const uint8_t* node, const uint8_t* stay, int nodes, uint8_t* out) {
  const auto row = loaded<registers>(codes);
  __m256i left[bytes];
  for (int b = 0; b < bytes; ++b) left[b] = _mm256_set1_epi8(-1);
  for (int j = 0; j < nodes; ++j, node += 2 * lanes, stay += bytes * lanes) {
    const __m256i pass = passes(row, node);
#pragma GCC unroll 8
    for (int b = 0; b < bytes; ++b) left[b] = _mm256_and_si256(left[b], _mm256_or_si256(pass, loaded_lanes(stay + size_t(b) * lanes)));
  }
  // The lowest bit of four; a word's lowest is that of its first byte which has one.
  const __m256i lowest = _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0));
  const __m256i fours = _mm256_set1_epi8(15), four = _mm256_set1_epi8(4);
  __m256i first = _mm256_set1_epi8(-1);
  for (int b = bytes - 1; b >= 0; --b) {
    const __m256i low = _mm256_shuffle_epi8(lowest, _mm256_and_si256(left[b], fours));
    const __m256i high = _mm256_adds_epu8(_mm256_shuffle_epi8(lowest, _mm256_and_si256(_mm256_srli_epi16(left[b], 4), fours)), four);
    first = _mm256_min_epu8(first, _mm256_adds_epu8(_mm256_min_epu8(low, high), _mm256_set1_epi8(char(8 * b))));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), first);
}

template <int registers> [[ONWARD_AVX2]] void full(const uint8_t* codes, const uint8_t* node, const uint8_t*, int depth, uint8_t* out) {
  const auto row = loaded<registers>(codes);
  __m256i reach[most_leaves - 1];                        // of the nodes above the leaves
  reach[0] = _mm256_set1_epi8(-1);
  __m256i passed = _mm256_setzero_si256();
  int j = 0;
  for (int level = 0; level < depth; ++level) {
    const __m256i leaves = _mm256_set1_epi8(char(1 << (depth - 1 - level)));
    for (int end = 2 * j + 1; j < end; ++j, node += 2 * lanes) {
      const __m256i pass = passes(row, node), second = _mm256_andnot_si256(pass, reach[j]);
      if (level + 1 < depth) reach[2 * j + 1] = _mm256_and_si256(reach[j], pass), reach[2 * j + 2] = second;
      passed = _mm256_add_epi8(passed, _mm256_and_si256(second, leaves));
    }
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), passed);
}

template <int registers> [[ONWARD_AVX2]] void levels(const uint8_t* codes, const uint8_t* node, const uint8_t*, int depth, uint8_t* out) {
  const auto row = loaded<registers>(codes);
  __m256i passed = _mm256_setzero_si256();
  for (int level = 0; level < depth; ++level, node += 2 * lanes)
    passed = _mm256_add_epi8(passed, _mm256_andnot_si256(passes(row, node), _mm256_set1_epi8(char(1 << (depth - 1 - level)))));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), passed);
}

template <int registers> constexpr LeafBitKernels kernels{levels<registers>, full<registers>, leaves_left<4, registers>, leaves_left<8, registers>, lanes, true, 1.0 + 0.25 * registers, 0.6, 1.2};

}  // namespace avx2

}  // namespace
#endif

const LeafBitKernels* leaf_bit_kernels([[maybe_unused]] size_t planes) {
#ifdef __x86_64__
  if (planes > 256) return nullptr;
  const simd::Target target = simd::best();
  if (target == simd::Target::avx512 && __builtin_cpu_supports("avx512vbmi")) return planes > 128 ? &vbmi::kernels<true> : &vbmi::kernels<false>;
  if (target == simd::Target::baseline) return nullptr;
  return planes > 128 ? &avx2::kernels<16> : planes > 64 ? &avx2::kernels<8> : planes > 32 ? &avx2::kernels<4> : planes > 16 ? &avx2::kernels<2> : &avx2::kernels<1>;
#else
  return nullptr;
#endif
}

}  // namespace onward
