#include "onward/ops/plain_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

namespace onward {
namespace {

template <class T> void check_structure(const PlainForest<T>& f) {
  if (f.nodes() >= size_t(INT32_MAX) / 4 || f.leaves() >= size_t(INT32_MAX) / 4) fail(Code::limit_size, "more than 2^29 tree nodes");
  const auto exists = [nodes = uint32_t(f.nodes()), leaves = uint32_t(f.leaves())](int32_t to) { return to >= 0 ? uint32_t(to) < nodes : uint32_t(~to) < leaves; };
  const auto check = [&](int32_t to, const char* what, size_t i) {
    if (exists(to)) return;
    if (to >= 0) fail(Code::bad_model, what, i, " refers to node ", to, " of ", f.nodes());
    fail(Code::bad_model, what, i, " refers to leaf ", ~to, " of ", f.leaves());
  };
  for (size_t i = 0; i < f.roots.size(); ++i) check(f.roots[i], "tree ", i);
  for (size_t i = 0; i < f.nodes(); ++i) {
    check(f.yes[i], "tree node ", i), check(f.no[i], "tree node ", i);
    if (f.feature[i] < 0 || f.feature[i] >= 1 << 30) fail(Code::bad_model, "tree node ", i, " tests feature ", f.feature[i]);
  }
  for (size_t i = 0; i < f.target.size(); ++i)
    if (f.target[i] < 0 || f.target[i] >= f.targets) fail(Code::bad_model, "a leaf adds to target ", f.target[i], " of ", f.targets);
}

// Whether some row may pass the test.
template <class T> bool normalise_node(PlainForest<T>& f, size_t i) {
  if (f.mode[i] == Branch::leq && f.split[i] == f.split[i]) return true;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  const Branch mode = f.mode[i];
  T& split = f.split[i];
  bool swap = mode == Branch::gte || mode == Branch::gt || mode == Branch::neq;
  bool missing_yes = f.missing_yes[i] || mode == Branch::neq;         // NaN differs from every number
  if (mode == Branch::eq || mode == Branch::neq) split = T(f.add_set({split}));
  else if (mode != Branch::member && split != split) swap = false;    // comparing with NaN is false before any swap: the branch of "no"
  else if (mode == Branch::lt || mode == Branch::gte) split = split == -infinity ? std::numeric_limits<T>::quiet_NaN() : std::nextafter(split, -infinity);
  f.mode[i] = mode >= Branch::eq ? Branch::member : Branch::leq;
  if (swap) std::swap(f.yes[i], f.no[i]), missing_yes = !missing_yes;
  f.missing_yes[i] = missing_yes;
  return split == split || missing_yes;
}

// Leaves out nodes whose test no row passes: what led to them leads to their other branch.
template <class T> void leave_out(PlainForest<T>& f, const std::vector<bool>& idle) {
  std::vector<size_t> way;
  const auto shorten = [&](int32_t& to) {
    way.clear();
    int32_t at = to;
    for (; at >= 0 && idle[size_t(at)]; at = f.no[size_t(at)]) {
      if (way.size() > f.nodes()) fail(Code::bad_model, "tree node ", at, " leads back to itself");
      way.push_back(size_t(at));
    }
    for (const size_t i : way) f.no[i] = at;
    to = at;
  };
  for (int32_t& root : f.roots) shorten(root);
  for (size_t i = 0; i < f.nodes(); ++i) if (!idle[i]) shorten(f.yes[i]), shorten(f.no[i]);
  for (size_t i = 0; i < f.nodes(); ++i) if (idle[i]) f.yes[i] = f.no[i] = ~0;
}

// Gives leaves of one tree what those of a later one add. A leaf that gets something becomes a new one, which only its place in that
// tree knows; it grows with each tree, and is written out at the end.
template <class T> class CopyMerge {
 public:
  explicit CopyMerge(PlainForest<T>& f) : f_(f), own_(int32_t(f.leaves())), left_(16 * f.weight.size() + 1024), parents_(f.nodes()), empty_(f.leaves(), true) {
    for (const auto* list : {&f.yes, &f.no, &f.roots}) for (const int32_t to : *list) if (to >= 0) ++parents_[size_t(to)];
    for (int32_t leaf = 0; leaf < own_; ++leaf) each_addend(leaf, [&](size_t) { empty_[size_t(leaf)] = false; });
  }

  // Whether a has all nodes of b and takes in its leaves.
  bool merge(int32_t& a, int32_t b) {
    links_.clear();
    todo_.assign(1, {&a, b});
    while (!todo_.empty()) {
      const Pair p = todo_.back();
      todo_.pop_back();
      if (*p.a < 0 && p.b < 0) links_.push_back(p);
      else if (*p.a < 0 ? true : p.b < 0 ? !empty_[size_t(~p.b)] : !descend(*p.a, p.b)) return false;
    }
    for (const Pair& p : links_) if (!may_join(~*p.a, ~p.b)) return false;
    for (const Pair& p : links_) if (!empty_[size_t(~p.b)]) *p.a = ~joined(~*p.a, ~p.b);
    return true;
  }

  void write_out() {
    for (const auto& parts : grown_) {
      for (const int32_t leaf : parts) each_addend(leaf, [&](size_t i) {
        const int32_t target = f_.target[i];
        const T weight = f_.weight[i];
        f_.target.push_back(target), f_.weight.push_back(weight);
      });
      f_.leaf_begin.push_back(int32_t(f_.weight.size()));
    }
  }

 private:
  struct Pair { int32_t* a; int32_t b; };

  bool descend(int32_t a, int32_t b) {
    const auto i = size_t(a), j = size_t(b);
    if (parents_[i] != 1) return false;                                // shared branches stay as they are
    if (f_.feature[i] != f_.feature[j] || f_.mode[i] != f_.mode[j] || f_.missing_yes[i] != f_.missing_yes[j]) return false;
    if (f_.mode[i] == Branch::member ? f_.sets[size_t(f_.split[i])] != f_.sets[size_t(f_.split[j])] : !(f_.split[i] == f_.split[j])) return false;
    todo_.push_back({&f_.no[i], f_.no[j]}), todo_.push_back({&f_.yes[i], f_.yes[j]});
    return true;
  }
  template <class F> void each_addend(int32_t leaf, F&& f) const {
    for (auto i = size_t(f_.leaf_begin[size_t(leaf)]), end = size_t(f_.leaf_begin[size_t(leaf) + 1]); i < end; ++i) if (f_.weight[i] != 0) f(i);
  }
  size_t addends(int32_t leaf) const { return leaf < own_ ? size_t(f_.leaf_begin[size_t(leaf) + 1] - f_.leaf_begin[size_t(leaf)]) : 0; }
  uint64_t key(int32_t leaf, size_t addend) const { return uint64_t(leaf) << 32 | uint64_t(f_.target[addend]); }

  // Two additions to one target are not one.
  bool may_join(int32_t a, int32_t b) {
    if (empty_[size_t(b)]) return true;
    const size_t work = addends(a) + addends(b);
    if (work > left_) return false;
    left_ -= work;
    if (a < own_) each_addend(a, [&](size_t i) { held_.insert(key(a, i)); });
    bool apart = true;
    each_addend(b, [&](size_t i) { apart = apart && !held_.contains(key(a, i)); });
    return apart;
  }
  int32_t joined(int32_t a, int32_t b) {
    const int32_t leaf = a < own_ ? own_ + int32_t(grown_.size()) : a;
    if (a < own_) grown_.emplace_back();
    for (const int32_t part : {a, b}) {
      if (part >= own_) continue;
      grown_[size_t(leaf - own_)].push_back(part);
      each_addend(part, [&](size_t i) { held_.insert(key(leaf, i)); });
    }
    return leaf;
  }

  PlainForest<T>& f_;
  const int32_t own_;                                                  // leaves before the new ones
  size_t left_;                                                        // addends that may still be looked at: leaves may be shared, too
  std::vector<int32_t> parents_;                                       // of each node: how many nodes and trees lead to it
  std::vector<bool> empty_;                                            // leaves that add nothing
  std::vector<std::vector<int32_t>> grown_;                            // of each new leaf: those that it is made of
  std::unordered_set<uint64_t> held_;                                  // leaves and targets to which they add
  std::vector<Pair> todo_, links_;
};

}  // namespace

template <class T> int32_t PlainForest<T>::add_set(std::vector<T> members) {
  std::erase_if(members, [](T m) { return m != m; });
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  sets.push_back(std::move(members));
  if (sets.size() > (1u << 24)) fail(Code::limit_size, "more than 2^24 tree nodes test sets");
  return int32_t(sets.size()) - 1;
}

template <class T> void normalise(PlainForest<T>& f) {
  check_structure(f);
  std::vector<bool> idle(f.nodes());
  bool any = false;
  for (size_t i = 0; i < f.nodes(); ++i) if (!normalise_node(f, i)) idle[i] = any = true;
  if (any) leave_out(f, idle);
}

template <class T> std::vector<bool> always_reached(const PlainForest<T>& f) {
  std::vector<bool> always(size_t(f.targets), false);
  std::vector<int32_t> leaves_adding(size_t(f.targets), 0), met, last(size_t(f.targets), -1);
  SlotMaker<T> maker(f);
  int32_t number = 0;                                                  // of a leaf met
  for (const int32_t root : f.roots) {
    const TreeSlots& tree = maker.of(root);
    met.clear();
    for (const int32_t slot : tree.leaves) {
      const auto leaf = size_t(~tree.from[size_t(slot)]);
      for (int32_t i = f.leaf_begin[leaf]; i < f.leaf_begin[leaf + 1]; ++i) {
        const int32_t t = f.target[size_t(i)];
        if (last[size_t(t)] == number) continue;
        last[size_t(t)] = number;
        if (leaves_adding[size_t(t)]++ == 0) met.push_back(t);
      }
      ++number;
    }
    for (const int32_t t : met) {
      if (leaves_adding[size_t(t)] == int32_t(tree.leaves.size())) always[size_t(t)] = true;
      leaves_adding[size_t(t)] = 0;
    }
  }
  return always;
}

template <class T> void fold_copies(PlainForest<T>& f) {
  if (f.targets == 1) return;
  CopyMerge<T> copies(f);
  std::vector<int32_t> kept;
  for (const int32_t root : f.roots)
    if (kept.empty() || (kept.back() < 0) != (root < 0) || !copies.merge(kept.back(), root)) kept.push_back(root);
  copies.write_out();
  f.roots = std::move(kept);
}

template <class T> void LayoutLimits<T>::branch(int32_t node, int64_t depth) {
  if (size_t(depth) > forest_.nodes()) fail(Code::bad_model, "tree node ", node, " leads back to itself");
  if (branches_ == 0) fail(Code::bad_model, "the trees share so many branches that they cannot be laid out");
  --branches_;
}

template <class T> void LayoutLimits<T>::leaf(int32_t leaf) {
  const auto addends = size_t(forest_.leaf_begin[size_t(leaf) + 1] - forest_.leaf_begin[size_t(leaf)]);
  if (addends_ < addends) fail(Code::bad_model, "the trees share so many leaves that they cannot be laid out");
  addends_ -= addends;
}

template <class T> const TreeSlots& SlotMaker<T>::of(int32_t root) {
  TreeSlots& s = slots_;
  s.from.assign(1, root), s.child.assign(1, -1), s.inner.clear(), s.leaves.clear(), s.depth = 0;
  // Makes the children of a slot, which is a node; the number of the first.
  const auto branch = [&](int32_t node, Task at) {
    limits_.branch(node, at.depth);
    const size_t child = s.from.size();
    s.child[size_t(at.slot)] = int32_t(child);
    s.inner.push_back(at.slot);
    s.from.resize(child + 2), s.child.resize(child + 2, -1);
    s.from[child] = forest_.yes[size_t(node)], s.from[child + 1] = forest_.no[size_t(node)];
    return int32_t(child);
  };
  todo_.clear();
  for (Task at{0, 0};;) {
    const int32_t from = s.from[size_t(at.slot)];
    if (from >= 0) {                                       // on to its first child; the second waits
      at = {branch(from, at), at.depth + 1};
      todo_.push_back({at.slot + 1, at.depth});
      continue;
    }
    limits_.leaf(~from);
    s.leaves.push_back(at.slot), s.depth = std::max(s.depth, int(at.depth));
    if (todo_.empty()) return s;
    at = todo_.back(), todo_.pop_back();
  }
}

#define ONWARD_PLAIN_FOREST(T) \
  template struct PlainForest<T>; \
  template class LayoutLimits<T>; \
  template class SlotMaker<T>; \
  template void normalise(PlainForest<T>&); \
  template std::vector<bool> always_reached(const PlainForest<T>&); \
  template void fold_copies(PlainForest<T>&);
ONWARD_PLAIN_FOREST(float)
ONWARD_PLAIN_FOREST(double)

}  // namespace onward
