#include "onward/ops/sliding_product.h"

#include <algorithm>
#include <cstring>

#include "onward/ops/multiply_add.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t depth = 256;                            // of a block of k

// Tiles of `rows` filters by two vectors of positions; what is left of the filters goes in thirds of that, then one by one.
template <class T, int bytes, int rows, bool fused> struct Sliding {
  typedef T V __attribute__((vector_size(bytes)));
  static constexpr int64_t lanes = bytes / int64_t(sizeof(T)), together = PackedFilters<T>::together;
  using Slide = typename PackedFilters<T>::Slide;

  static constexpr int64_t height(int64_t left) { return left >= rows ? rows : left >= rows / 3 ? rows / 3 : 1; }

  static void pack(const T* w, int64_t filters, int64_t k, T* to) {
    for (int64_t f = 0; f < filters;) {
      const int64_t high = height(filters - f);
      for (int64_t i = 0; i < k; ++i) for (int64_t r = 0; r < high; ++r) *to++ = w[(f + r) * k + i];
      f += high;
    }
  }

  // Sums of a block of k over `wide` vectors: the first block begins them.
  template <int high, int wide> [[gnu::always_inline]] static void tile(const T* x, const int64_t* offset, const T* w, int64_t k, T* out, bool first) {
    V sum[high][wide] = {};
    for (int64_t i = 0; i < k; ++i, w += high) {
      V b[wide];
#pragma GCC unroll 8
      for (int v = 0; v < wide; ++v) std::memcpy(&b[v], x + offset[i] + v * lanes, sizeof(V));
#pragma GCC unroll 12
      for (int r = 0; r < high; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < wide; ++v) multiply_add<fused>(sum[r][v], w[r], b[v]);
    }
#pragma GCC unroll 12
    for (int r = 0; r < high; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < wide; ++v) {
        T* const to = out + r * together + v * lanes;
        V before = {}, s = sum[r][v];
        if (!first) std::memcpy(&before, to, sizeof before), s = before + s;
        std::memcpy(to, &s, sizeof s);
      }
  }
  template <int high, int wide> [[gnu::always_inline]] static void across(const T* x, const int64_t* offset, const T* w, int64_t k, T* out, bool first, int64_t at, int64_t n) {
    for (; at + wide * lanes <= n; at += wide * lanes) tile<high, wide>(x + at, offset, w, k, out + at, first);
    if constexpr (wide > 1) across<high, wide / 2>(x, offset, w, k, out, first, at, n);
  }
  template <int high, int wide> [[gnu::always_inline]] static void filters_at(const Slide& s, const T* w, int64_t f, int64_t from, int64_t n, int64_t stored_from, T* out) {
    const auto k = int64_t(s.offsets.size());
    if (k == 0) std::fill_n(out, high * together, T(0));
    for (int64_t p = 0; p < k; p += depth) across<high, wide>(s.x + from, s.offsets.data() + p, w + p * high, std::min(depth, k - p), out, p == 0, 0, n);
    for (int r = 0; r < high; ++r) store(s, out + r * together, from, stored_from, std::min(from + n, s.positions), f + r);
  }

  // Positions [begin, end) of a filter, which stand from `from` on, into its output rows.
  [[gnu::always_inline]] static void store(const Slide& s, const T* sums, int64_t from, int64_t begin, int64_t end, int64_t filter) {
    const T bias = s.bias ? s.bias[filter] : T(0);
    T* const y = s.y + filter * int64_t(s.rows.size()) * s.length;
    auto row = std::upper_bound(s.rows.begin(), s.rows.end(), begin);
    if (row != s.rows.begin()) --row;
    for (; row != s.rows.end() && *row < end; ++row) {
      const int64_t first = std::max(begin, *row), n = std::min(end, *row + s.length) - first;
      T* to = y + (row - s.rows.begin()) * s.length + (first - *row);
      if (s.bias) put<bytes, true>(sums + (first - from), n, bias, to);
      else put<bytes, false>(sums + (first - from), n, bias, to);
    }
  }
  // In whole vectors, the last of which may write again what the one before wrote; in smaller ones where there are too few numbers.
  template <int size, bool biased> [[gnu::always_inline]] static void put(const T* sum, int64_t n, T bias, T* to) {
    typedef T W __attribute__((vector_size(size)));
    constexpr int64_t wide = size / int64_t(sizeof(T));
    if (n >= wide) {
      for (int64_t i = 0; i < n; i += wide) {
        const int64_t at = std::min(i, n - wide);
        W v;
        std::memcpy(&v, sum + at, sizeof v);
        if constexpr (biased) v = v + bias;
        std::memcpy(to + at, &v, sizeof v);
      }
    } else if constexpr (size > 16) {
      put<size / 2, biased>(sum, n, bias, to);
    } else {
      for (int64_t i = 0; i < n; ++i) to[i] = biased ? sum[i] + bias : sum[i];
    }
  }

  [[gnu::always_inline]] static void run(const Slide& s, const T* packed, int64_t filters, int64_t begin, int64_t end) {
    alignas(64) T out[rows * together];
    const auto k = int64_t(s.offsets.size());
    for (int64_t at = begin; at < end; at += together) {
      // Whole vectors are read: the last positions come with those before them, or with what may be read behind them.
      const int64_t from = s.readable_behind ? at : std::min(at, s.positions - together);
      const int64_t n = s.readable_behind ? (std::min(end, at + together) - at + lanes - 1) / lanes * lanes : together;
      const T* w = packed;
      for (int64_t f = 0; f < filters;) {
        const int64_t high = height(filters - f);
        if (high == rows) filters_at<rows, 2>(s, w, f, from, n, at, out);
        else if (high > 1) filters_at<rows / 3, 4>(s, w, f, from, n, at, out);
        else filters_at<1, 8>(s, w, f, from, n, at, out);
        f += high, w += high * k;
      }
    }
  }
};

template <class T> using Avx512 = Sliding<T, 64, 12, true>;
template <class T> using Avx2 = Sliding<T, 32, 6, true>;
template <class T> using Baseline = Sliding<T, 16, simd::baseline_registers == 32 ? 12 : 3, simd::baseline_fuses>;

template <class T> using Slide = typename PackedFilters<T>::Slide;
template <class T> [[gnu::flatten, ONWARD_AVX512]] void avx512(const Slide<T>& s, const T* packed, int64_t filters, int64_t begin, int64_t end) { Avx512<T>::run(s, packed, filters, begin, end); }
template <class T> [[gnu::flatten, ONWARD_AVX2]] void avx2(const Slide<T>& s, const T* packed, int64_t filters, int64_t begin, int64_t end) { Avx2<T>::run(s, packed, filters, begin, end); }
template <class T> [[gnu::flatten]] void baseline(const Slide<T>& s, const T* packed, int64_t filters, int64_t begin, int64_t end) { Baseline<T>::run(s, packed, filters, begin, end); }

}  // namespace

template <class T> PackedFilters<T>::PackedFilters(const T* w, int64_t groups, int64_t filters, int64_t k) : data_(new T[size_t(std::max<int64_t>(1, groups * filters * k))]), filters_(filters), k_(k) {
  constexpr Run runs[] = ONWARD_PER_TARGET(baseline<T>, avx2<T>, avx512<T>);
  constexpr void (*packs[])(const T*, int64_t, int64_t, T*) = ONWARD_PER_TARGET(Baseline<T>::pack, Avx2<T>::pack, Avx512<T>::pack);
  const auto target = size_t(simd::best());
  run_ = runs[target];
  for (int64_t g = 0; g < groups; ++g) packs[target](w + g * filters * k, filters, k, data_.get() + g * filters * k);
}

template <class T> void PackedFilters<T>::run(const Slide& slide, int64_t group, int64_t begin, int64_t end) const {
  run_(slide, data_.get() + group * filters_ * k_, filters_, begin, end);
}

template class PackedFilters<float>;
template class PackedFilters<double>;

}  // namespace onward
