// Every elementary function beside the C library's double, on a sample of all floats and at its edges.
#include "onward/simd/real_math.h"

#include <gtest/gtest.h>

#include "onward/simd/math.h"

namespace onward::simd {
namespace {

struct Function {
  const char* name;
  float (*mine)(float);
  double (*exact)(double);
  double ulps;                           // 0.51: the nearest float, or the next one where the exact value lies between two
  float largest = INFINITY;
};
const Function functions[] = {
    {"exp", [](float x) { return exp(x); }, std::exp, 2},
    {"tanh", [](float x) { return tanh(x); }, std::tanh, 6},
    {"erf", [](float x) { return erf(x); }, std::erf, 7},
    {"log", [](float x) { return log(x); }, std::log, 0.51},
    {"sin", near_sine<0>, std::sin, 0.51, near_angle},
    {"cos", near_sine<1>, std::cos, 0.51, near_angle},
    {"atan", [](float x) { return atan(x); }, std::atan, 0.51},
    {"asin", [](float x) { return asin(x); }, std::asin, 0.51},
    {"acos", [](float x) { return acos(x); }, std::acos, 0.51},
};

void compare(const Function& f, float x) {
  if (std::fabs(x) > f.largest) return;
  const float mine = f.mine(x);
  const double exact = f.exact(double(x));
  const float nearest = float(exact);
  ASSERT_EQ(std::isnan(mine), std::isnan(nearest)) << f.name << "(" << x << ") is " << mine << ", expected " << nearest;
  if (std::isnan(mine) || mine == nearest) { ASSERT_TRUE(std::isnan(mine) || std::signbit(mine) == std::signbit(nearest)) << f.name << "(" << x << ")"; return; }
  const double ulp = std::ldexp(1.0, std::max(std::ilogb(nearest), -126) - 23);
  ASSERT_LE(std::fabs(double(mine) - exact), f.ulps * ulp) << f.name << "(" << x << ") is " << mine << ", expected " << nearest;
}

TEST(RealMath, IsWithinItsErrorOnAllFloats) {
  for (const Function& f : functions)
    for (uint64_t bits = 0; bits <= 0xFFFFFFFFu; bits += 12347) ASSERT_NO_FATAL_FAILURE(compare(f, std::bit_cast<float>(uint32_t(bits))));
}

TEST(RealMath, KeepsItsEdges) {
  const float edges[] = {0, 1, 0.5f, 2, INFINITY, NAN, 1e-45f, 1.1754944e-38f, 3.4028235e38f, 88.7f, 88.8f, 87.4f, 103.9f, 104.1f, 9.01f, 9.1f, 3.92f, 4, 0.70710677f, 1.4142135f, near_angle};
  for (const Function& f : functions)
    for (float edge : edges)
      for (float x : {edge, -edge, std::nextafter(edge, 0.0f), std::nextafter(edge, 1e30f), -std::nextafter(edge, 1e30f)}) ASSERT_NO_FATAL_FAILURE(compare(f, x));
}

// Gelu multiplies what is left to 1 by x.
TEST(RealMath, SaturatesExactly) {
  for (float x : {9.01f, 10.0f, 100.0f, 3.4e38f, INFINITY}) {
    EXPECT_EQ(tanh(x), 1) << x;
    EXPECT_EQ(tanh(-x), -1) << x;
    EXPECT_EQ(erf(x), 1) << x;
    EXPECT_EQ(erf(-x), -1) << x;
  }
}

}  // namespace
}  // namespace onward::simd
