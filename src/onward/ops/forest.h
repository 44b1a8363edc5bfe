// Decision trees packed once, at load, and walked without branches: the engine of TreeEnsemble and its two predecessors.
//
// Nodes of a tree lie so that the two children of a node are neighbours; a leaf leads to itself, so that rows of different depth
// walk together. All tests become `x <= split` or `x is in a set`: x < s is x <= the number before s, and > and >= are the same
// tests with the branches swapped. Sums run in the trees' order, in their own type: a row's answer depends on nothing else.
#pragma once
#include <memory>
#include <vector>

#include "onward/ops/context.h"

namespace onward {

enum class Branch : uint8_t { leq, lt, gte, gt, eq, neq, member };
enum class Aggregate : int64_t { average, sum, smallest, largest };

// A forest as a model states it. Children are nodes, or ~leaf.
template <class T> struct PlainForest {
  struct Node {
    T split{};
    int64_t feature = 0;
    Branch mode = Branch::leq;
    bool missing_yes = false;            // a NaN takes the yes branch
    int64_t yes = 0, no = 0;
    std::vector<T> set = {};             // of a member node
  };
  struct Addend { int64_t target; T weight; };
  std::vector<Node> nodes;
  std::vector<int64_t> roots;            // nodes, or ~leaf
  std::vector<std::vector<Addend>> leaves;
  int64_t targets = 1;
};

template <class T> class Forest {
 public:
  // Throws Error{bad_model} for children, features or targets that do not exist, and for nodes that lead back to themselves.
  explicit Forest(const PlainForest<T>& from);
  int64_t features() const { return features_; }         // what a row must have at least
  int64_t trees() const { return int64_t(trees_.size()); }

  // x: (n, width) row-major; scores: (n, targets). `seen`, if given: (n, targets), set where any leaf added.
  void run(const RunContext& context, const T* x, int64_t n, int64_t width, Aggregate aggregate, T* scores, bool* seen = nullptr) const;

 private:
  struct Node {
    T split;
    uint32_t feature;                    // bit 31: a NaN goes to the first child; bit 30: split is the number of a set
    int32_t child;                       // the first of two; a leaf: itself
  };
  struct Tree { int32_t root, depth; bool has_sets; };
  struct Set {
    std::vector<uint64_t> bits;          // of whole numbers from 0
    std::vector<T> others;               // sorted
    bool contains(T x) const;
  };
  struct LeafRange { int32_t first = 0, count = 0; };
  static constexpr uint32_t nan_first = 1u << 31, is_set = 1u << 30, feature_mask = is_set - 1;
  static constexpr int lanes = 16;

  class Packer;
  template <bool sets> void walk(const int32_t* roots, const T* const* rows, int count, int32_t depth, int32_t* at) const;
  void walk_rows(const Tree& tree, const T* const* rows, int count, int32_t* at) const;
  void run_block(const T* x, int64_t n, int64_t width, Aggregate aggregate, T* scores, bool* seen) const;
  void run_row(const T* x, Aggregate aggregate, T* scores, bool* seen) const;
  void add(int32_t node, Aggregate aggregate, T* scores, bool* seen) const;

  std::vector<Node> nodes_;
  std::vector<LeafRange> leaves_;        // by node
  std::vector<T> weights_;               // of the addends
  std::vector<int32_t> weight_targets_;
  std::vector<Tree> trees_;
  std::vector<Set> sets_;
  int64_t targets_ = 1, features_ = 0;
  double cost_ = 0;                      // nanoseconds a row, roughly
};

extern template class Forest<float>;
extern template class Forest<double>;

}  // namespace onward
