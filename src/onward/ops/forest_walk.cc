#include "onward/ops/forest_walk.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "onward/base/few_or_many.h"

namespace onward {

template <class T> MemberSet<T>::MemberSet(const std::vector<T>& members) {
  const T most = T(std::min<size_t>(1 << 16, 1024 + 64 * members.size()));   // bits, as few as the members are
  for (T m : members) {
    if (m < 0 || m >= most || m != std::floor(m)) { others.push_back(m); continue; }
    const auto bit = size_t(m);
    if (bits.size() <= bit / 64) bits.resize(bit / 64 + 1);
    bits[bit / 64] |= uint64_t{1} << (bit % 64);
  }
}

template <class T> bool MemberSet<T>::contains(T x) const {
  const T limit = T(64 * bits.size());
  if (x >= 0 && x < limit) {
    const auto bit = size_t(x);
    if (T(bit) == x) return bits[bit / 64] >> (bit % 64) & 1;
  }
  return x == x && std::binary_search(others.begin(), others.end(), x);   // a search compares, and NaN is below nothing
}

template <class T> Walk<T>::Walk(const PlainForest<T>& f, bool combines) : leaves_(f, combines) {
  constexpr uint32_t nan_first = 1u << 31, is_set = 1u << 30;
  for (const auto& set : f.sets) sets_.emplace_back(set);
  const size_t expected = f.roots.size() + 2 * f.nodes();
  nodes_.reserve(expected);
  reserve_in_large_pages(leaf_, expected);
  SlotMaker<T> maker(f);
  int32_t leaf_count = 0;
  for (const int32_t root : f.roots) {
    const TreeSlots& tree = maker.of(root);
    const auto base = int32_t(nodes_.size());
    if (nodes_.size() + tree.from.size() > size_t(INT32_MAX)) fail(Code::limit_size, "more than 2^31 tree nodes");
    Tree& packed = trees_.emplace_back(Tree{base, tree.depth, leaves_.target_of(f, tree), false});
    for (size_t slot = 0; slot < tree.from.size(); ++slot) {
      const int32_t from = tree.from[slot];
      if (from < 0) {
        nodes_.push_back({std::numeric_limits<T>::infinity(), nan_first, base + int32_t(slot)});
        leaves_.add(f, ~from), leaf_.push_back(leaf_count++);
        continue;
      }
      const auto i = size_t(from);
      nodes_.push_back({f.split[i], uint32_t(f.feature[i]) | (f.missing_yes[i] ? nan_first : 0) | (f.mode[i] == Branch::member ? is_set : 0), base + tree.child[slot]});
      leaf_.push_back(-1), packed.has_sets |= nodes_.back().is_set();
    }
    cost_ += 2.0 + 0.85 * std::min(tree.depth, 40);
    by_depth_.push_back(int32_t(by_depth_.size()));
  }
  const auto key = [&](int32_t t) { return std::pair(trees_[size_t(t)].has_sets, trees_[size_t(t)].depth); };
  std::stable_sort(by_depth_.begin(), by_depth_.end(), [&](int32_t a, int32_t b) { return key(a) < key(b); });
}

template <class T> template <bool sets> int32_t Walk<T>::step(int32_t at, const T* row) const {
  const Node& node = nodes_[size_t(at)];
  bool first;
  if (!sets || !node.is_set()) {
    first = node.passes(row);
  } else {
    const T x = row[node.feature & ((1u << 30) - 1)];
    first = sets_[size_t(node.split)].contains(x) | ((x != x) & bool(node.feature >> 31));
  }
  return node.child + !first;
}

template <class T> template <bool sets, bool one_row> void Walk<T>::step_lanes(int32_t* out, const T* const* rows, int32_t depth) const {
  int32_t at[lanes];
  std::copy_n(out, lanes, at);
  const T* row = rows[0];
  for (int32_t level = 0; level < depth; ++level) {
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) at[r] = step<sets>(at[r], one_row ? row : rows[r]);
    if (level % 8 == 7 && depth > 12 && std::all_of(at, at + lanes, [&](int32_t a) { return is_leaf(a); })) break;
  }
  std::copy_n(at, lanes, out);
}

// `count` walks side by side; each goes from its root through `depth` tests of its row.
template <class T> void Walk<T>::walk(const int32_t* roots, const T* const* rows, int count, int32_t depth, bool sets, int32_t* at) const {
  std::copy_n(roots, count, at);
  if (count == lanes) return sets ? step_lanes<true, false>(at, rows, depth) : step_lanes<false, false>(at, rows, depth);
  for (int r = 0; r < count; ++r)
    for (int32_t level = 0; level < depth && !is_leaf(at[r]); ++level) at[r] = sets ? step<true>(at[r], rows[r]) : step<false>(at[r], rows[r]);
}

template <class T> void Walk<T>::add_leaves(const Tree& tree, const int32_t* at, int count, T* scores) const {
  if (leaves_.form == LeafTable<T>::Form::single)
    for (int r = 0; r < count; ++r) scores[r * leaves_.targets + tree.target] += leaves_.values[leaf_at(at[r])];
  else
    for (int r = 0; r < count; ++r) leaves_.add_to(scores + r * leaves_.targets, int32_t(leaf_at(at[r])), tree.target);
}

// One row: several trees of like depth at a time; what their leaves add, in the trees' order.
template <class T> void Walk<T>::run_row(const T* row, T* scores) const {
  FewOrMany<int32_t, 1024> room(trees_.size());
  int32_t* const ends = room.data();
  for (size_t begin = 0; begin < trees_.size(); begin += lanes) {
    const size_t count = std::min(size_t(lanes), trees_.size() - begin);
    int32_t at[lanes], depth = 0;
    for (size_t i = 0; i < lanes; ++i) {
      const Tree& tree = trees_[size_t(by_depth_[begin + std::min(i, count - 1)])];
      at[i] = tree.root, depth = std::max(depth, tree.depth);
    }
    const bool sets = trees_[size_t(by_depth_[begin + count - 1])].has_sets;
    if (count < 3) for (size_t i = 0; i < count; ++i) walk(at + i, &row, 1, depth, sets, at + i);
    else sets ? step_lanes<true, true>(at, &row, depth) : step_lanes<false, true>(at, &row, depth);
    for (size_t i = 0; i < count; ++i) ends[by_depth_[begin + i]] = at[i];
  }
  leaves_.add_row(scores, trees_.size(), [&](size_t t) { return leaf_at(ends[t]); }, [&](size_t t) { return trees_[t].target; });
}

template <class T> void Walk<T>::run(const T* const* rows, int64_t count, T* scores) const {
  if (count < lanes / 2) {
    for (int64_t r = 0; r < count; ++r) run_row(rows[r], scores + r * leaves_.targets);
    return;
  }
  for (const Tree& tree : trees_) {
    int32_t roots[lanes], at[lanes];
    std::fill_n(roots, lanes, tree.root);
    for (int64_t begin = 0; begin < count; begin += lanes) {
      const int n = int(std::min<int64_t>(lanes, count - begin));
      walk(roots, rows + begin, n, tree.depth, tree.has_sets, at);
      add_leaves(tree, at, n, scores + begin * leaves_.targets);
    }
  }
}

template <class T> void Walk<T>::combine(const T* const* rows, int64_t count, Aggregate how, T* scores, bool* seen) const {
  for (const Tree& tree : trees_) {
    for (int64_t r = 0; r < count; ++r) {
      int32_t at;
      walk(&tree.root, rows + r, 1, tree.depth, tree.has_sets, &at);
      const size_t leaf = leaf_at(at);
      for (int32_t i = leaves_.begin[leaf]; i < leaves_.begin[leaf + 1]; ++i) {
        const int64_t k = r * leaves_.targets + leaves_.target[size_t(i)];
        const T weight = leaves_.values[size_t(i)];
        if (how == Aggregate::smallest) scores[k] = seen[k] ? std::min(scores[k], weight) : weight;
        else if (how == Aggregate::largest) scores[k] = seen[k] ? std::max(scores[k], weight) : weight;
        else scores[k] += weight;
        seen[k] = true;
      }
    }
  }
}

template <class T> size_t Walk<T>::bytes() const {
  return nodes_.capacity() * sizeof(Node) + leaf_.capacity() * 4 + leaves_.values.capacity() * sizeof(T) + leaves_.target.capacity() * 4 + leaves_.begin.capacity() * 4;
}

template class Walk<float>;
template class Walk<double>;

}  // namespace onward
