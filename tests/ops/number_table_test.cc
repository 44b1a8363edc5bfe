#include "onward/ops/number_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace onward {
namespace {

TEST(NumberTable, FindsWhatWasPutInAndKeepsTheFirstNumberOfAKey) {
  NumberTable table;
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(table.emplace(uint64_t(i * 977), i), i);
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(table.emplace(uint64_t(i * 977), 5000), i);
  EXPECT_EQ(table.size(), 1000u);
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(table.find(uint64_t(i * 977)), i);
  EXPECT_EQ(table.find(1), -1);
}

TEST(NumberTable, EveryNaNIsOneKeyAndSoAreBothZeros) {
  EXPECT_EQ(number_key(std::nanf("1")), number_key(std::nan("2")));
  EXPECT_EQ(number_key(-0.0), number_key(0.0f));
  EXPECT_NE(number_key(1.0), number_key(-1.0));
}

}  // namespace
}  // namespace onward
