#include "onward/ops/forest_walk.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

template <class T, class Node> void Walk<T, Node>::pack(const PlainForest<T>& f, LeafTable<T> leaves, auto&& node_of) {
  leaves_ = std::move(leaves);
  size_t expected = f.roots.size();
  expected += 2 * f.nodes();
  nodes_.reserve(expected);
  if (!by_codes) reserve_in_large_pages(leaf_, expected);
  SlotMaker<T> maker(f);
  int32_t leaf_count = 0;
  for (const int32_t root : f.roots) {
    const TreeSlots& tree = maker.of(root);
    const auto base = int32_t(nodes_.size());
    if (by_codes && tree.leaves.size() > 65536) return void(fits_ = false);
    if (nodes_.size() + tree.from.size() > size_t(INT32_MAX)) fail(Code::limit_size, "more than 2^31 tree nodes");
    Tree& packed = trees_.emplace_back(Tree{base, tree.depth, leaves_.target_of(f, tree), leaf_count, false});
    for (size_t slot = 0; slot < tree.from.size(); ++slot) {
      const int32_t from = tree.from[slot];
      const bool leaf = from < 0;
      nodes_.push_back(node_of(from, leaf ? base + int32_t(slot) : base + tree.child[slot], leaf ? leaf_count - packed.first_leaf : 0));
      if (leaf) leaves_.add(f, ~from);
      if (!by_codes) leaf_.push_back(leaf ? leaf_count : -1);
      leaf_count += leaf;
      packed.has_sets |= !leaf && nodes_.back().is_set();
    }
    cost_ += tree_cost(tree.depth);
    by_depth_.push_back(int32_t(by_depth_.size()));
  }
  const auto key = [&](int32_t t) { return std::pair(trees_[size_t(t)].has_sets, trees_[size_t(t)].depth); };
  std::stable_sort(by_depth_.begin(), by_depth_.end(), [&](int32_t a, int32_t b) { return key(a) < key(b); });
}

template <class T, class Node> Walk<T, Node>::Walk(const PlainForest<T>& f, bool combines) requires std::is_same_v<Node, SplitNode<T>> {
  constexpr uint32_t nan_first = 1u << 31, is_set = 1u << 30;
  for (const auto& set : f.sets) sets_.emplace_back(set);
  pack(f, LeafTable<T>(f, combines), [&](int32_t from, int32_t child, int32_t) -> Node {
    if (from < 0) return {std::numeric_limits<T>::infinity(), nan_first, child};
    const auto i = size_t(from);
    return {f.split[i], uint32_t(f.feature[i]) | (f.missing_yes[i] ? nan_first : 0) | (f.mode[i] == Branch::member ? is_set : 0), child};
  });
}

template <class T, class Node>
Walk<T, Node>::Walk(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) requires std::is_same_v<Node, CodeNode> {
  planes_.build(ranks);
  fits_ = planes_.all().size() < (1 << 15) - 1 && ranks.sets().size() <= 65536 && f.nodes() > 0;
  for (size_t c = 0; c < ranks.columns().size(); ++c) fits_ &= ranks.columns()[c].kind != RankKind::category || ranks.largest(int32_t(c)) <= 65535;
  if (!fits_) return;
  for (const auto& set : ranks.sets()) set_begin_.push_back(int32_t(set_bits_.size())), set_bits_.insert(set_bits_.end(), set.bits.begin(), set.bits.end());
  pack(f, LeafTable<T>(f), [&](int32_t from, int32_t child, int32_t leaf) -> Node {
    if (from < 0) return {uint16_t(planes_.all().size()), uint16_t(leaf), child};
    const auto [column, rank] = tests[size_t(from)];
    if (f.mode[size_t(from)] == Branch::member) return {uint16_t(planes_.place(column, 0).plane | 1 << 15), uint16_t(rank), child};
    const auto place = planes_.place(column, rank);
    return {uint16_t(place.plane), place.code, child};
  });
}

template <class T, class Node>
Walk<T, Node>::Walk(const Walk<float, CodeNode>& from) requires std::is_same_v<T, double> && std::is_same_v<Node, CodeNode>
    : nodes_(from.nodes_), by_depth_(from.by_depth_), set_begin_(from.set_begin_), set_bits_(from.set_bits_), planes_(from.planes_), leaves_(from.leaves_), cost_(from.cost_), fits_(from.fits_) {
  for (const auto& t : from.trees_) trees_.push_back({t.root, t.depth, t.target, t.first_leaf, t.has_sets});
}

template <class T, class Node> template <bool sets> int32_t Walk<T, Node>::step(int32_t at, const Value* row) const {
  const Node& node = nodes_[size_t(at)];
  bool first;
  if (!sets || !node.is_set()) {
    first = node.passes(row);
  } else if constexpr (std::is_same_v<Node, CodeNode>) {
    const uint16_t x = row[node.plane & 0x7fff];
    first = set_bits_[size_t(set_begin_[node.code]) + x / 64] >> (x % 64) & 1;
  } else {
    const T x = row[node.feature & ((1u << 30) - 1)];
    first = sets_[size_t(node.split)].contains(x) | ((x != x) & bool(node.feature >> 31));
  }
  return node.child + !first;
}

template <class T, class Node> template <bool sets, bool one_row> void Walk<T, Node>::step_lanes(int32_t* out, const Value* const* rows, int32_t depth) const {
  int32_t at[lanes];
  std::copy_n(out, lanes, at);
  const Value* row = rows[0];
  for (int32_t level = 0; level < depth; ++level) {
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) at[r] = step<sets>(at[r], one_row ? row : rows[r]);
    if (level % 8 == 7 && depth > 12 && std::all_of(at, at + lanes, [&](int32_t a) { return is_leaf(a); })) break;
  }
  std::copy_n(at, lanes, out);
}

// Trees that lie beyond the caches: each step asks for the next node long before it is read.
template <class T, class Node> template <bool sets> void Walk<T, Node>::step_far(int32_t* at, int count, const Value* row, int32_t depth) const {
  for (int32_t level = 0; level < depth && count > 0; ++level) {
    for (int i = 0; i < count; ++i) {
      at[i] = step<sets>(at[i], row);
      __builtin_prefetch(&nodes_[size_t(at[i])]);
    }
    if (level % 8 == 7 && std::all_of(at, at + count, [&](int32_t a) { return is_leaf(a); })) break;
  }
}

// `count` walks side by side; each goes from its root through `depth` tests of its row.
template <class T, class Node> void Walk<T, Node>::walk(const int32_t* roots, const Value* const* rows, int count, int32_t depth, bool sets, int32_t* at) const {
  std::copy_n(roots, count, at);
  if (count == lanes) return sets ? step_lanes<true, false>(at, rows, depth) : step_lanes<false, false>(at, rows, depth);
  for (int r = 0; r < count; ++r)
    for (int32_t level = 0; level < depth && !is_leaf(at[r]); ++level) at[r] = sets ? step<true>(at[r], rows[r]) : step<false>(at[r], rows[r]);
}

template <class T, class Node> void Walk<T, Node>::add_leaves(const Tree& tree, const int32_t* at, int count, T* scores) const {
  if (leaves_.form == LeafTable<T>::Form::single)
    for (int r = 0; r < count; ++r) scores[r * leaves_.targets + tree.target] += leaves_.values[leaf_at(at[r], tree)];
  else
    for (int r = 0; r < count; ++r) leaves_.add_to(scores + r * leaves_.targets, int32_t(leaf_at(at[r], tree)), tree.target);
}

// One row: several trees of like depth at a time; what their leaves add, in the trees' order.
template <class T, class Node> void Walk<T, Node>::run_row(const Value* row, T* scores) const {
  constexpr size_t few = 1024, far_bytes = 2 << 20;
  int32_t few_ends[few];
  std::vector<int32_t> many_ends(trees_.size() > few ? trees_.size() : 0);
  int32_t* ends = many_ends.empty() ? few_ends : many_ends.data();
  const bool far = nodes_.size() * sizeof(Node) > far_bytes;
  const size_t together = far ? far_lanes : lanes;
  for (size_t begin = 0; begin < trees_.size(); begin += together) {
    const size_t count = std::min(together, trees_.size() - begin);
    int32_t at[far_lanes], depth = 0;
    for (size_t i = 0; i < together; ++i) {
      const Tree& tree = trees_[size_t(by_depth_[begin + std::min(i, count - 1)])];
      at[i] = tree.root, depth = std::max(depth, tree.depth);
    }
    const bool sets = trees_[size_t(by_depth_[begin + count - 1])].has_sets;
    if (far) sets ? step_far<true>(at, int(count), row, depth) : step_far<false>(at, int(count), row, depth);
    else if (count < 3) for (size_t i = 0; i < count; ++i) walk(at + i, &row, 1, depth, sets, at + i);
    else sets ? step_lanes<true, true>(at, &row, depth) : step_lanes<false, true>(at, &row, depth);
    for (size_t i = 0; i < count; ++i) ends[by_depth_[begin + i]] = at[i];
  }
  leaves_.add_row(scores, trees_.size(), [&](size_t t) { return leaf_at(ends[t], trees_[t]); }, [&](size_t t) { return trees_[t].target; });
}

template <class T, class Node> void Walk<T, Node>::run(const Value* const* rows, int64_t count, T* scores) const {
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

template <class T, class Node>
void Walk<T, Node>::combine(const Value* const* rows, int64_t count, Aggregate how, T* scores, bool* seen) const {
  for (const Tree& tree : trees_) {
    for (int64_t r = 0; r < count; ++r) {
      int32_t at;
      walk(&tree.root, rows + r, 1, tree.depth, tree.has_sets, &at);
      const size_t leaf = leaf_at(at, tree);
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

template <class T, class Node> size_t Walk<T, Node>::bytes() const {
  return nodes_.capacity() * sizeof(Node) + leaf_.capacity() * 4 + leaves_.values.capacity() * sizeof(T) + leaves_.target.capacity() * 4 + leaves_.begin.capacity() * 4 + set_bits_.capacity() * 8;
}

template class Walk<float, SplitNode<float>>;
template class Walk<double, SplitNode<double>>;
template class Walk<float, CodeNode>;
template class Walk<double, CodeNode>;

}  // namespace onward
