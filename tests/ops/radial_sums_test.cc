// Sums of radial kernels in floats: within the bound that they state, and the same bits in any batch and on AVX2 and AVX-512.
#include "onward/ops/radial_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr double gamma = 0.11;
constexpr int64_t columns = 13, sets = 2, rows = 61;
const std::vector<int64_t> counts = {70, 3, 200};

struct Numbers {
  uint64_t state = 12345;
  double next() {                                         // from -1 to 1
    state = state * 6364136223846793005u + 1442695040888963407u;
    return double(int64_t(state) >> 11) * 0x1p-52;
  }
};
struct Example {
  std::vector<float> vectors, weights;
  std::vector<double> x;
  Example() {
    Numbers numbers;
    for (int64_t i = 0; i < 273 * columns; ++i) vectors.push_back(float(5 + 2 * numbers.next()));
    for (int64_t i = 0; i < 273 * sets; ++i) weights.push_back(float(i < 273 ? std::fabs(numbers.next()) : numbers.next()));      // of the second set both signs
    for (int64_t i = 0; i < rows * columns; ++i) x.push_back(5 + 2 * numbers.next());
  }
  RadialSums sums() const { return RadialSums({vectors.data(), columns, counts, weights.data(), sets}, gamma); }
};

TEST(RadialSums, StayWithinTheirBound) {
  const Example e;
  const RadialSums radial = e.sums();
  std::vector<double> sums(size_t(rows * sets) * counts.size()), errors(rows);
  radial.run(e.x.data(), rows, sums.data(), errors.data());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t set = 0, i = r * sets * 3; set < sets; ++set)
      for (int64_t segment = 0, v = 0; segment < 3; ++segment, ++i) {
        double sum = 0, size = 0;
        for (int64_t end = v + counts[size_t(segment)]; v < end; ++v) {
          double squares = 0;
          for (int64_t c = 0; c < columns; ++c) squares += std::pow(e.x[size_t(r * columns + c)] - e.vectors[size_t(v * columns + c)], 2);
          sum += e.weights[size_t(set * 273 + v)] * std::exp(-gamma * squares), size += std::fabs(e.weights[size_t(set * 273 + v)]) * std::exp(-gamma * squares);
        }
        EXPECT_LE(std::fabs(sums[size_t(i)] - sum), errors[size_t(r)] * radial.magnitude(sums[size_t(i)], set, segment));
        EXPECT_LE(std::fabs(sums[size_t(i)] - sum), 1e-6 * size) << "row " << r << ", set " << set << ", segment " << segment;
      }
}

TEST(RadialSums, DependOnNeitherBatchNorInstructionSet) {
  const Example e;
  const int64_t width = sets * 3;
  std::vector<double> first(size_t(rows * width)), errors(rows);
  e.sums().run(e.x.data(), rows, first.data(), errors.data());
  for (auto target : {simd::Target::avx2, simd::Target::avx512}) {
    simd::limit(target);
    const RadialSums radial = e.sums();
    for (int64_t step : {1, 7, 50}) {
      std::vector<double> sums(first.size());
      for (int64_t r = 0; r < rows; r += step) radial.run(e.x.data() + r * columns, std::min(step, rows - r), sums.data() + r * width, errors.data() + r);
      EXPECT_EQ(std::memcmp(sums.data(), first.data(), sums.size() * sizeof(double)), 0) << "in steps of " << step;
    }
  }
  simd::limit(simd::Target::avx512);
}

TEST(RadialSums, RefuseWhatIsNoRowForFloats) {
  Example e;
  for (double bad : {double(NAN), double(INFINITY), 1e30, 1e4}) {
    e.x[3] = bad;
    std::vector<double> sums(sets * 3), errors(1);
    e.sums().run(e.x.data(), 1, sums.data(), errors.data());
    EXPECT_TRUE(std::isinf(errors[0])) << bad;
  }
  e.vectors[5] = NAN;
  EXPECT_FALSE(e.sums());
}

}  // namespace
}  // namespace onward
