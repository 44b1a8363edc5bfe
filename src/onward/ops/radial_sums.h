// Weighted sums of exp(-gamma |x - s|²) over constant vectors s, in floats: products by blocks, |x - s|² = |x|² + |s|² - 2 x·s about the
// middle of the vectors. Each row comes with a bound of its error; where that is too large to be a float's answer the caller computes the
// row as the formula stands.
#pragma once
#include <span>
#include <vector>

#include "onward/ops/matrix_product.h"

namespace onward {

class RadialSums {
 public:
  struct Vectors {
    const float* rows;                  // [count][columns]
    int64_t columns;
    std::span<const int64_t> counts;    // of each segment: vectors that are summed together
    const float* weights;               // [sets][count]
    int64_t sets;
  };
  RadialSums() = default;
  RadialSums(const Vectors& vectors, double gamma);
  explicit operator bool() const { return !chunks_.empty(); }

  // sums [n][sets][segments] of n rows; errors [n]: the bound relative to `magnitude` of each sum, infinite where a row is refused.
  void run(const double* x, int64_t n, double* sums, double* errors) const;
  // Of what `sum` adds up, without signs.
  double magnitude(double sum, int64_t set, int64_t segment) const {
    const double all = mixed_[size_t(set * segments_ + segment)];
    return all < 0 ? std::abs(sum) : all;
  }
  static constexpr int64_t together = 24;                 // rows that pass over a chunk at once

 private:
  struct Chunk {
    int64_t segment, width;             // vectors, with those of weight 0 behind the last
    PackedMatrix<float> columns;
    std::vector<float> offsets, weights;                  // -gamma |s|²; [sets][width]
  };
  void add_chunk(const Vectors& vectors, int64_t first, int64_t count, int64_t segment, int64_t all);

  int64_t width_ = 0, sets_ = 0, segments_ = 0;
  double gamma_ = 0, longest_ = 0;      // the largest |s|²
  std::vector<float> middle_;
  std::vector<Chunk> chunks_;
  std::vector<double> mixed_;           // of each sum: the weights' sizes where their signs differ, else -1
};

}  // namespace onward
