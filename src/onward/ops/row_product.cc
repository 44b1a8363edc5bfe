#include "onward/ops/row_product.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t lanes = 64;

template <class V, int n> [[gnu::always_inline]] inline void fused_add(V& sum, const V& a, const V& b) {
  for (int l = 0; l < n; ++l) sum[l] = __builtin_fmaf(a[l], b[l], sum[l]);
}

// Sums of `rows` rows of x with one of w, whose length is padded to whole lanes with zeros.
template <int bytes, int rows, bool fused> struct Dots {
  typedef float V __attribute__((vector_size(bytes)));
  static constexpr int per_vector = bytes / 4, vectors = int(lanes) / per_vector;

  [[gnu::always_inline]] static void step(V (&sum)[vectors], const float* x, const float* w) {
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) {
      V a, b;
      std::memcpy(&a, x + v * per_vector, sizeof a);
      std::memcpy(&b, w + v * per_vector, sizeof b);
      if constexpr (fused) fused_add<V, per_vector>(sum[v], a, b);
      else sum[v] = sum[v] + a * b;
    }
  }
  [[gnu::always_inline]] static void some(const float* x, int64_t k, const float* w, int64_t n, float* y) {
    V sum[rows][vectors] = {};
    const int64_t whole = k / lanes * lanes;
    for (int64_t i = 0; i < whole; i += lanes)
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) step(sum[r], x + r * k + i, w + i);
    if (whole < k) for (int r = 0; r < rows; ++r) {
      float tail[lanes] = {};
      std::memcpy(tail, x + r * k + whole, size_t(k - whole) * sizeof(float));
      step(sum[r], tail, w + whole);
    }
    for (int r = 0; r < rows; ++r) {
      float partial[lanes];
      std::memcpy(partial, sum[r], sizeof partial);
      for (int64_t half = lanes / 2; half; half /= 2)
        for (int64_t l = 0; l < half; ++l) partial[l] += partial[l + half];
      y[r * n] = partial[0];
    }
  }
  [[gnu::always_inline]] static void run(const float* x, int64_t m, int64_t k, const float* w, int64_t n, float* y) {
    int64_t i = 0;
    for (; i + rows <= m; i += rows) some(x + i * k, k, w, n, y + i * n);
    for (; i < m; ++i) Dots<bytes, 1, fused>::some(x + i * k, k, w, n, y + i * n);
  }
};

[[gnu::flatten, ONWARD_AVX512]] void avx512(const float* x, int64_t m, int64_t k, const float* w, int64_t n, float* y) { Dots<64, 4, true>::run(x, m, k, w, n, y); }
[[gnu::flatten, ONWARD_AVX2]] void avx2(const float* x, int64_t m, int64_t k, const float* w, int64_t n, float* y) { Dots<32, 1, true>::run(x, m, k, w, n, y); }
[[gnu::flatten]] void baseline(const float* x, int64_t m, int64_t k, const float* w, int64_t n, float* y) { Dots<16, 1, false>::run(x, m, k, w, n, y); }

}  // namespace

void row_product(const RunContext& context, const float* x, int64_t m, int64_t n, int64_t k, FunctionRef<void(int64_t, float*)> row, float* y) {
  constexpr void (*all[])(const float*, int64_t, int64_t, const float*, int64_t, float*) = {baseline, avx2, avx512};
  context.parallel(n, double(k) * (0.5 + 0.05 * double(m)), [&](int64_t begin, int64_t end) {
    std::vector<float> w(size_t((k + lanes - 1) / lanes * lanes));
    for (int64_t j = begin; j < end; ++j) {
      row(j, w.data());
      all[size_t(simd::best())](x, m, k, w.data(), n, y + j);
    }
  });
}

}  // namespace onward
