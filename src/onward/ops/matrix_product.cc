// Panels of B are packed so that the innermost loop reads them in order; it keeps a tile of C in registers.
//
// Every element of C is one chain of fused multiply-adds over k, cut into blocks of `depth` whose sums are added in order. The chain
// is the same for any number of rows and any vector width, so a row's answer depends neither on its batch nor on the instruction
// set, among those that have fma.
#include "onward/ops/matrix_product.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "onward/ops/multiply_add.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t depth = PackedMatrix<float>::depth;

template <class T> [[gnu::always_inline]] inline T rectified(T x, Rectifier rectifier) {
  if (rectifier == Rectifier::max_with_zero) return (x > 0) | (x != x) ? x : T(0);
  return rectifier == Rectifier::relu && x < 0 ? T(0) : x;
}

// A tile of `rows` × 2 vectors of `bytes`: rows × 2 accumulators must fit the registers of the instruction set.
template <class T, int bytes, int rows, bool fused> struct Blocked {
  typedef T V __attribute__((vector_size(bytes)));
  static constexpr int64_t lanes = bytes / sizeof(T), columns = 2 * lanes, height = rows * 16;
  static constexpr auto madd = [](V& acc, T a, const V& b) __attribute__((always_inline)) { multiply_add<fused>(acc, a, b); };

  static constexpr int64_t width_at(int64_t j, int64_t n) { return n - j <= lanes ? lanes : columns; }         // of the panel at column j
  static constexpr int64_t padded(int64_t n) { return (n + lanes - 1) / lanes * lanes; }

  // One block of at most `depth` rows of B: panel behind panel, the last one narrower where it can be.
  [[gnu::always_inline]] static void pack_block(const T* b, int64_t k, int64_t n, T* to) {
    for (int64_t j = 0; j < n; j += columns) {
      const int64_t width = width_at(j, n), given = std::min(width, n - j);
      for (int64_t p = 0; p < k; ++p, to += width) {
        std::copy_n(b + p * n + j, given, to);
        std::fill(to + given, to + width, T(0));
      }
    }
  }
  static void pack(const T* b, int64_t k, int64_t n, T* to) {
    for (int64_t p = 0; p < k; p += depth) pack_block(b + p * n, std::min(depth, k - p), n, to + p * padded(n));
  }
  [[gnu::always_inline]] static void pack_a(const T* a, int64_t stride, int64_t m, int64_t k, T* to) {
    for (int64_t i = 0; i < m; ++i, to += k) std::copy_n(a + i * stride, k, to);
  }

  // How a tile is stored: the first block of k starts C, the last one finishes it where there is anything to finish.
  struct Store {
    T* c;
    int64_t n;
    bool first, last;
    const Finish<T>& finish;
  };

  template <int high, int wide> [[gnu::always_inline]] static void sums(const T* a, int64_t stride, const T* b, int64_t k, V (&c)[high][wide]) {
    for (; k-- > 0; ++a, b += wide * lanes) {
      V b0, b1;
      std::memcpy(&b0, b, sizeof b0);
      if constexpr (wide > 1) std::memcpy(&b1, b + lanes, sizeof b1);
#pragma GCC unroll 16
      for (int r = 0; r < high; ++r) {
        madd(c[r][0], a[r * stride], b0);
        if constexpr (wide > 1) madd(c[r][1], a[r * stride], b1);
      }
    }
  }
  template <int high, int wide> [[gnu::always_inline]] static void tile(const T* a, int64_t stride, const T* b, int64_t k, const Store& to, int64_t j) {
    V sum[high][wide] = {};
    sums<high, wide>(a, stride, b, k, sum);
    const int64_t width = std::min<int64_t>(wide * lanes, to.n - j);
    T* c = to.c + j;
    if (width == wide * lanes) {
      finish_whole<high, wide>(sum, c, to, j);
    } else {
      alignas(64) T values[high * wide * lanes];
      put<high, wide>(sum, values, wide * lanes);
      finish<high, wide * lanes>(values, c, to, j, width);
    }
  }
  // f(sum, row, vector) of each accumulator; what changes them stays in registers.
  template <int high, int wide, class F> [[gnu::always_inline]] static void each(V (&sum)[high][wide], F&& f) {
#pragma GCC unroll 16
    for (int r = 0; r < high; ++r)
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w) f(sum[r][w], r, w);
  }
  template <int high, int wide> [[gnu::always_inline]] static void finish_whole(V (&sum)[high][wide], T* c, const Store& to, int64_t j) {
    if (!to.first) each(sum, [&](V& v, int r, int w) __attribute__((always_inline)) {
      V before;
      std::memcpy(&before, c + r * to.n + w * lanes, sizeof before);
      v = before + v;
    });
    if (to.last && to.finish.bias) each(sum, [&](V& v, int, int w) __attribute__((always_inline)) {
      V bias;
      std::memcpy(&bias, to.finish.bias + j + w * lanes, sizeof bias);
      v = v + bias;
    });
    const V zero = {};
    if (to.last && to.finish.rectifier == Rectifier::max_with_zero) each(sum, [&](V& v, int, int) __attribute__((always_inline)) { v = v <= zero ? zero : v; });
    if (to.last && to.finish.rectifier == Rectifier::relu) each(sum, [&](V& v, int, int) __attribute__((always_inline)) { v = v < zero ? zero : v; });
    put<high, wide>(sum, c, to.n);
  }
  [[gnu::always_inline]] static void four_panels(const T* a, const T* b, int64_t k, const Store& to, int64_t j) {
    V sum[8] = {};
    for (int64_t p = 0; p < k; ++p)
#pragma GCC unroll 8
      for (int v = 0; v < 8; ++v) {
        V row;
        std::memcpy(&row, b + (v / 2 * k + p) * columns + v % 2 * lanes, sizeof row);
        madd(sum[v], a[p], row);
      }
#pragma GCC unroll 4
    for (int w = 0; w < 4; ++w) {
      V pair[1][2] = {{sum[2 * w], sum[2 * w + 1]}};
      finish_whole<1, 2>(pair, to.c + j + w * columns, to, j + w * columns);
    }
  }
  // Each accumulator on its own: whoever takes the address of all of them keeps them in memory.
  template <int high, int wide> [[gnu::always_inline]] static void put(const V (&sum)[high][wide], T* to, int64_t stride) {
#pragma GCC unroll 16
    for (int r = 0; r < high; ++r)
#pragma GCC unroll 2
      for (int w = 0; w < wide; ++w) {
        const V v = sum[r][w];
        std::memcpy(to + r * stride + w * lanes, &v, sizeof v);
      }
  }
  // In loops of known length, which the compiler makes vectors of.
  template <int high, int64_t wide> [[gnu::always_inline]] static void finish(T (&values)[high * wide], T* c, const Store& to, int64_t j, int64_t width) {
    alignas(64) T other[wide] = {};
    if (!to.first)
      for (int r = 0; r < high; ++r) {
        copy<wide>(c + r * to.n, other, width);
        for (int64_t l = 0; l < wide; ++l) values[r * wide + l] = other[l] + values[r * wide + l];
      }
    if (to.last && to.finish.bias) {
      copy<wide>(to.finish.bias + j, other, width);
      for (int r = 0; r < high; ++r)
        for (int64_t l = 0; l < wide; ++l) values[r * wide + l] += other[l];
    }
    if (to.last && to.finish.rectifier == Rectifier::max_with_zero) for (T& x : values) x = rectified(x, Rectifier::max_with_zero);
    if (to.last && to.finish.rectifier == Rectifier::relu) for (T& x : values) x = rectified(x, Rectifier::relu);
    for (int r = 0; r < high; ++r) copy<wide>(values + r * wide, c + r * to.n, width);
  }
  // The first `width` of at most `wide` elements, in moves of known length.
  template <int64_t wide> [[gnu::always_inline]] static void copy(const T* from, T* to, int64_t width) {
    if (width == wide) { std::memcpy(to, from, wide * sizeof(T)); return; }
    if constexpr (wide > 1) {
      if (width >= wide / 2) std::memcpy(to, from, wide / 2 * sizeof(T)), from += wide / 2, to += wide / 2, width -= wide / 2;
      if (width > 0) copy<wide / 2>(from, to, width);
    }
  }

  template <int wide> [[gnu::always_inline]] static void tiles(const T* a, int64_t stride, int64_t m, const T* b, int64_t k, const Store& to, int64_t j) {
    const auto at = [&](int64_t i) __attribute__((always_inline)) { return Store{to.c + i * to.n, to.n, to.first, to.last, to.finish}; };
    int64_t i = 0;
    for (; i + rows <= m; i += rows) tile<rows, wide>(a + i * stride, stride, b, k, at(i), j);
    for (; i + rows / 3 <= m; i += rows / 3) tile<rows / 3, wide>(a + i * stride, stride, b, k, at(i), j);
    if constexpr (rows >= 12) for (; i + 2 <= m; i += 2) tile<2, wide>(a + i * stride, stride, b, k, at(i), j);      // as many sums as keep the units busy
    for (; i < m; ++i) tile<1, wide>(a + i * stride, stride, b, k, at(i), j);
  }

  // A block of k. Rows of A lie `stride` apart; where they are long they are copied next to each other, for they are read once a panel.
  [[gnu::always_inline]] static void block(const T* a, int64_t stride, const T* b, T* c, int64_t m, int64_t n, int64_t k, bool first, bool last, const Finish<T>& finish, T* packed_a) {
    for (int64_t i = 0; i < m; i += height) {
      const int64_t mc = std::min(height, m - i);
      const T* left = a + i * stride;
      int64_t step = stride;
      if (packed_a) pack_a(left, stride, mc, k, packed_a), left = packed_a, step = k;
      const T* panel = b;
      int64_t j = 0;
      // One row at a time has too few sums to keep the units busy: four panels together.
      if (mc < rows / 3) for (; j + 4 * columns <= n; j += 4 * columns, panel += k * 4 * columns)
        for (int64_t r = 0; r < mc; ++r) four_panels(left + r * step, panel, k, {c + (i + r) * n, n, first, last && (finish.bias || finish.rectifier != Rectifier::none), finish}, j);
      for (; j < n; j += columns) {
        const Store to{c + i * n, n, first, last && (finish.bias || finish.rectifier != Rectifier::none), finish};
        if (width_at(j, n) == columns) tiles<2>(left, step, mc, panel, k, to, j);
        else tiles<1>(left, step, mc, panel, k, to, j);
        panel += k * width_at(j, n);
      }
    }
  }

  static std::unique_ptr<T[]> room_for_a(int64_t m, int64_t k) { return std::unique_ptr<T[]>(k > depth && m >= rows ? new T[size_t(height * depth)] : nullptr); }

  [[gnu::always_inline]] static void packed_product(const T* a, const T* packed, T* c, int64_t m, int64_t n, int64_t k, const Finish<T>& finish) {
    const auto packed_a = room_for_a(m, k);
    for (int64_t p = 0; p < k; p += depth)
      block(a + p, k, packed + p * padded(n), c, m, n, std::min(depth, k - p), p == 0, p + depth >= k, finish, packed_a.get());
  }

  [[gnu::always_inline]] static void run(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) {
    if (m < 4) return few_rows(a, b, c, m, n, k);
    const auto packed_a = room_for_a(m, k);
    const std::unique_ptr<T[]> packed_b(new T[size_t(padded(n) * std::min(depth, k))]);
    for (int64_t p = 0; p < k; p += depth) {
      const int64_t kc = std::min(depth, k - p);
      pack_block(b + p * n, kc, n, packed_b.get());
      block(a + p, k, packed_b.get(), c, m, n, kc, p == 0, p + depth >= k, {}, packed_a.get());
    }
  }

  // Few rows: packing B would cost more than the product. A strip of C stays in registers while B is read once.
  [[gnu::always_inline]] static void few_rows(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) {
    constexpr int64_t strip = 8 * lanes;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t p0 = 0; p0 < k; p0 += depth) {
        const int64_t kc = std::min(depth, k - p0);
        const T *left = a + i * k + p0, *right = b + p0 * n;
        int64_t j = 0;
        for (; j + strip <= n; j += strip) {
          V sum[8] = {};
          for (int64_t p = 0; p < kc; ++p) {
            V row[8];
            std::memcpy(row, right + p * n + j, sizeof row);
#pragma GCC unroll 8
            for (int r = 0; r < 8; ++r) madd(sum[r], left[p], row[r]);
          }
          add_row(reinterpret_cast<const T*>(sum), c + i * n + j, strip, p0 == 0);
        }
        for (; j < n; j += lanes) narrow(left, right + j, n, kc, std::min(lanes, n - j), c + i * n + j, p0 == 0);
      }
  }
  // A strip of at most one vector, its row of B possibly shorter than the vector.
  [[gnu::always_inline]] static void narrow(const T* a, const T* b, int64_t stride, int64_t k, int64_t width, T* c, bool first) {
    V sum = {};
    if (width == lanes) for (int64_t p = 0; p < k; ++p) {
      V row;
      std::memcpy(&row, b + p * stride, sizeof row);
      madd(sum, a[p], row);
    }
    else if (width == 1) {
      T only = 0;
      for (int64_t p = 0; p < k; ++p) only = one(only, a[p], b[p * stride]);
      sum[0] = only;
    } else for (int64_t p = 0; p < k; ++p) {
      V row = {};
      std::copy_n(b + p * stride, width, reinterpret_cast<T*>(&row));
      madd(sum, a[p], row);
    }
    add_row(reinterpret_cast<const T*>(&sum), c, width, first);
  }
  [[gnu::always_inline]] static T one(T acc, T a, T b) {
    if constexpr (!fused) return acc + a * b;
    else if constexpr (std::is_same_v<T, float>) return __builtin_fmaf(a, b, acc);
    else return __builtin_fma(a, b, acc);
  }
  [[gnu::always_inline]] static void add_row(const T* sum, T* c, int64_t width, bool first) {
    if (first) std::copy_n(sum, width, c);
    else for (int64_t j = 0; j < width; ++j) c[j] += sum[j];
  }
};

template <class T> using Avx512 = Blocked<T, 64, 12, true>;
template <class T> using Avx2 = Blocked<T, 32, 6, true>;
template <class T> using Baseline = Blocked<T, 16, simd::baseline_registers == 32 ? 12 : 3, simd::baseline_fuses>;

template <class T> [[gnu::flatten, ONWARD_AVX512]] void avx512(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) { Avx512<T>::run(a, b, c, m, n, k); }
template <class T> [[gnu::flatten, ONWARD_AVX2]] void avx2(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) { Avx2<T>::run(a, b, c, m, n, k); }
template <class T> [[gnu::flatten]] void baseline(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) { Baseline<T>::run(a, b, c, m, n, k); }

template <class T> [[gnu::flatten, ONWARD_AVX512]] void packed_avx512(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k, const Finish<T>& f) { Avx512<T>::packed_product(a, b, c, m, n, k, f); }
template <class T> [[gnu::flatten, ONWARD_AVX2]] void packed_avx2(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k, const Finish<T>& f) { Avx2<T>::packed_product(a, b, c, m, n, k, f); }
template <class T> [[gnu::flatten]] void packed_baseline(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k, const Finish<T>& f) { Baseline<T>::packed_product(a, b, c, m, n, k, f); }

}  // namespace

template <class T> void matrix_product(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) {
  if (k == 0) {
    std::fill_n(c, m * n, T(0));
  } else if constexpr (std::is_floating_point_v<T>) {
    constexpr void (*all[])(const T*, const T*, T*, int64_t, int64_t, int64_t) = ONWARD_PER_TARGET(baseline<T>, avx2<T>, avx512<T>);
    all[size_t(simd::best())](a, b, c, m, n, k);
  } else {
    using U = std::make_unsigned_t<T>;                    // integers wrap around
    std::fill_n(c, m * n, T(0));
    for (int64_t i = 0; i < m; ++i)
      for (int64_t p = 0; p < k; ++p)
        for (int64_t j = 0; j < n; ++j) c[i * n + j] = T(U(c[i * n + j]) + U(a[i * k + p]) * U(b[p * n + j]));
  }
}

template <class T> PackedMatrix<T>::PackedMatrix(const T* b, int64_t k, int64_t n) : k_(k), n_(n) {
  constexpr Product products[] = ONWARD_PER_TARGET(packed_baseline<T>, packed_avx2<T>, packed_avx512<T>);
  constexpr void (*packs[])(const T*, int64_t, int64_t, T*) = ONWARD_PER_TARGET(Baseline<T>::pack, Avx2<T>::pack, Avx512<T>::pack);
  constexpr int64_t (*sizes[])(int64_t) = ONWARD_PER_TARGET(Baseline<T>::padded, Avx2<T>::padded, Avx512<T>::padded);
  const auto target = size_t(simd::best());
  product_ = products[target];
  data_.reset(new T[size_t(std::max<int64_t>(1, k * sizes[target](n)))]);
  packs[target](b, k, n, data_.get());
}

template <class T> void PackedMatrix<T>::product(const T* a, T* c, int64_t m, const Finish<T>& finish) const {
  if (k_ > 0) return product_(a, data_.get(), c, m, n_, k_, finish);
  for (int64_t i = 0; i < m * n_; ++i) c[i] = rectified(finish.bias ? T(0) + finish.bias[i % n_] : T(0), finish.rectifier);
}

template class PackedMatrix<float>;
template class PackedMatrix<double>;

template void matrix_product(const float*, const float*, float*, int64_t, int64_t, int64_t);
template void matrix_product(const double*, const double*, double*, int64_t, int64_t, int64_t);
template void matrix_product(const int32_t*, const int32_t*, int32_t*, int64_t, int64_t, int64_t);
template void matrix_product(const int64_t*, const int64_t*, int64_t*, int64_t, int64_t, int64_t);
template void matrix_product(const uint32_t*, const uint32_t*, uint32_t*, int64_t, int64_t, int64_t);
template void matrix_product(const uint64_t*, const uint64_t*, uint64_t*, int64_t, int64_t, int64_t);

}  // namespace onward
