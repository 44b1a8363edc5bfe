// One row through many small trees, sixty-four trees side by side: each failed test clears the leaves that it rules out, and the first
// leaf left is the one reached (Lucchese et al., QuickScorer, SIGIR 2015, with a tree in each lane). A row's codes stand in registers,
// where a byte permutation looks up those of sixty-four nodes at once: needs AVX-512 VBMI.
#pragma once
#include "onward/ops/forest_leaves.h"
#include "onward/ops/forest_ranks.h"

namespace onward {

using BytePlanes = Planes<uint8_t, 254>;

template <class T> class LeafBits {
 public:
  // Trees of at most 64 leaves, at most 256 planes and sets, and a processor that can do it.
  static bool suits(const PlainForest<T>& forest, const Ranks<T>& ranks);
  LeafBits(const PlainForest<T>& forest, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests);

  void run(const int32_t* ranks, T* scores) const;       // ranks: of one row, by column; scores: [targets], added to
  double cost() const { return cost_; }                  // nanoseconds a row, roughly, without its ranks

 private:
  struct Group {                                         // of 64 trees, or of those that are left
    int32_t nodes, trees;
    bool wide;                                           // leaves in 64 bits, else in 32
    size_t bytes, bits;                                  // where its planes and codes begin, and its leaves
  };
  void add_group(const PlainForest<T>& forest, const std::vector<typename Ranks<T>::Test>& tests, std::span<const int32_t> roots);
  void encode(const int32_t* ranks, uint8_t* codes) const;

  std::vector<Group> groups_;
  std::vector<uint8_t> bytes_;                           // for each node of a group: 64 planes, 64 codes
  std::vector<uint32_t> bits_;                           // for each node of a group: the leaves that stay when its tests fail
  std::vector<int32_t> first_leaf_, target_;             // of each tree
  BytePlanes planes_;                                    // and after them a plane for each set: 0 for its members
  std::vector<typename Ranks<T>::Category> sets_;
  LeafTable<T> leaves_;
  double cost_ = 0;
};

extern template class LeafBits<float>;
extern template class LeafBits<double>;

}  // namespace onward
