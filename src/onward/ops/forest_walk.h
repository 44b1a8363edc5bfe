// Trees walked from node to node without branches, over the row's own values: the children of a node are neighbours, a leaf leads to
// itself, so that walks of different length go side by side.
#pragma once
#include <algorithm>
#include <memory>

#include "onward/base/large_pages.h"
#include "onward/ops/context.h"
#include "onward/ops/forest_leaves.h"

namespace onward {

template <class T> struct SplitNode {
  T split;
  uint32_t feature;                      // bit 31: a NaN goes to the first child; bit 30: split is the number of a set
  int32_t child;                         // the first of two; a leaf: itself
  bool is_set() const { return feature >> 30 & 1; }
  bool passes(const T* row) const {
    const T x = row[feature & ((1u << 30) - 1)];
    return (x <= split) | ((x != x) & bool(feature >> 31));
  }
};

// A set of small whole numbers, and of others.
template <class T> struct MemberSet {
  std::vector<uint64_t> bits;            // of whole numbers from 0
  std::vector<T> others;                 // sorted
  explicit MemberSet(const std::vector<T>& members);
  bool contains(T x) const;
};

template <class T> class Walk {
 public:
  // `combines`: for `combine`, not for `run`.
  explicit Walk(const PlainForest<T>& forest, bool combines = false);

  // rows: where each row starts; scores: (count, targets), added to.
  void run(const T* const* rows, int64_t count, T* scores) const;
  // The smallest or largest of what the leaves give, or their sum; `seen`: (count, targets), set where any leaf gave something.
  void combine(const T* const* rows, int64_t count, Aggregate how, T* scores, bool* seen) const;

  double cost() const { return cost_; }  // nanoseconds a row, roughly
  size_t bytes() const;

 private:
  using Node = SplitNode<T>;
  struct Tree { int32_t root, depth, target; bool has_sets; };
  static constexpr int lanes = 16;

  template <bool sets, bool one_row> void step_lanes(int32_t* at, const T* const* rows, int32_t depth) const;
  void walk(const int32_t* roots, const T* const* rows, int count, int32_t depth, bool sets, int32_t* at) const;
  template <bool sets> int32_t step(int32_t at, const T* row) const;
  size_t leaf_at(int32_t at) const { return size_t(leaf_[size_t(at)]); }
  bool is_leaf(int32_t at) const { return nodes_[size_t(at)].child == at; }
  void run_row(const T* row, T* scores) const;
  void add_leaves(const Tree& tree, const int32_t* at, int count, T* scores) const;

  std::vector<Node, LargePages<Node>> nodes_;
  std::vector<int32_t> leaf_;            // by node, its number among the leaves
  std::vector<Tree> trees_;
  std::vector<int32_t> by_depth_;        // trees, in the order in which one row walks them
  std::vector<MemberSet<T>> sets_;
  LeafTable<T> leaves_;
  double cost_ = 0;
};

extern template class Walk<float>;
extern template class Walk<double>;

}  // namespace onward
