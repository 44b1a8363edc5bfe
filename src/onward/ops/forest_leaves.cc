#include "onward/ops/forest_leaves.h"

#include <algorithm>
#include <utility>

namespace onward {
namespace {

template <class T> bool adds_twice_to_a_target(const PlainForest<T>& f) {
  std::vector<int32_t> last(size_t(f.targets), -1);
  for (size_t leaf = 0; leaf < f.leaves(); ++leaf)
    for (int32_t i = f.leaf_begin[leaf]; i < f.leaf_begin[leaf + 1]; ++i)
      if (std::exchange(last[size_t(f.target[size_t(i)])], int32_t(leaf)) == int32_t(leaf)) return true;
  return false;
}

template <class T> int32_t single_target(const PlainForest<T>& f, const TreeSlots& tree) {  // -1: the leaves are empty; -2: several
  int32_t target = -1;
  for (const int32_t slot : tree.leaves) {
    const auto leaf = size_t(~tree.from[size_t(slot)]);
    for (int32_t i = f.leaf_begin[leaf]; i < f.leaf_begin[leaf + 1]; ++i) {
      if (target >= 0 && f.target[size_t(i)] != target) return -2;
      target = f.target[size_t(i)];
    }
  }
  return target;
}

// What the trees' leaves are, counted as often as trees lead to them.
template <class T> struct LeavesInPlace {
  bool one_target = true;                                // of each tree
  int64_t leaves = 0, addends = 0;
  explicit LeavesInPlace(const PlainForest<T>& f) {
    if (f.targets == 1) return;
    SlotMaker<T> maker(f);
    for (const int32_t root : f.roots) {
      const TreeSlots& tree = maker.of(root);
      one_target = one_target && single_target(f, tree) != -2;
      leaves += int64_t(tree.leaves.size());
      for (const int32_t slot : tree.leaves) addends += f.leaf_begin[size_t(~tree.from[size_t(slot)]) + 1] - f.leaf_begin[size_t(~tree.from[size_t(slot)])];
    }
  }
};

}  // namespace

template <class T> LeafTable<T>::LeafTable(const PlainForest<T>& f, bool as_lists) : targets(f.targets) {
  if (as_lists || adds_twice_to_a_target(f)) {
    form = Form::lists;
  } else {
    const LeavesInPlace<T> all(f);
    form = all.one_target ? Form::single : f.targets <= 4 || all.addends >= all.leaves * f.targets / 4 ? Form::dense : Form::lists;
  }
  if (form == Form::lists) begin.push_back(0);
  // As many as the leaves add, if trees lead to each of them once.
  if (form == Form::single && f.leaves() == f.weight.size()) values.reserve(f.leaves());
}

template <class T> void LeafTable<T>::add(const PlainForest<T>& f, int32_t leaf) {
  const auto first = size_t(f.leaf_begin[size_t(leaf)]), end = size_t(f.leaf_begin[size_t(leaf) + 1]);
  if (form == Form::lists) {
    for (size_t i = first; i < end; ++i) target.push_back(f.target[i]), values.push_back(f.weight[i]);
    begin.push_back(int32_t(values.size()));
    return;
  }
  if (form == Form::single && end == first + 1) return values.push_back(f.weight[first]);
  const size_t at = values.size();
  values.resize(at + (form == Form::single ? 1 : size_t(targets)), T(0));
  for (size_t i = first; i < end; ++i) values[at + (form == Form::single ? 0 : size_t(f.target[i]))] = f.weight[i];
}

template <class T> int32_t LeafTable<T>::target_of(const PlainForest<T>& f, const TreeSlots& tree) const {
  return form == Form::single && f.targets > 1 ? std::max(single_target(f, tree), 0) : 0;
}

template struct LeafTable<float>;
template struct LeafTable<double>;

}  // namespace onward
