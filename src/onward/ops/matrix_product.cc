// Panels of A and B are packed so that the innermost loop reads both in order; it keeps a tile of C in registers.
//
// Every element of C is one chain of fused multiply-adds over k, cut into blocks of `depth` whose sums are added in order. The chain
// is the same for any number of rows and any vector width, so a row's answer depends neither on its batch nor on the instruction
// set, among those that have fma.
#include "onward/ops/matrix_product.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <type_traits>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t depth = 256;

// acc + a * b, lane by lane: fused where the target can.
template <bool fused, class V, class T, int lanes> [[gnu::always_inline]] inline void multiply_add(V& acc, T a, const V& b) {
  if constexpr (fused) for (int l = 0; l < lanes; ++l) acc[l] = std::is_same_v<T, float> ? T(__builtin_fmaf(float(a), float(b[l]), float(acc[l]))) : T(__builtin_fma(double(a), double(b[l]), double(acc[l])));
  else acc = acc + a * b;
}

// A tile of `rows` × 2 vectors of `bytes`: rows × 2 accumulators must fit the registers of the instruction set.
template <class T, int bytes, int rows, bool fused> struct Blocked {
  typedef T V __attribute__((vector_size(bytes)));
  static constexpr int64_t lanes = bytes / sizeof(T), columns = 2 * lanes, height = rows * 16;
  static constexpr auto madd = [](V& acc, T a, const V& b) __attribute__((always_inline)) { multiply_add<fused, V, T, int(lanes)>(acc, a, b); };

  [[gnu::always_inline]] static void tile(const T* a, const T* b, int64_t k, V (&c)[rows][2]) {
    for (; k-- > 0; a += rows, b += columns) {
      V b0, b1;
      std::memcpy(&b0, b, sizeof b0);
      std::memcpy(&b1, b + lanes, sizeof b1);
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) madd(c[i][0], a[i], b0), madd(c[i][1], a[i], b1);
    }
  }

  [[gnu::always_inline]] static void pack_a(const T* a, int64_t stride, int64_t m, int64_t k, T* to) {
    for (int64_t i = 0; i < m; i += rows)
      for (int64_t p = 0; p < k; ++p)
        for (int64_t r = 0; r < rows; ++r) *to++ = i + r < m ? a[(i + r) * stride + p] : T(0);
  }
  [[gnu::always_inline]] static void pack_b(const T* b, int64_t stride, int64_t k, int64_t n, T* to) {
    for (int64_t j = 0; j < n; j += columns)
      for (int64_t p = 0; p < k; ++p, to += columns) {
        const int64_t width = std::min(columns, n - j);
        std::copy_n(b + p * stride + j, width, to);
        std::fill(to + width, to + columns, T(0));
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
          add_row(reinterpret_cast<const T*>(sum), c + i * n + j, strip);
        }
        for (; j < n; j += lanes) narrow(left, right + j, n, kc, std::min(lanes, n - j), c + i * n + j);
      }
  }
  // A strip of at most one vector, its row of B possibly shorter than the vector.
  [[gnu::always_inline]] static void narrow(const T* a, const T* b, int64_t stride, int64_t k, int64_t width, T* c) {
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
    add_row(reinterpret_cast<const T*>(&sum), c, width);
  }
  [[gnu::always_inline]] static T one(T acc, T a, T b) {
    if constexpr (!fused) return acc + a * b;
    else if constexpr (std::is_same_v<T, float>) return __builtin_fmaf(a, b, acc);
    else return __builtin_fma(a, b, acc);
  }
  [[gnu::always_inline]] static void add_row(const T* sum, T* c, int64_t width) {
    for (int64_t j = 0; j < width; ++j) c[j] += sum[j];
  }

  // Few columns (a linear model has one): the vectors run down the rows of A instead. The chains over k are the same.
  [[gnu::always_inline]] static void few_columns(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) {
    constexpr int64_t tall = 2 * lanes;
    alignas(64) T packed[tall * depth];
    for (int64_t i = 0; i < m; i += tall) {
      const int64_t h = std::min(tall, m - i);
      for (int64_t p0 = 0; p0 < k; p0 += depth) {
        const int64_t kc = std::min(depth, k - p0);
        for (int64_t p = 0; p < kc; ++p)
          for (int64_t r = 0; r < tall; ++r) packed[p * tall + r] = a[(i + std::min(r, h - 1)) * k + p0 + p];
        for (int64_t j = 0; j < n; ++j) {
          V upper = {}, lower = {};
          for (int64_t p = 0; p < kc; ++p) {
            V x, y;
            std::memcpy(&x, packed + p * tall, sizeof x);
            std::memcpy(&y, packed + p * tall + lanes, sizeof y);
            madd(upper, b[(p0 + p) * n + j], x), madd(lower, b[(p0 + p) * n + j], y);
          }
          T sums[tall];
          std::memcpy(sums, &upper, sizeof upper), std::memcpy(sums + lanes, &lower, sizeof lower);
          for (int64_t r = 0; r < h; ++r) c[(i + r) * n + j] += sums[r];
        }
      }
    }
  }

  [[gnu::always_inline]] static void run(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) {
    std::fill_n(c, m * n, T(0));
    if (m < 4) return few_rows(a, b, c, m, n, k);
    if (n <= columns / 4) return few_columns(a, b, c, m, n, k);
    const std::unique_ptr<T[]> packed_b(new T[size_t((n + columns - 1) / columns * columns * std::min(depth, k))]);
    const std::unique_ptr<T[]> packed_a(new T[size_t(height * std::min(depth, k))]);
    for (int64_t p0 = 0; p0 < k; p0 += depth) {
      const int64_t kc = std::min(depth, k - p0);
      pack_b(b + p0 * n, n, kc, n, packed_b.get());
      for (int64_t i0 = 0; i0 < m; i0 += height) {
        const int64_t mc = std::min(height, m - i0);
        pack_a(a + i0 * k + p0, k, mc, kc, packed_a.get());
        for (int64_t j = 0; j < n; j += columns)
          for (int64_t i = 0; i < mc; i += rows) {
            V sum[rows][2] = {};
            tile(packed_a.get() + i * kc, packed_b.get() + j * kc, kc, sum);
            for (int64_t r = 0; r < std::min<int64_t>(rows, mc - i); ++r) add_row(reinterpret_cast<const T*>(sum[r]), c + (i0 + i + r) * n + j, std::min(columns, n - j));
          }
      }
    }
  }
};

template <class T> [[gnu::flatten, ONWARD_AVX512]] void avx512(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) { Blocked<T, 64, 12, true>::run(a, b, c, m, n, k); }
template <class T> [[gnu::flatten, ONWARD_AVX2]] void avx2(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) { Blocked<T, 32, 6, true>::run(a, b, c, m, n, k); }
template <class T> [[gnu::flatten]] void baseline(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) { Blocked<T, 16, 4, false>::run(a, b, c, m, n, k); }

}  // namespace

template <class T> void matrix_product(const T* a, const T* b, T* c, int64_t m, int64_t n, int64_t k) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr void (*all[])(const T*, const T*, T*, int64_t, int64_t, int64_t) = {baseline<T>, avx2<T>, avx512<T>};
    all[size_t(simd::best())](a, b, c, m, n, k);
  } else {
    using U = std::make_unsigned_t<T>;                    // integers wrap around
    std::fill_n(c, m * n, T(0));
    for (int64_t i = 0; i < m; ++i)
      for (int64_t p = 0; p < k; ++p)
        for (int64_t j = 0; j < n; ++j) c[i * n + j] = T(U(c[i * n + j]) + U(a[i * k + p]) * U(b[p * n + j]));
  }
}

template void matrix_product(const float*, const float*, float*, int64_t, int64_t, int64_t);
template void matrix_product(const double*, const double*, double*, int64_t, int64_t, int64_t);
template void matrix_product(const int32_t*, const int32_t*, int32_t*, int64_t, int64_t, int64_t);
template void matrix_product(const int64_t*, const int64_t*, int64_t*, int64_t, int64_t, int64_t);
template void matrix_product(const uint32_t*, const uint32_t*, uint32_t*, int64_t, int64_t, int64_t);
template void matrix_product(const uint64_t*, const uint64_t*, uint64_t*, int64_t, int64_t, int64_t);

}  // namespace onward
