#include "onward/base/suggest.h"

#include <gtest/gtest.h>

namespace onward {
namespace {

const std::string names[] = {"float64", "float32", "int64", "petal_width", "petal_length", "Fare"};

TEST(Nearest, FindsTypingSlips) {
  EXPECT_EQ(nearest("flot64", names), "float64");
  EXPECT_EQ(nearest("flaot64", names), "float64");
  EXPECT_EQ(nearest("petalwidth", names), "petal_width");
  EXPECT_EQ(nearest("fare", names), "Fare");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest("age", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000000, 'x'), names), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

TEST(Nearest, ReadsAsASentence) {
  EXPECT_EQ(suggestion("int46", names), "; did you mean 'int64'");
  EXPECT_EQ(suggestion("banana", names), "");
}

}  // namespace
}  // namespace onward
