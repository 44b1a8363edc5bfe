// Numbers that the wanted type cannot hold.
#include "onward/ops/convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace onward {
namespace {

// As they come from vectorised code too: many in a row.
template <class To, class From> std::vector<To> converted(DataType from, const std::vector<From>& values, DataType to) {
  std::vector<From> in;
  for (int i = 0; i < 9; ++i) in.insert(in.end(), values.begin(), values.end());
  std::vector<To> out(in.size());
  convert(from, in.data(), to, out.data(), int64_t(in.size()), true);
  for (size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], out[i % values.size()]) << i;
  out.resize(values.size());
  return out;
}

TEST(Convert, WhatNoIntegerHoldsIsTheSmallestOneOfSixtyFourBits) {
  constexpr int64_t none = std::numeric_limits<int64_t>::min();
  const std::vector<double> wide{NAN, INFINITY, -INFINITY, 1e30, -1e30, 0x1p63, -0x1p63, -1.9};
  EXPECT_EQ((converted<int64_t>(DataType::f64, wide, DataType::i64)), (std::vector<int64_t>{none, none, none, none, none, none, none, -1}));
  EXPECT_EQ((converted<int32_t>(DataType::f64, wide, DataType::i32)), (std::vector<int32_t>{0, 0, 0, 0, 0, 0, 0, -1}));
  const std::vector<float> narrow{NAN, INFINITY, -INFINITY, 3e9f, 300.5f, -1.5f};
  EXPECT_EQ((converted<int32_t>(DataType::f32, narrow, DataType::i32)), (std::vector<int32_t>{0, 0, 0, -1294967296, 300, -1}));
  EXPECT_EQ((converted<uint8_t>(DataType::f32, narrow, DataType::u8)), (std::vector<uint8_t>{0, 0, 0, 0, 44, 255}));
}

TEST(Convert, UnsignedIntegersOfSixtyFourBits) {
  const std::vector<double> values{0x1p63, 0x1.8p63, -1.0, NAN, 1e30, -INFINITY};
  constexpr uint64_t top = uint64_t{1} << 63;
  EXPECT_EQ((converted<uint64_t>(DataType::f64, values, DataType::u64)), (std::vector<uint64_t>{top, top + (top >> 1), ~uint64_t{0}, top, 0, top}));
}

// Against the conversion that the compiler knows, one number at a time.
TEST(Convert, EveryHalfAndTheFloatsAroundIt) {
  std::vector<float16> halves(65536);
  std::vector<float> floats;
  for (uint32_t code = 0; code < 65536; ++code) {
    halves[code].bits = uint16_t(code);
    const auto bits = std::bit_cast<uint32_t>(float(halves[code]));
    for (const uint32_t near : {bits - 4097, bits - 4096, bits - 4095, bits - 1, bits, bits + 1, bits + 4095, bits + 4096, bits + 4097}) floats.push_back(std::bit_cast<float>(near));
  }
  std::vector<float> wide(halves.size());
  convert(DataType::f16, halves.data(), DataType::f32, wide.data(), int64_t(halves.size()), true);
  for (size_t i = 0; i < halves.size(); ++i) ASSERT_EQ(std::bit_cast<uint32_t>(wide[i]), std::bit_cast<uint32_t>(float(halves[i]))) << i;
  std::vector<float16> narrow(floats.size());
  convert(DataType::f32, floats.data(), DataType::f16, narrow.data(), int64_t(floats.size()), true);
  for (size_t i = 0; i < floats.size(); ++i) ASSERT_EQ(narrow[i].bits, float16(floats[i]).bits) << floats[i];
}

}  // namespace
}  // namespace onward
