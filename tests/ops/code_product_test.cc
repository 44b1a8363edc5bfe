// Sums of products of bytes on every instruction set that this processor has, against the plain loop.
#include "onward/ops/code_product.h"

#include <gtest/gtest.h>

#include <random>

#include "onward/ops/code_kernels.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

std::vector<uint8_t> codes(int64_t n, uint32_t seed) {
  std::mt19937 draw(seed);
  std::vector<uint8_t> out(static_cast<size_t>(n));
  for (uint8_t& v : out) v = uint8_t(draw() % 5 ? draw() : draw() % 2 * 255);          // often at the ends of the range
  return out;
}
Tensor tensor(DataType type, const Dims& dims, const std::vector<uint8_t>& bytes) { return Tensor::view(type, dims, bytes.data()); }
int32_t code(const std::vector<uint8_t>& bytes, int64_t i, DataType type) { return type == DataType::i8 ? int8_t(bytes[size_t(i)]) : bytes[size_t(i)]; }

TEST(CodeProduct, IsExactOnEveryInstructionSet) {
  struct Sizes { int64_t m, n, k; };
  for (const Sizes s : {Sizes{1, 1, 1}, {3, 17, 5}, {16, 16, 64}, {35, 70, 130}, {48, 33, 300}, {7, 64, 1000}, {33, 15, 36}})
    for (DataType a_type : {DataType::u8, DataType::i8})
      for (DataType b_type : {DataType::u8, DataType::i8})
        for (bool by_columns : {false, true})
          for (int zeros : {0, 1, 2}) {
            const auto a = codes(s.m * s.k, 1), b = codes(s.k * s.n, 2), za = codes(zeros == 2 ? s.m : 1, 3), zb = codes(zeros == 2 ? s.n : 1, 4), bias_codes = codes(s.n, 5);
            const std::vector<int32_t> bias(bias_codes.begin(), bias_codes.end());
            const Tensor at = tensor(a_type, {s.m, s.k}, a), bt = tensor(b_type, by_columns ? Dims{s.n, s.k} : Dims{s.k, s.n}, b);
            const Tensor zat = tensor(a_type, {int64_t(za.size())}, za), zbt = tensor(b_type, {int64_t(zb.size())}, zb);
            const auto rows = code_rows(at, zeros ? &zat : nullptr, false);
            const auto columns = packed_codes(bt, zeros ? &zbt : nullptr, by_columns);
            ASSERT_TRUE(rows && columns);
            std::vector<int32_t> expected(size_t(s.m * s.n)), c = expected;
            for (int64_t i = 0; i < s.m; ++i)
              for (int64_t j = 0; j < s.n; ++j) {
                int64_t sum = bias[size_t(j)];
                for (int64_t p = 0; p < s.k; ++p)
                  sum += int64_t(code(a, i * s.k + p, a_type) - (zeros ? code(za, zeros == 2 ? i : 0, a_type) : 0)) *
                         (code(b, by_columns ? j * s.k + p : p * s.n + j, b_type) - (zeros ? code(zb, zeros == 2 ? j : 0, b_type) : 0));
                expected[size_t(i * s.n + j)] = int32_t(sum);
              }
            for (auto target : {simd::Target::baseline, simd::Target::avx2, simd::Target::avx512}) {
              simd::limit(target);
              code_product({}, *rows, *columns, c.data(), s.n, bias.data());
              ASSERT_EQ(c, expected) << s.m << " x " << s.n << " x " << s.k << " on target " << int(target);
            }
          }
}

TEST(CodeProduct, EveryKernelGivesTheSame) {
  constexpr int64_t m = 50, n = 45, k = 200;
  const auto a = codes(m * padded_k(k), 7), b = codes(padded_k(k) * 48, 8);
  const std::vector<int32_t> offset(48, -5);
  std::vector<int32_t> plain(size_t(m * n)), other = plain;
  // What stands behind k in b is zero.
  std::vector<int8_t> panels(b.begin(), b.end());
  for (int64_t panel = 0; panel < 3; ++panel) std::fill_n(panels.begin() + panel * padded_k(k) * panel_columns + k * panel_columns, (padded_k(k) - k) * panel_columns, int8_t(0));
  for (const bool seven_bits : {false, true}) {
    std::vector<uint8_t> rows(a.begin(), a.end());
    if (seven_bits) for (uint8_t& code : rows) code = code % 3 ? code & 127 : 127;
    const auto operands = [&](std::vector<int32_t>& c) { return CodeOperands{rows.data(), padded_k(k), panels.data(), n, k, offset.data(), c.data(), n, seven_bits}; };
    ASSERT_TRUE(code_kernel_of(0, operands(plain), m));
    for (int level : {1, 2, 3})
      if (code_kernel_of(level, operands(other), m)) EXPECT_EQ(other, plain) << level << (seven_bits ? ", seven bits" : "");
  }
}

}  // namespace
}  // namespace onward
