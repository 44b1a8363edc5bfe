#include "onward/ops/row_lanes.h"

#include <algorithm>
#include <cstring>

#include "onward/ops/multiply_add.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

template <class T, int bytes, bool fused> struct Lanes {
  typedef T V __attribute__((vector_size(bytes)));
  static constexpr int lanes = bytes / int(sizeof(T));
  using Order = std::make_integer_sequence<int, lanes>;

  // Element (i, j + step) of a square changes places with (i + step, j), for every i and j without that bit.
  template <int step, int... j> [[gnu::always_inline]] static void exchange(V& upper, V& lower, std::integer_sequence<int, j...>) {
    const V a = upper, b = lower;
    upper = __builtin_shufflevector(a, b, (j & step ? lanes + j - step : j)...);
    lower = __builtin_shufflevector(a, b, (j & step ? lanes + j : j + step)...);
  }
  template <int step> [[gnu::always_inline]] static void transpose(V (&square)[lanes]) {
#pragma GCC unroll 16
    for (int i = 0; i < lanes; ++i) if (!(i & step)) exchange<step>(square[i], square[i + step], Order{});
    if constexpr (step > 1) transpose<step / 2>(square);
  }
  [[gnu::always_inline]] static void lay(const T* x, int64_t columns, T* to) {
    if (columns < lanes) {
      for (int64_t r = 0; r < lane_rows; ++r) for (int64_t c = 0; c < columns; ++c) to[c * lane_rows + r] = x[r * columns + c];
      return;
    }
    for (int64_t r = 0; r < lane_rows; r += lanes)
      for (int64_t c = 0; c < columns; c += lanes) {
        const int64_t first = std::min(c, columns - lanes);              // the last square reaches back over columns that were seen
        const T* from = x + r * columns + first;
        int64_t stride = columns;
        asm("" : "+r"(stride));                           // sixteen addresses that stay the same would be kept, in registers that squares need
        V square[lanes];
#pragma GCC unroll 16
        for (int i = 0; i < lanes; ++i, from += stride) {
          std::memcpy(&square[i], from, sizeof(V));
          __builtin_prefetch(from + lane_rows * columns);                // the next block: rows tend to come from far away
        }
        transpose<lanes / 2>(square);
#pragma GCC unroll 16
        for (int i = 0; i < lanes; ++i) std::memcpy(to + (first + i) * lane_rows + r, &square[i], sizeof(V));
      }
  }

  template <int wide, int vectors> [[gnu::always_inline]] static void sum(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums) {
    V total[wide][vectors];
#pragma GCC unroll 4
    for (int t = 0; t < wide; ++t)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) std::memcpy(&total[t][v], sums + t * lane_rows + v * lanes, sizeof(V));
    for (int64_t c = 0; c < columns; ++c)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        V x;
        std::memcpy(&x, side + c * lane_rows + v * lanes, sizeof x);
#pragma GCC unroll 4
        for (int t = 0; t < wide; ++t) multiply_add<fused>(total[t][v], weights[c * targets + t], x);
      }
#pragma GCC unroll 4
    for (int t = 0; t < wide; ++t)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) std::memcpy(sums + t * lane_rows + v * lanes, &total[t][v], sizeof(V));
  }
  template <int vectors> [[gnu::always_inline]] static void all_targets(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums) {
    int64_t t = 0;
    for (; t + 2 <= targets; t += 2) sum<2, vectors>(side, columns, weights + t, targets, sums + t * lane_rows);
    if (t < targets) sum<1, vectors>(side, columns, weights + t, targets, sums + t * lane_rows);
  }
  [[gnu::always_inline]] static void add(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows) {
    int64_t r = 0;
    for (; r + 4 * lanes <= rows; r += 4 * lanes) all_targets<4>(side + r, columns, weights, targets, sums + r);
    for (; r < rows; r += lanes) all_targets<1>(side + r, columns, weights, targets, sums + r);
  }
};

template <class T> struct Compilations {
  using Lay = void (*)(const T*, int64_t, T*);
  using Add = void (*)(const T*, int64_t, const T*, int64_t, T*, int64_t);
  [[gnu::flatten]] static void lay_baseline(const T* x, int64_t columns, T* to) { Lanes<T, 16, simd::baseline_fuses>::lay(x, columns, to); }
  [[gnu::flatten, ONWARD_AVX2]] static void lay_avx2(const T* x, int64_t columns, T* to) { Lanes<T, 32, true>::lay(x, columns, to); }
  [[gnu::flatten, ONWARD_AVX512]] static void lay_avx512(const T* x, int64_t columns, T* to) { Lanes<T, 64, true>::lay(x, columns, to); }
  [[gnu::flatten]] static void add_baseline(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows) { Lanes<T, 16, simd::baseline_fuses>::add(side, columns, weights, targets, sums, rows); }
  [[gnu::flatten, ONWARD_AVX2]] static void add_avx2(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows) { Lanes<T, 32, true>::add(side, columns, weights, targets, sums, rows); }
  [[gnu::flatten, ONWARD_AVX512]] static void add_avx512(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows) { Lanes<T, 64, true>::add(side, columns, weights, targets, sums, rows); }
  static constexpr Lay lays[] = ONWARD_PER_TARGET(lay_baseline, lay_avx2, lay_avx512);
  static constexpr Add adds[] = ONWARD_PER_TARGET(add_baseline, add_avx2, add_avx512);
};

}  // namespace

template <class T> void lay_side_by_side(const T* x, int64_t columns, T* to) { Compilations<T>::lays[size_t(simd::best())](x, columns, to); }
template <class T> void add_products(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows) {
  Compilations<T>::adds[size_t(simd::best())](side, columns, weights, targets, sums, rows);
}

template void lay_side_by_side(const float*, int64_t, float*);
template void lay_side_by_side(const double*, int64_t, double*);
template void add_products(const float*, int64_t, const float*, int64_t, float*, int64_t);
template void add_products(const double*, int64_t, const double*, int64_t, double*, int64_t);

}  // namespace onward
