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
  template <bool ahead> [[gnu::always_inline]] static void lay(const T* x, int64_t columns, T* to, int64_t stride) {
    if (columns < lanes) {
      for (int64_t r = 0; r < stride; ++r) for (int64_t c = 0; c < columns; ++c) to[c * stride + r] = x[r * columns + c];
      return;
    }
    for (int64_t r = 0; r < stride; r += lanes)
      for (int64_t c = 0; c < columns; c += lanes) {
        const int64_t first = std::min(c, columns - lanes);              // the last square reaches back over columns that were seen
        const T* from = x + r * columns + first;
        int64_t row = columns;
        asm("" : "+r"(row));                              // sixteen addresses that stay the same would be kept, in registers that squares need
        V square[lanes];
#pragma GCC unroll 16
        for (int i = 0; i < lanes; ++i, from += row) {
          std::memcpy(&square[i], from, sizeof(V));
          if constexpr (ahead) __builtin_prefetch(from + stride * columns);                 // the next block: rows tend to come from far away
        }
        transpose<lanes / 2>(square);
#pragma GCC unroll 16
        for (int i = 0; i < lanes; ++i) std::memcpy(to + (first + i) * stride + r, &square[i], sizeof(V));
      }
  }

  template <int wide, int vectors> [[gnu::always_inline]] static void sum(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t stride) {
    V total[wide][vectors];
#pragma GCC unroll 4
    for (int t = 0; t < wide; ++t)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) std::memcpy(&total[t][v], sums + t * stride + v * lanes, sizeof(V));
    for (int64_t c = 0; c < columns; ++c)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        V x;
        std::memcpy(&x, side + c * stride + v * lanes, sizeof x);
#pragma GCC unroll 4
        for (int t = 0; t < wide; ++t) multiply_add<fused>(total[t][v], weights[c * targets + t], x);
      }
#pragma GCC unroll 4
    for (int t = 0; t < wide; ++t)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) std::memcpy(sums + t * stride + v * lanes, &total[t][v], sizeof(V));
  }
  template <int vectors> [[gnu::always_inline]] static void all_targets(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t stride) {
    int64_t t = 0;
    for (; t + 2 <= targets; t += 2) sum<2, vectors>(side, columns, weights + t, targets, sums + t * stride, stride);
    if (t < targets) sum<1, vectors>(side, columns, weights + t, targets, sums + t * stride, stride);
  }
  [[gnu::always_inline]] static void add(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows, int64_t stride) {
    int64_t r = 0;
    for (; r + 4 * lanes <= rows; r += 4 * lanes) all_targets<4>(side + r, columns, weights, targets, sums + r, stride);
    for (; r < rows; r += lanes) all_targets<1>(side + r, columns, weights, targets, sums + r, stride);
  }
};

template <class T> struct Compilations {
  using Lay = void (*)(const T*, int64_t, T*, int64_t, bool);
  using Add = void (*)(const T*, int64_t, const T*, int64_t, T*, int64_t, int64_t);
  template <class Of> [[gnu::always_inline]] static void lay(const T* x, int64_t columns, T* to, int64_t lanes, bool ahead) {
    if (ahead) Of::template lay<true>(x, columns, to, lanes);
    else Of::template lay<false>(x, columns, to, lanes);
  }
  [[gnu::flatten]] static void lay_baseline(const T* x, int64_t columns, T* to, int64_t lanes, bool ahead) { lay<Lanes<T, 16, simd::baseline_fuses>>(x, columns, to, lanes, ahead); }
  [[gnu::flatten, ONWARD_AVX2]] static void lay_avx2(const T* x, int64_t columns, T* to, int64_t lanes, bool ahead) { lay<Lanes<T, 32, true>>(x, columns, to, lanes, ahead); }
  [[gnu::flatten, ONWARD_AVX512]] static void lay_avx512(const T* x, int64_t columns, T* to, int64_t lanes, bool ahead) { lay<Lanes<T, 64, true>>(x, columns, to, lanes, ahead); }
  [[gnu::flatten]] static void add_baseline(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows, int64_t lanes) { Lanes<T, 16, simd::baseline_fuses>::add(side, columns, weights, targets, sums, rows, lanes); }
  [[gnu::flatten, ONWARD_AVX2]] static void add_avx2(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows, int64_t lanes) { Lanes<T, 32, true>::add(side, columns, weights, targets, sums, rows, lanes); }
  [[gnu::flatten, ONWARD_AVX512]] static void add_avx512(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows, int64_t lanes) { Lanes<T, 64, true>::add(side, columns, weights, targets, sums, rows, lanes); }
  static constexpr Lay lays[] = ONWARD_PER_TARGET(lay_baseline, lay_avx2, lay_avx512);
  static constexpr Add adds[] = ONWARD_PER_TARGET(add_baseline, add_avx2, add_avx512);
};

}  // namespace

template <class T> void lay_side_by_side(const T* x, int64_t columns, T* to, int64_t lanes, bool ahead) { Compilations<T>::lays[size_t(simd::best())](x, columns, to, lanes, ahead); }
template <class T> void add_products(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows, int64_t lanes) {
  Compilations<T>::adds[size_t(simd::best())](side, columns, weights, targets, sums, rows, lanes);
}

template void lay_side_by_side(const float*, int64_t, float*, int64_t, bool);
template void lay_side_by_side(const double*, int64_t, double*, int64_t, bool);
template void add_products(const float*, int64_t, const float*, int64_t, float*, int64_t, int64_t);
template void add_products(const double*, int64_t, const double*, int64_t, double*, int64_t, int64_t);

}  // namespace onward
