// Trees walked from node to node without branches: the children of a node are neighbours, a leaf leads to itself, so that walks of
// different length go side by side. Over the row's own values (SplitNode), or over their ranks (CodeNode), which take half the memory.
#pragma once
#include <algorithm>
#include <memory>

#include "onward/base/large_pages.h"
#include "onward/ops/context.h"
#include "onward/ops/forest_leaves.h"
#include "onward/ops/forest_ranks.h"

namespace onward {

template <class T> struct SplitNode {
  using Value = T;
  T split;
  uint32_t feature;                      // bit 31: a NaN goes to the first child; bit 30: split is the number of a set
  int32_t child;                         // the first of two; a leaf: itself
  bool is_set() const { return feature >> 30 & 1; }
  bool passes(const T* row) const {
    const T x = row[feature & ((1u << 30) - 1)];
    return (x <= split) | ((x != x) & bool(feature >> 31));
  }
};

struct CodeNode {
  using Value = uint16_t;
  uint16_t plane;                        // bit 15: code is the number of a set; a leaf: the plane after all others, which is 0
  uint16_t code;                         // a leaf: its number in the tree
  int32_t child;
  bool is_set() const { return plane >> 15; }
  bool passes(const uint16_t* row) const { return row[plane] <= code; }
};

// A set of small whole numbers, and of others.
template <class T> struct MemberSet {
  std::vector<uint64_t> bits;            // of whole numbers from 0
  std::vector<T> others;                 // sorted
  explicit MemberSet(const std::vector<T>& members);
  bool contains(T x) const;
};

template <class T, class Node> class Walk {
 public:
  using Value = typename Node::Value;

  // The row's values themselves. `combines`: for `combine`, not for `run`.
  explicit Walk(const PlainForest<T>& forest, bool combines = false) requires std::is_same_v<Node, SplitNode<T>>;
  // Their codes in `planes`. `tests`: of each node, as Ranks makes them.
  Walk(const PlainForest<T>& forest, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) requires std::is_same_v<Node, CodeNode>;
  // The same trees of floats, for doubles: their codes are those of `Ranks(ranks, strict)`.
  explicit Walk(const Walk<float, CodeNode>& from) requires std::is_same_v<T, double> && std::is_same_v<Node, CodeNode>;

  // Whether planes, sets and leaves could be numbered by what a node has room for; nothing else may be asked where not.
  bool fits() const { return fits_; }

  // rows: where each row starts; codes are followed by a 0. scores: (count, targets), added to.
  void run(const Value* const* rows, int64_t count, T* scores) const;
  // The smallest or largest of what the leaves give, or their sum; `seen`: (count, targets), set where any leaf gave something.
  void combine(const Value* const* rows, int64_t count, Aggregate how, T* scores, bool* seen) const;

  const WalkPlanes& planes() const { return planes_; }
  double cost() const { return cost_; }  // nanoseconds a row, roughly
  static double tree_cost(int32_t depth) { return 2.0 + 0.85 * std::min(depth, 40); }
  size_t bytes() const;

 private:
  template <class U, class N> friend class Walk;
  struct Tree { int32_t root, depth, target, first_leaf; bool has_sets; };
  static constexpr bool by_codes = std::is_same_v<Node, CodeNode>;
  static constexpr int lanes = 16, far_lanes = 128;

  void pack(const PlainForest<T>& forest, LeafTable<T> leaves, auto&& node_of);
  template <bool sets, bool one_row> void step_lanes(int32_t* at, const Value* const* rows, int32_t depth) const;
  template <bool sets> void step_far(int32_t* at, int count, const Value* row, int32_t depth) const;
  void walk(const int32_t* roots, const Value* const* rows, int count, int32_t depth, bool sets, int32_t* at) const;
  template <bool sets> int32_t step(int32_t at, const Value* row) const;
  size_t leaf_at(int32_t at, const Tree& tree) const {
    if constexpr (by_codes) return size_t(tree.first_leaf + nodes_[size_t(at)].code);
    else return size_t(leaf_[size_t(at)]);
  }
  bool is_leaf(int32_t at) const { return nodes_[size_t(at)].child == at; }
  void run_row(const Value* row, T* scores) const;
  void add_leaves(const Tree& tree, const int32_t* at, int count, T* scores) const;

  std::vector<Node, LargePages<Node>> nodes_;
  std::vector<int32_t> leaf_;            // of SplitNode: by node, its number among the leaves
  std::vector<Tree> trees_;
  std::vector<int32_t> by_depth_;        // trees, in the order in which one row walks them
  std::vector<MemberSet<T>> sets_;       // of SplitNode
  std::vector<int32_t> set_begin_;       // of CodeNode: the word of set_bits_ where a set begins
  std::vector<uint64_t> set_bits_;
  WalkPlanes planes_;
  LeafTable<T> leaves_;
  double cost_ = 0;
  bool fits_ = true;
};

extern template class Walk<float, SplitNode<float>>;
extern template class Walk<double, SplitNode<double>>;
extern template class Walk<float, CodeNode>;
extern template class Walk<double, CodeNode>;

}  // namespace onward
