#include "onward/ops/row_product.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "onward/ops/multiply_add.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t lanes = 16, together = 4;               // rows of w that are unpacked and multiplied together

// Halves added until one number is left: lane l and lane l + 8, then 4, 2, 1.
typedef float Eight __attribute__((vector_size(32)));
typedef float Four __attribute__((vector_size(16)));
typedef float Two __attribute__((vector_size(8)));
template <class V> [[gnu::always_inline]] inline void add_halves(const float* from, float* to) {
  V low, high;
  std::memcpy(&low, from, sizeof low), std::memcpy(&high, from + sizeof(V) / sizeof(float), sizeof high);
  low = low + high;
  std::memcpy(to, &low, sizeof low);
}
[[gnu::always_inline]] inline float added_pairwise(const float* lanes16) {
  float eight[8], four[4], two[2];
  add_halves<Eight>(lanes16, eight), add_halves<Four>(eight, four), add_halves<Two>(four, two);
  return two[0] + two[1];
}

// Products of rows of x with rows of w: `w` holds `together` rows of `padded` values, zeros behind the k that there are.
template <int bytes, int tall, bool fused> struct Dots {
  typedef float V __attribute__((vector_size(bytes)));
  static constexpr int per_vector = bytes / 4, vectors = int(lanes) / per_vector;

  template <int rows, int columns> [[gnu::always_inline]] static void step(V (&sum)[rows][columns][vectors], const float* x, int64_t x_stride, const float* w, int64_t padded) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      V b[columns];
#pragma GCC unroll 8
      for (int c = 0; c < columns; ++c) std::memcpy(&b[c], w + c * padded + v * per_vector, sizeof(V));
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) {
        V a;
        std::memcpy(&a, x + r * x_stride + v * per_vector, sizeof a);
#pragma GCC unroll 8
        for (int c = 0; c < columns; ++c)
          multiply_add_vectors<fused, float>(sum[r][c][v], a, b[c]);
      }
    }
  }
  template <int rows, int columns> [[gnu::always_inline]] static void tile(const float* x, int64_t k, const float* w, int64_t padded, int64_t n, float* y) {
    V sum[rows][columns][vectors] = {};
    const int64_t whole = k / lanes * lanes;
    for (int64_t i = 0; i < whole; i += lanes) step<rows, columns>(sum, x + i, k, w + i, padded);
    if (whole < k) {
      float tail[rows][lanes] = {};
      for (int r = 0; r < rows; ++r) std::memcpy(tail[r], x + r * k + whole, size_t(k - whole) * sizeof(float));
      step<rows, columns>(sum, tail[0], lanes, w + whole, padded);
    }
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c) {
        float partial[lanes];
        std::memcpy(partial, sum[r][c], sizeof partial);
        y[r * n + c] = added_pairwise(partial);
      }
  }
  template <int columns> [[gnu::always_inline]] static void all_rows(const float* x, int64_t m, int64_t k, const float* w, int64_t padded, int64_t n, float* y) {
    int64_t i = 0;
    for (; i + tall <= m; i += tall) tile<tall, columns>(x + i * k, k, w, padded, n, y + i * n);
    for (; i < m; ++i) tile<1, columns>(x + i * k, k, w, padded, n, y + i * n);
  }
  [[gnu::always_inline]] static void run(const float* x, int64_t m, int64_t k, const float* w, int64_t columns, int64_t padded, int64_t n, float* y) {
    if (columns == together) return all_rows<together>(x, m, k, w, padded, n, y);
    for (int64_t c = 0; c < columns; ++c) all_rows<1>(x, m, k, w + c * padded, padded, n, y + c);
  }
};

using Kernel = void(const float* x, int64_t m, int64_t k, const float* w, int64_t columns, int64_t padded, int64_t n, float* y);
[[gnu::flatten, ONWARD_AVX512]] void avx512(const float* x, int64_t m, int64_t k, const float* w, int64_t columns, int64_t padded, int64_t n, float* y) { Dots<64, 4, true>::run(x, m, k, w, columns, padded, n, y); }
[[gnu::flatten, ONWARD_AVX2]] void avx2(const float* x, int64_t m, int64_t k, const float* w, int64_t columns, int64_t padded, int64_t n, float* y) { Dots<32, 1, true>::run(x, m, k, w, columns, padded, n, y); }
[[gnu::flatten]] void baseline(const float* x, int64_t m, int64_t k, const float* w, int64_t columns, int64_t padded, int64_t n, float* y) { Dots<16, 1, simd::baseline_fuses>::run(x, m, k, w, columns, padded, n, y); }

}  // namespace

void row_product(const RunContext& context, const float* x, int64_t m, int64_t n, int64_t k, FunctionRef<void(int64_t, float*)> row, float* y) {
  constexpr Kernel* all[] = ONWARD_PER_TARGET(baseline, avx2, avx512);
  const int64_t padded = (k + lanes - 1) / lanes * lanes, groups = (n + together - 1) / together;
  context.parallel(groups, double(together * k) * (0.2 + 0.05 * double(m)), [&](int64_t begin, int64_t end) {
    std::vector<float> w(size_t(together * padded));
    for (int64_t g = begin; g < end; ++g) {
      const int64_t first = g * together, columns = std::min(together, n - first);
      for (int64_t c = 0; c < columns; ++c) row(first + c, w.data() + c * padded);
      all[size_t(simd::best())](x, m, k, w.data(), columns, padded, n, y + first);
    }
  });
}

}  // namespace onward
