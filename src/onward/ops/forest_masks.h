// Many rows through small trees: for each node a mask says which rows reach it. A test is one comparison of a byte in each of 64 rows,
// so that a tree costs as its nodes count, not as it is deep, and nothing is looked up or predicted.
//
// (Bit vectors over trees: Lucchese et al., QuickScorer, SIGIR 2015; thresholds of a feature as bytes: Ye et al., RapidScorer, KDD
// 2018. Here the masks run over rows instead of leaves.)
#pragma once
#include "onward/ops/context.h"
#include "onward/ops/forest_leaves.h"
#include "onward/ops/forest_mask_kernels.h"
#include "onward/ops/forest_ranks.h"

namespace onward {

template <class T> class ReachMasks {
 public:
  // Trees of at most 256 leaves.
  static bool suits(const PlainForest<T>& forest, const Ranks<T>& ranks);
  ReachMasks(const PlainForest<T>& forest, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests);

  // x: (n, width); scores: (n, targets), written.
  void run(const Ranks<T>& ranks, const T* x, int64_t n, int64_t width, T* scores) const;
  // Nanoseconds for n rows, roughly, without their ranks (a core with AVX-512 at some 3.5 GHz).
  double cost(int64_t n) const { return n > 192 ? cost_ * double(n) / 64 : cost_ * 1.35 * double((n + 63) / 64); }

  struct Tree {
    int32_t nodes, lowest, leaves;                       // nodes from lowest on have leaves alone
    int32_t target;
    bool symmetric;                                      // every node of a level makes the same test: its nodes are the levels
  };

 private:
  struct Block;
  void run_block(const ReachKernels& kernels, const Ranks<T>& ranks, const T*& x, int64_t& n, int64_t width, T*& scores, Block& block) const;
  void encode(const Ranks<T>& ranks, const T* x, int count, int64_t width, int rows, Block& block) const;
  void add_several(const uint8_t* leaf, int count, int32_t first, T* scores) const;
  void encode_sets(int begin, int count, int rows, Block& block) const;

  std::vector<ReachNode> nodes_;                         // of one tree after the other
  std::vector<Tree> trees_;
  BytePlanes planes_;                                    // and after them a plane for each set: 0 in the rows of its members
  std::vector<typename Ranks<T>::Category> sets_;
  LeafTable<T> leaves_;
  double cost_ = 0;                                      // of 64 rows among many
};

extern template class ReachMasks<float>;
extern template class ReachMasks<double>;

}  // namespace onward
