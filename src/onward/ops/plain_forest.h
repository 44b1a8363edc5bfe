// Decision trees as a model states them, in one list for each property of a node, and what every layout of them needs first.
#pragma once
#include <cstdint>
#include <vector>

#include "onward/base/error.h"

namespace onward {

enum class Branch : uint8_t { leq, lt, gte, gt, eq, neq, member };
enum class Aggregate : int64_t { average, sum, smallest, largest };

template <class T> struct PlainForest {
  // Of each node. Children are nodes, or ~leaf.
  std::vector<T> split;                                  // of a member node the number of its set
  std::vector<int32_t> feature, yes, no;
  std::vector<Branch> mode;
  std::vector<uint8_t> missing_yes;                      // a NaN takes the yes branch
  std::vector<int32_t> roots;                            // of each tree: a node, or ~leaf
  std::vector<std::vector<T>> sets;
  // Leaf i adds addends [leaf_begin[i], leaf_begin[i + 1]).
  std::vector<int32_t> leaf_begin{0};
  std::vector<int32_t> target;
  std::vector<T> weight;
  int64_t targets = 1;

  size_t nodes() const { return feature.size(); }
  size_t leaves() const { return leaf_begin.size() - 1; }
  int32_t add_set(std::vector<T> members);
};

// Makes every test `x <= split` (leq) or `x is in a set` (member), with the branches swapped where that takes it: yes is then the branch
// of the test, and missing_yes says whether NaN takes it. x < s is x <= the number before s. A split that nothing is below is NaN;
// what nothing passes, not even NaN, is left out.
// Throws Error{bad_model} for features, targets and children that do not exist.
template <class T> void normalise(PlainForest<T>&);

// The targets to which some tree adds whatever the row is.
template <class T> std::vector<bool> always_reached(const PlainForest<T>&);

// A leaf of TreeEnsemble adds to one target, so that a tree for several is written as copies of one tree, each with the branches that
// it needs. Copies that follow each other become one tree whose leaves have several addends. Sums stay as they were, bit by bit: what
// is left out is the addition of zero. Needs a normalised forest.
template <class T> void fold_copies(PlainForest<T>&);

// How much may be laid out: branches and leaves may be shared, but not without end. Throws Error{bad_model}.
template <class T> class LayoutLimits {
 public:
  explicit LayoutLimits(const PlainForest<T>& forest) : forest_(forest), branches_(8 * (forest.nodes() + forest.roots.size()) + 512), addends_(32 * forest.weight.size() + 1024) {}
  void branch(int32_t node, int64_t depth);              // a node this far from its root
  void leaf(int32_t leaf);

 private:
  const PlainForest<T>& forest_;
  size_t branches_, addends_;                            // that are left
};

// One tree in the order in which it is laid out: slot 0 is the root, the two children of a slot are neighbours and come after it.
struct TreeSlots {
  std::vector<int32_t> from;                             // of each slot: a node, or ~leaf
  std::vector<int32_t> child;                            // of each slot: the first of its two children; -1: a leaf
  std::vector<int32_t> inner;                            // slots of nodes; the children of the j-th are slots 2j + 1 and 2j + 2
  std::vector<int32_t> leaves;                           // slots of leaves, from the first branches to the last
  int depth = 0;
};

// Lays out one tree after the other. Works without recursion: trees may be as deep as they have nodes.
template <class T> class SlotMaker {
 public:
  explicit SlotMaker(const PlainForest<T>& forest) : forest_(forest), limits_(forest) {}
  // Throws Error{bad_model} for nodes that lead back to themselves. The slots are valid until the next call.
  const TreeSlots& of(int32_t root);

 private:
  struct Task { int32_t slot, depth; };
  const PlainForest<T>& forest_;
  LayoutLimits<T> limits_;
  TreeSlots slots_;
  std::vector<Task> todo_;
};

extern template struct PlainForest<float>;
extern template struct PlainForest<double>;

}  // namespace onward
