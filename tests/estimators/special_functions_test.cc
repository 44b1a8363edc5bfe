#include "onward/estimators/special_functions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace onward {
namespace {

TEST(SpecialFunctions, Digamma) {  // the values of SciPy
  constexpr double known[][2] = {{1, -0.5772156649015329}, {.5, -1.9635100260214235}, {10, 2.251752589066721}, {1e-3, -1000.5755719318103}};
  for (const auto& [x, value] : known) EXPECT_NEAR(digamma(x), value, 1e-15 * std::max(1.0, std::abs(value))) << x;
  EXPECT_TRUE(std::isnan(digamma(0)) && std::isnan(digamma(-1.5)));
}

}  // namespace
}  // namespace onward
