// Which of many constant rows may be among the k nearest of a row x, by distances |x|² + |s|² - 2 x·s from products in blocks, with a bound
// of their error: only the few rows that it leaves need be measured as exactly as the answer wants. The products are of floats, or of 8-bit
// codes where those say nearly as much.
#pragma once
#include <vector>

#include "onward/ops/matrix_product.h"

namespace onward {

class NearCandidates {
 public:
  NearCandidates() = default;
  template <class T> NearCandidates(const T* rows, int64_t count, int64_t features);      // reads rows [count][features]; keeps nothing of it
  explicit operator bool() const { return !chunks_.empty(); }

  static constexpr int64_t together = 24;                 // rows of x that pass over a chunk at once
  // For each of n <= together rows of x the numbers of those rows, ascending; none: x is no row for floats, all must be measured. Right for
  // squared distances, and their roots, that are computed in T or more exactly; ties included.
  template <class T> void find(const T* x, int64_t n, int64_t k, std::vector<int64_t> (&found)[together]) const;

 private:
  struct Chunk {
    int64_t first, width;
    PackedMatrix<float> columns;                          // or codes:
    std::vector<int8_t> panels;
    std::vector<int32_t> shifts;                          // the products with a code of 0
    std::vector<float> offsets;                           // |s|² / 2; infinite behind the last row
  };
  void choose_codes(const float* moved, int64_t count);
  Chunk chunk(const float* moved, int64_t first, int64_t count) const;
  Chunk coded_chunk(const float* moved, int64_t first, int64_t count) const;

  int64_t features_ = 0;
  double longest_ = 0;                                    // the largest |s|²
  float unit_ = 0;                                        // of codes; 0: there are none
  double lost_ = 0;                                       // the largest |s - unit * codes|
  int32_t zero_ = 0;                                      // the code that stands for 0 in x: in the middle of what codes of x may be
  std::vector<float> middle_;
  std::vector<Chunk> chunks_;
};

}  // namespace onward
