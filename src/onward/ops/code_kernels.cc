#include "onward/ops/code_kernels.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cstring>

#include "onward/base/error.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

// ---- Plain

void plain(const CodeOperands& o, int64_t m) {
  const int64_t panel = padded_k(o.k) * panel_columns;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < o.n; j += panel_columns) {
      uint32_t sum[panel_columns];
      for (int64_t q = 0; q < panel_columns; ++q) sum[q] = uint32_t(o.offset[j + q]);
      const uint8_t* a = o.a + i * o.stride;
      const int8_t* b = o.b + j / panel_columns * panel;
      for (int64_t k = 0; k < o.k; ++k)
        for (int64_t q = 0; q < panel_columns; ++q) sum[q] += uint32_t(int32_t(a[k]) * b[k / 4 * 64 + q * 4 + k % 4]);
      std::memcpy(o.c + i * o.c_stride + j, sum, size_t(std::min(panel_columns, o.n - j)) * sizeof(int32_t));
    }
}

#ifdef __x86_64__

#define ONWARD_VNNI gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c" ONWARD_WIDE_VECTORS)
#define ONWARD_AMX gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,amx-tile,amx-int8")

int32_t word_at(const uint8_t* bytes) {
  int32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Sums of types that may alias nothing: __m256i and __m512i the compiler would keep in memory beside the registers.
typedef int32_t Halves __attribute__((vector_size(32)));
typedef int32_t Sums __attribute__((vector_size(64)));

// ---- AVX2: bytes widened to 16 bits, pairs multiplied and added. (Its product of bytes saturates, but not where a has seven bits.)

template <int rows> [[gnu::always_inline, ONWARD_AVX2]] inline void avx2_tile(const uint8_t* a, int64_t stride, const int8_t* b, int64_t quads, const int32_t* offset, int32_t* c, int64_t c_stride, int64_t width) {
  Halves sum[rows][4] = {};
  for (int64_t i = 0; i < quads; ++i) {
    __m256i x[rows];
    for (int r = 0; r < rows; ++r) x[r] = _mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(word_at(a + r * stride + i * 4))));
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      const __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i * 64 + q * 16)));
#pragma GCC unroll 2
      for (int r = 0; r < rows; ++r) sum[r][q] = sum[r][q] + Halves(_mm256_madd_epi16(x[r], y));
    }
  }
  for (int r = 0; r < rows; ++r) {
    int32_t out[panel_columns];
    for (int half = 0; half < 2; ++half) {
      const __m256i pairs = _mm256_permute4x64_epi64(_mm256_hadd_epi32(__m256i(sum[r][2 * half]), __m256i(sum[r][2 * half + 1])), 0xd8);
      const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(offset + 8 * half));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8 * half), _mm256_add_epi32(pairs, first));
    }
    std::memcpy(c + r * c_stride, out, size_t(width) * sizeof(int32_t));
  }
}
template <int rows> [[gnu::always_inline, ONWARD_AVX2]] inline void avx2_seven_bits_tile(const uint8_t* a, int64_t stride, const int8_t* b, int64_t quads, const int32_t* offset, int32_t* c, int64_t c_stride, int64_t width) {
  Halves sum[rows][2];
  for (int half = 0; half < 2; ++half) for (int r = 0; r < rows; ++r) sum[r][half] = Halves(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(offset + 8 * half)));
  const __m256i ones = _mm256_set1_epi16(1);
  for (int64_t i = 0; i < quads; ++i) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i * 64)), high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i * 64 + 32));
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const __m256i x = _mm256_set1_epi32(word_at(a + r * stride + i * 4));
      sum[r][0] = sum[r][0] + Halves(_mm256_madd_epi16(_mm256_maddubs_epi16(x, low), ones));
      sum[r][1] = sum[r][1] + Halves(_mm256_madd_epi16(_mm256_maddubs_epi16(x, high), ones));
    }
  }
  for (int r = 0; r < rows; ++r) std::memcpy(c + r * c_stride, sum[r], size_t(width) * sizeof(int32_t));
}

template <int rows> [[ONWARD_AVX2]] int64_t avx2_rows(const CodeOperands& o, int64_t i, int64_t m, int64_t j) {
  const int64_t quads = (o.k + 3) / 4, width = std::min(panel_columns, o.n - j);
  const int8_t* b = o.b + j / panel_columns * padded_k(o.k) * panel_columns;
  for (; i + rows <= m; i += rows) {
    const uint8_t* a = o.a + i * o.stride;
    int32_t* c = o.c + i * o.c_stride + j;
    if (o.seven_bits) avx2_seven_bits_tile<rows>(a, o.stride, b, quads, o.offset + j, c, o.c_stride, width);
    else if constexpr (rows <= 2) avx2_tile<rows>(a, o.stride, b, quads, o.offset + j, c, o.c_stride, width);
  }
  return i;
}
void avx2(const CodeOperands& o, int64_t m) {
  for (int64_t j = 0; j < o.n; j += panel_columns) {
    int64_t i = o.seven_bits ? avx2_rows<4>(o, 0, m, j) : 0;
    i = avx2_rows<2>(o, i, m, j);
    avx2_rows<1>(o, i, m, j);
  }
}

// ---- VNNI: four products of a column at a time

template <int rows, int panels> [[gnu::always_inline, ONWARD_VNNI]] inline void vnni_tile(const CodeOperands& o, int64_t i, int64_t j, int64_t quads, int64_t panel) {
  const uint8_t* a = o.a + i * o.stride;
  const int8_t* b = o.b + j / panel_columns * panel;
  Sums sum[rows][panels];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int p = 0; p < panels; ++p) sum[r][p] = Sums(_mm512_loadu_si512(o.offset + j + p * panel_columns));
  for (int64_t q = 0; q < quads; ++q) {
    __m512i y[panels];
#pragma GCC unroll 4
    for (int p = 0; p < panels; ++p) y[p] = _mm512_loadu_si512(b + p * panel + q * 64);
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      const __m512i x = _mm512_set1_epi32(word_at(a + r * o.stride + q * 4));
#pragma GCC unroll 4
      for (int p = 0; p < panels; ++p) sum[r][p] = Sums(_mm512_dpbusd_epi32(__m512i(sum[r][p]), x, y[p]));
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (int p = 0; p < panels; ++p) {
      const int64_t at = j + p * panel_columns, width = std::min(panel_columns, o.n - at);
      _mm512_mask_storeu_epi32(o.c + (i + r) * o.c_stride + at, __mmask16((1u << width) - 1), __m512i(sum[r][p]));
    }
}
template <int panels> [[gnu::always_inline, ONWARD_VNNI]] inline void vnni_rows(const CodeOperands& o, int64_t m, int64_t j, int64_t quads, int64_t panel) {
  int64_t i = 0;
  for (; i + 6 <= m; i += 6) vnni_tile<6, panels>(o, i, j, quads, panel);
  for (; i + 2 <= m; i += 2) vnni_tile<2, panels>(o, i, j, quads, panel);
  for (; i < m; ++i) vnni_tile<1, panels>(o, i, j, quads, panel);
}
[[ONWARD_VNNI]] void vnni(const CodeOperands& o, int64_t m) {
  const int64_t panel = padded_k(o.k) * panel_columns, quads = (o.k + 3) / 4;
  int64_t j = 0;
  for (; j + 3 * panel_columns < o.n; j += 4 * panel_columns) vnni_rows<4>(o, m, j, quads, panel);
  for (; j < o.n; j += panel_columns) vnni_rows<1>(o, m, j, quads, panel);
}

// ---- AMX: tiles of 16 rows by 16 columns; the rows that fill none are left to VNNI

struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Two blocks of rows by two panels where `tall` and `wide`, else one.
template <bool tall, bool wide> [[gnu::always_inline, ONWARD_AMX]] inline void amx_tile(const CodeOperands& o, int64_t i, int64_t j, int64_t panel) {
  const uint8_t* a = o.a + i * o.stride;
  const int8_t* b = o.b + j / panel_columns * panel;
  const int32_t *first = o.offset + j, *second = first + panel_columns;
  _tile_loadd(0, first, 0);
  if (wide) _tile_loadd(1, second, 0);
  if (tall) _tile_loadd(2, first, 0);
  if (tall && wide) _tile_loadd(3, second, 0);
  for (int64_t k = 0; k < o.k; k += k_granule) {
    _tile_loadd(4, a + k, o.stride);
    _tile_loadd(6, b + k * panel_columns, 64);
    _tile_dpbusd(0, 4, 6);
    if (wide) { _tile_loadd(7, b + panel + k * panel_columns, 64); _tile_dpbusd(1, 4, 7); }
    if (tall) { _tile_loadd(5, a + 16 * o.stride + k, o.stride); _tile_dpbusd(2, 5, 6); }
    if (tall && wide) _tile_dpbusd(3, 5, 7);
  }
  int32_t* c = o.c + i * o.c_stride + j;
  const int64_t width = std::min((wide ? 2 : 1) * panel_columns, o.n - j), stride = o.c_stride;
  if (width == (wide ? 2 : 1) * panel_columns) {
    _tile_stored(0, c, stride * 4);
    if (wide) _tile_stored(1, c + panel_columns, stride * 4);
    if (tall) _tile_stored(2, c + 16 * stride, stride * 4);
    if (tall && wide) _tile_stored(3, c + 16 * stride + panel_columns, stride * 4);
    return;
  }
  alignas(64) int32_t sums[32][32];
  _tile_stored(0, sums[0], 128);
  if (wide) _tile_stored(1, sums[0] + 16, 128);
  if (tall) _tile_stored(2, sums[16], 128);
  if (tall && wide) _tile_stored(3, sums[16] + 16, 128);
  for (int64_t r = 0; r < (tall ? 32 : 16); ++r) std::memcpy(c + r * stride, sums[r], size_t(width) * sizeof(int32_t));
}
template <bool wide> [[gnu::always_inline, ONWARD_AMX]] inline void amx_rows(const CodeOperands& o, int64_t m, int64_t j, int64_t panel) {
  int64_t i = 0;
  for (; i + 32 <= m; i += 32) amx_tile<true, wide>(o, i, j, panel);
  if (i + 16 <= m) amx_tile<false, wide>(o, i, j, panel);
}
[[ONWARD_AMX]] void amx_tiles(const CodeOperands& o, int64_t m) {
  const TileShapes shapes;
  _tile_loadconfig(&shapes);
  const int64_t panel = padded_k(o.k) * panel_columns;
  int64_t j = 0;
  for (; j + panel_columns < o.n; j += 2 * panel_columns) amx_rows<true>(o, m, j, panel);
  if (j < o.n) amx_rows<false>(o, m, j, panel);
  _tile_release();
}
void amx(const CodeOperands& o, int64_t m) {
  const int64_t whole = m / 16 * 16;
  if (whole) amx_tiles(o, whole);
  if (whole == m) return;
  CodeOperands rest = o;
  rest.a += whole * o.stride, rest.c += whole * o.c_stride;
  vnni(rest, m - whole);
}

// Bytes of four taps are dealt together by two rounds of unpacking: vector r then holds, in its 16 bytes l, channels 16 l + 4 r to + 3.
[[ONWARD_VNNI]] void vnni_taps(const uint8_t* window, std::span<const int64_t> taps, const int8_t* w, const int32_t* first, int64_t channels, int32_t* y) {
  for (int64_t c = 0; c < channels; c += tap_channels) {
    __m512i sum[4] = {};
    for (size_t t = 0; t < taps.size(); t += 4, w += 4 * tap_channels) {
      const uint8_t* at = window + c;
      const __m512i a = _mm512_loadu_si512(at + taps[t]), b = _mm512_loadu_si512(at + taps[t + 1]), d = _mm512_loadu_si512(at + taps[t + 2]), e = _mm512_loadu_si512(at + taps[t + 3]);
      const __m512i low_ab = _mm512_unpacklo_epi8(a, b), high_ab = _mm512_unpackhi_epi8(a, b), low_de = _mm512_unpacklo_epi8(d, e), high_de = _mm512_unpackhi_epi8(d, e);
      sum[0] = _mm512_dpbusd_epi32(sum[0], _mm512_unpacklo_epi16(low_ab, low_de), _mm512_loadu_si512(w));
      sum[1] = _mm512_dpbusd_epi32(sum[1], _mm512_unpackhi_epi16(low_ab, low_de), _mm512_loadu_si512(w + 64));
      sum[2] = _mm512_dpbusd_epi32(sum[2], _mm512_unpacklo_epi16(high_ab, high_de), _mm512_loadu_si512(w + 128));
      sum[3] = _mm512_dpbusd_epi32(sum[3], _mm512_unpackhi_epi16(high_ab, high_de), _mm512_loadu_si512(w + 192));
    }
    const __m512i p = _mm512_shuffle_i32x4(sum[0], sum[1], 0x44), q = _mm512_shuffle_i32x4(sum[2], sum[3], 0x44), r = _mm512_shuffle_i32x4(sum[0], sum[1], 0xee), s = _mm512_shuffle_i32x4(sum[2], sum[3], 0xee);
    const __m512i in_order[4] = {_mm512_shuffle_i32x4(p, q, 0x88), _mm512_shuffle_i32x4(p, q, 0xdd), _mm512_shuffle_i32x4(r, s, 0x88), _mm512_shuffle_i32x4(r, s, 0xdd)};
    for (int64_t v = 0; v < 4 && c + 16 * v < channels; ++v) {
      const int64_t width = std::min<int64_t>(16, channels - c - 16 * v);
      const auto mask = __mmask16((1u << width) - 1);
      _mm512_mask_storeu_epi32(y + c + 16 * v, mask, _mm512_add_epi32(in_order[v], _mm512_maskz_loadu_epi32(mask, first + c + 16 * v)));
    }
  }
}

bool has_avx2() { return simd::best() >= simd::Target::avx2; }
bool has_vnni() { return simd::best() == simd::Target::avx512 && __builtin_cpu_supports("avx512vnni"); }
// Linux gives a process the tile registers when it asks for them.
bool has_amx() {
  constexpr long request = 0x1023, tile_data = 18;
  static const bool granted = __builtin_cpu_supports("amx-int8") && syscall(SYS_arch_prctl, request, tile_data) == 0;
  return has_vnni() && granted;
}

#else

bool has_vnni() { return false; }
void vnni_taps(const uint8_t*, std::span<const int64_t>, const int8_t*, const int32_t*, int64_t, int32_t*) { fail(Code::internal, "four taps at a time need VNNI"); }

#endif

struct Level {
  bool (*is_here)();
  void (*run)(const CodeOperands& operands, int64_t m);
};
constexpr Level levels[] = {
    {[] { return true; }, plain},
#ifdef __x86_64__
    {has_avx2, avx2}, {has_vnni, vnni}, {has_amx, amx},
#endif
};

}  // namespace

std::vector<int8_t> taps_in_fours(const int32_t* w, int64_t taps, int64_t channels) {
  if (!has_vnni() || std::any_of(w, w + taps * channels, [](int32_t v) { return v < -128 || v > 127; })) return {};
  const int64_t fours = (taps + 3) / 4, blocks = (channels + tap_channels - 1) / tap_channels;
  std::vector<int8_t> out(size_t(blocks * fours * 4 * tap_channels));
  for (int64_t t = 0; t < taps; ++t)
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t in = c % tap_channels, lane = in / 16, vector = in % 16 / 4;
      out[size_t(((c / tap_channels * fours + t / 4) * 4 + vector) * tap_channels + lane * 16 + in % 4 * 4 + t % 4)] = int8_t(w[t * channels + c]);
    }
  return out;
}
void taps_kernel(const uint8_t* window, std::span<const int64_t> taps, const int8_t* w, const int32_t* first, int64_t channels, int32_t* y) { vnni_taps(window, taps, w, first, channels, y); }

bool code_kernel_of(int level, const CodeOperands& o, int64_t m) {
  if (size_t(level) >= std::size(levels) || !levels[level].is_here()) return false;
  levels[level].run(o, m);
  return true;
}

bool seven_bits_are_faster() { return simd::best() >= simd::Target::avx2 && !has_vnni(); }

void code_kernel(const CodeOperands& o, int64_t m) {
  // Tiles are 64 deep whatever k is, and must be configured.
  if (m >= 16 && o.k > 32 && m * o.n >= 1024 && code_kernel_of(3, o, m)) return;
  for (int level = 2; level >= 0; --level) if (code_kernel_of(level, o, m)) return;
}

}  // namespace onward
