// One row through many small trees, many of them side by side: a row's codes stand in registers, where byte permutations look up
// those of a node of every tree at once (forest_bit_kernels.h). Trees of any form: each failed test clears the leaves that it rules
// out, and the first leaf left is the one reached (Lucchese et al., QuickScorer, SIGIR 2015, with a tree in each lane). Trees that are
// nearly full, as deep as they are: all nodes in the places of a full tree, where a mask says whether the row comes by. Symmetric
// trees: one test for each level.
#pragma once
#include "onward/ops/forest_bit_kernels.h"
#include "onward/ops/forest_leaves.h"
#include "onward/ops/forest_ranks.h"

namespace onward {

template <class T> class LeafBits {
 public:
  // Trees of at most 64 leaves, at most 256 planes and sets, and a processor that can do it.
  static bool suits(const PlainForest<T>& forest, const Ranks<T>& ranks);
  LeafBits(const PlainForest<T>& forest, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests);

  void run(const int32_t* ranks, T* scores) const;       // ranks: of one row, by column; scores: [targets], added to
  double cost() const { return cost_; }                  // nanoseconds a row, roughly, without its ranks

 private:
  enum class Form : uint8_t { levels, full, leaves32, leaves64 };
  struct Group {                                         // of as many trees as there are lanes, or of those that are left
    Form form;
    int32_t nodes, trees;                                // of the largest of its trees; levels: so many
    size_t first_node, first_stay;
  };
  class Builder;
  void encode(const int32_t* ranks, uint8_t* codes) const;

  std::vector<Group> groups_;
  const LeafBitKernels* kernels_;
  std::vector<uint8_t> nodes_, stay_;                    // of each group, as the kernels have them
  std::vector<int32_t> first_leaf_, target_;             // of each tree
  BytePlanes planes_;                                    // and after them a plane for each set: 0 for its members
  std::vector<typename Ranks<T>::Category> sets_;
  LeafTable<T> leaves_;
  double cost_ = 0;
};

extern template class LeafBits<float>;
extern template class LeafBits<double>;

}  // namespace onward
