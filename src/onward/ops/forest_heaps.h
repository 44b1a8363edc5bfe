// One row through trees that are nearly full and larger than forest_bits.h has room for: all nodes in the places of a full tree, so that
// a place says where its children are. Tests of the upper levels are made for many trees side by side (forest_bit_kernels.h); from there
// each tree is walked by itself, several of them interleaved.
#pragma once
#include "onward/ops/forest_bit_kernels.h"
#include "onward/ops/forest_leaves.h"
#include "onward/ops/forest_ranks.h"

namespace onward {

template <class T> class LeafHeaps {
 public:
  // Trees without sets, of 7 to 10 levels, a sixteenth full or more, that fit the caches; and a processor with the kernels.
  static bool suits(const PlainForest<T>& forest, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests);
  LeafHeaps(const PlainForest<T>& forest, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests);

  void run(int32_t* ranks, T* scores) const;             // ranks: of one row, by column, no longer needed; scores: [targets], added to
  double cost() const { return cost_; }                  // nanoseconds a row, roughly, without its ranks

 private:
  static constexpr int upper = 4;                        // levels
  static constexpr size_t upper_places = (size_t{1} << upper) - 1;
  static constexpr size_t together = 320;                // trees: a multiple of what any kernel takes at a time
  // Of the tests in the upper levels: at most as many of a column as a byte counts.
  struct Plane { int32_t column; size_t first_code; };   // where in codes_ the code of each rank begins
  struct UpperTests;
  class Builder;
  using Descent = void (*)(const uint32_t* nodes, const uint32_t* row, const uint8_t* places, size_t trees, uint32_t* leaves);

  int depth_;
  Descent descent_;
  const LeafBitKernels* kernels_;
  size_t trees_, columns_;
  std::vector<Plane> planes_;
  std::vector<uint8_t> codes_;
  std::vector<uint8_t> upper_nodes_;                     // of each group of trees, as the kernels have them
  std::vector<uint32_t, LargePages<uint32_t>> nodes_;    // of each tree: rank << 16 | column; below them the numbers of leaves
  std::vector<int32_t> target_;                          // of each tree
  LeafTable<T> leaves_;
  double cost_;
};

extern template class LeafHeaps<float>;
extern template class LeafHeaps<double>;

}  // namespace onward
