// Products on every instruction set against the chain of fused multiply-adds that they promise.
#include "onward/ops/matrix_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "onward/simd/targets.h"

namespace onward {
namespace {

template <class T> std::vector<T> numbers(int64_t n, int64_t factor) {
  std::vector<T> out(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) out[size_t(i)] = T(double(i * factor % 2003 - 1000) / 700);
  return out;
}

// One chain a block of 256, the blocks' sums added in order.
template <class T> std::vector<T> promised(const std::vector<T>& a, const std::vector<T>& b, int64_t m, int64_t n, int64_t k, const Finish<T>& finish) {
  std::vector<T> c(size_t(m * n));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      T total = 0;
      for (int64_t from = 0; from < k; from += 256) {
        T sum = 0;
        for (int64_t p = from; p < std::min(k, from + 256); ++p) sum = std::fma(a[size_t(i * k + p)], b[size_t(p * n + j)], sum);
        total = from == 0 ? sum : total + sum;
      }
      if (finish.bias) total += finish.bias[j];
      if (finish.rectifier == Rectifier::max_with_zero) total = total > 0 || std::isnan(total) ? total : T(0);
      if (finish.rectifier == Rectifier::relu) total = total < 0 ? T(0) : total;
      c[size_t(i * n + j)] = total;
    }
  return c;
}

template <class T> bool same(const std::vector<T>& a, const std::vector<T>& b) { return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0; }

template <class T> void test_products() {
  const std::vector<int64_t> heights = {1, 2, 3, 4, 5, 7, 11, 12, 13, 24, 31, 200}, widths = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65}, depths = {1, 20, 256, 257, 600};
  for (int64_t k : depths)
    for (int64_t n : widths)
      for (int64_t m : heights) {
        if (m == 200 && k > 257) continue;
        auto a = numbers<T>(m * k, 7919);
        const auto b = numbers<T>(k * n, 104729), bias = numbers<T>(n, 31);
        if (k > 4) a[3] = NAN;
        for (const Finish<T>& finish : {Finish<T>{}, Finish<T>{bias.data(), Rectifier::none}, Finish<T>{bias.data(), Rectifier::max_with_zero}, Finish<T>{nullptr, Rectifier::relu}}) {
          const auto expected = promised(a, b, m, n, k, finish);
          for (auto target : {simd::Target::avx2, simd::Target::avx512}) {
            simd::limit(target);
            if (simd::best() == simd::Target::baseline && !simd::baseline_fuses) continue;      // no fma here: nothing is promised
            std::vector<T> packed(size_t(m * n)), plain = packed;
            PackedMatrix<T>(b.data(), k, n).product(a.data(), packed.data(), m, finish);
            ASSERT_TRUE(same(packed, expected)) << m << " x " << n << " x " << k << " on target " << int(target);
            if (finish.bias || finish.rectifier != Rectifier::none) continue;
            matrix_product(a.data(), b.data(), plain.data(), m, n, k);
            ASSERT_TRUE(same(plain, expected)) << m << " x " << n << " x " << k << " on target " << int(target);
          }
          simd::limit(simd::Target::avx512);
        }
      }
}

TEST(MatrixProduct, IsTheChainItPromisesInDouble) { test_products<double>(); }
TEST(MatrixProduct, IsTheChainItPromisesInFloat) { test_products<float>(); }

TEST(MatrixProduct, TheBaselineIsClose) {
  const int64_t m = 5, n = 19, k = 300;
  const auto a = numbers<double>(m * k, 7919), b = numbers<double>(k * n, 104729), bias = numbers<double>(n, 31);
  simd::limit(simd::Target::baseline);
  std::vector<double> c(size_t(m * n)), d = c;
  PackedMatrix<double>(b.data(), k, n).product(a.data(), c.data(), m, {bias.data(), Rectifier::none});
  matrix_product(a.data(), b.data(), d.data(), m, n, k);
  simd::limit(simd::Target::avx512);
  const auto expected = promised<double>(a, b, m, n, k, {bias.data(), Rectifier::none});
  for (size_t i = 0; i < c.size(); ++i) {
    EXPECT_NEAR(c[i], expected[i], 1e-11);
    EXPECT_NEAR(d[i] + bias[i % size_t(n)], expected[i], 1e-11);
  }
}

TEST(MatrixProduct, OfNothingIsTheBiasAlone) {
  const double bias[] = {-1, 2};
  double c[4] = {9, 9, 9, 9};
  PackedMatrix<double>(nullptr, 0, 2).product(nullptr, c, 2, {bias, Rectifier::max_with_zero});
  EXPECT_EQ(std::vector<double>(c, c + 4), (std::vector<double>{0, 2, 0, 2}));
}

}  // namespace
}  // namespace onward
