#include "onward/ops/plain_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace onward {
namespace {

template <class T> void check_structure(const PlainForest<T>& f) {
  if (f.nodes() >= size_t(INT32_MAX) / 4 || f.leaves() >= size_t(INT32_MAX) / 4) fail(Code::limit_size, "more than 2^29 tree nodes");
  const auto child = [&](int32_t to, const char* what, size_t i) {
    if (to >= 0 ? size_t(to) < f.nodes() : size_t(~to) < f.leaves()) return;
    if (to >= 0) fail(Code::bad_model, what, i, " refers to node ", to, " of ", f.nodes());
    fail(Code::bad_model, what, i, " refers to leaf ", ~to, " of ", f.leaves());
  };
  for (size_t i = 0; i < f.roots.size(); ++i) child(f.roots[i], "tree ", i);
  for (size_t i = 0; i < f.nodes(); ++i) {
    child(f.yes[i], "tree node ", i), child(f.no[i], "tree node ", i);
    if (f.feature[i] < 0 || f.feature[i] >= 1 << 30) fail(Code::bad_model, "tree node ", i, " tests feature ", f.feature[i]);
  }
  for (size_t i = 0; i < f.target.size(); ++i)
    if (f.target[i] < 0 || f.target[i] >= f.targets) fail(Code::bad_model, "a leaf adds to target ", f.target[i], " of ", f.targets);
}

template <class T> void normalise_node(PlainForest<T>& f, size_t i) {
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
  if (split != split && !missing_yes) f.yes[i] = f.no[i], split = 0;  // no row takes the branch of the test
}

// The leaves of `a` that get what leaves of `b` add, where b has no node that a lacks.
template <class T> class CopyMerge {
 public:
  explicit CopyMerge(PlainForest<T>& f) : f_(f), seen_(f.nodes(), -1) {}

  bool merge(int32_t& a, int32_t b) {
    ++round_;
    links_.clear();
    todo_.assign(1, {&a, b});
    while (!todo_.empty()) {
      const Pair p = todo_.back();
      todo_.pop_back();
      if (*p.a < 0 && p.b < 0) links_.push_back(p);
      else if (*p.a < 0 ? true : p.b < 0 ? !adds_nothing(~p.b) : !descend(*p.a, p.b)) return false;
    }
    for (const Pair& p : links_) if (share_targets(~*p.a, ~p.b)) return false;   // two additions to one target are not one
    for (const Pair& p : links_) if (!adds_nothing(~p.b)) *p.a = ~joined(~*p.a, ~p.b);
    return true;
  }

 private:
  struct Pair { int32_t* a; int32_t b; };

  bool descend(int32_t a, int32_t b) {
    const auto i = size_t(a), j = size_t(b);
    if (a == b || seen_[i] == round_) return false;                    // shared branches stay as they are
    seen_[i] = round_;
    if (f_.feature[i] != f_.feature[j] || f_.mode[i] != f_.mode[j] || f_.missing_yes[i] != f_.missing_yes[j]) return false;
    if (f_.mode[i] == Branch::member ? f_.sets[size_t(f_.split[i])] != f_.sets[size_t(f_.split[j])] : !(f_.split[i] == f_.split[j])) return false;
    todo_.push_back({&f_.no[i], f_.no[j]}), todo_.push_back({&f_.yes[i], f_.yes[j]});
    return true;
  }
  bool adds_nothing(int32_t leaf) const {
    for (int32_t i = f_.leaf_begin[size_t(leaf)]; i < f_.leaf_begin[size_t(leaf) + 1]; ++i) if (f_.weight[size_t(i)] != 0) return false;
    return true;
  }
  bool share_targets(int32_t a, int32_t b) const {
    const auto begin = f_.target.begin();
    for (int32_t i = f_.leaf_begin[size_t(b)]; i < f_.leaf_begin[size_t(b) + 1]; ++i)
      if (f_.weight[size_t(i)] != 0 && std::count(begin + f_.leaf_begin[size_t(a)], begin + f_.leaf_begin[size_t(a) + 1], f_.target[size_t(i)])) return true;
    return false;
  }
  int32_t joined(int32_t a, int32_t b) {
    for (int32_t leaf : {a, b})
      for (int32_t i = f_.leaf_begin[size_t(leaf)], end = f_.leaf_begin[size_t(leaf) + 1]; i < end; ++i) {
        const int32_t target = f_.target[size_t(i)];
        const T weight = f_.weight[size_t(i)];
        if (weight != 0) f_.target.push_back(target), f_.weight.push_back(weight);
      }
    f_.leaf_begin.push_back(int32_t(f_.weight.size()));
    return int32_t(f_.leaves()) - 1;
  }

  PlainForest<T>& f_;
  std::vector<int32_t> seen_;                                          // the round in which a node was met
  int32_t round_ = -1;
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
  for (size_t i = 0; i < f.nodes(); ++i) normalise_node(f, i);
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
  CopyMerge<T> copies(f);
  std::vector<int32_t> kept;
  for (const int32_t root : f.roots)
    if (kept.empty() || (kept.back() < 0) != (root < 0) || !copies.merge(kept.back(), root)) kept.push_back(root);
  f.roots = std::move(kept);
}

template <class T> const TreeSlots& SlotMaker<T>::of(int32_t root) {
  TreeSlots& s = slots_;
  s.from.assign(1, root), s.child.assign(1, -1), s.inner.clear(), s.leaves.clear(), s.depth = 0;
  todo_.assign(1, {0, 0});
  while (!todo_.empty()) {
    const auto [slot, depth] = todo_.back();
    todo_.pop_back();
    s.depth = std::max(s.depth, int(depth));
    const int32_t from = s.from[size_t(slot)];
    if (from < 0) {
      s.leaves.push_back(slot);
      continue;
    }
    if (size_t(depth) > forest_.nodes()) fail(Code::bad_model, "tree node ", from, " leads back to itself");
    if (left_ < 2) fail(Code::bad_model, "the trees share so many branches that they cannot be laid out");
    left_ -= 2;
    const auto child = int32_t(s.from.size());
    s.child[size_t(slot)] = child;
    s.inner.push_back(slot);
    s.from.push_back(forest_.yes[size_t(from)]), s.from.push_back(forest_.no[size_t(from)]);
    s.child.push_back(-1), s.child.push_back(-1);
    todo_.push_back({child + 1, depth + 1}), todo_.push_back({child, depth + 1});
  }
  return s;
}

#define ONWARD_PLAIN_FOREST(T) \
  template struct PlainForest<T>; \
  template class SlotMaker<T>; \
  template void normalise(PlainForest<T>&); \
  template std::vector<bool> always_reached(const PlainForest<T>&); \
  template void fold_copies(PlainForest<T>&);
ONWARD_PLAIN_FOREST(float)
ONWARD_PLAIN_FOREST(double)

}  // namespace onward
