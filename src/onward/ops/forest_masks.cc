#include "onward/ops/forest_masks.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "onward/ops/forest_mask_kernels.h"

namespace onward {
namespace {

constexpr int most_targets = 256, most_rows = 256;

}  // namespace

// What is at hand while blocks of rows are worked on.
template <class T> struct ReachMasks<T>::Block {
  std::unique_ptr<uint8_t, decltype(&std::free)> codes;  // [planes][rows]
  std::vector<int32_t> ranks;                            // [columns][64]
  std::vector<T> scores;                                 // [targets][rows], where each tree adds to one target
};

template <class T> bool ReachMasks<T>::suits(const PlainForest<T>& f, const Ranks<T>& ranks) {
  if (f.targets > most_targets || f.nodes() == 0) return false;
  if (ranks.columns().size() + ranks.sets().size() > 1 << 16) return false;
  SlotMaker<T> maker(f);
  return std::all_of(f.roots.begin(), f.roots.end(), [&](int32_t root) { return maker.of(root).leaves.size() <= size_t(most_reach_leaves); });
}

// Those with leaves alone come last: returns how many come before them.
static int32_t add_nodes(const TreeSlots& tree, auto&& add_node) {
  std::vector<int32_t> below(tree.from.size(), 1), slot(tree.from.size(), 0);   // leaves below a slot; the slot's number in this order
  for (size_t j = tree.inner.size(); j-- > 0;) below[size_t(tree.inner[j])] = below[2 * j + 1] + below[2 * j + 2];
  int32_t above = 0;
  for (const bool lowest : {false, true})
    for (size_t j = 0; j < tree.inner.size(); ++j) {
      const auto own = size_t(tree.inner[j]);
      if ((below[own] == 2) != lowest) continue;
      add_node(tree.from[own], slot[own], below[2 * j + 1]);
      if (!lowest) slot[2 * j + 1] = 2 * above + 1, slot[2 * j + 2] = 2 * above + 2, ++above;
    }
  return above;
}

template <class T>
ReachMasks<T>::ReachMasks(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) : sets_(ranks.sets().begin(), ranks.sets().end()), leaves_(f) {
  planes_.build(ranks);
  const auto planes = uint32_t(planes_.all().size());
  SlotMaker<T> maker(f);
  std::vector<int32_t> levels;
  for (const int32_t root : f.roots) {
    const TreeSlots& tree = maker.of(root);
    const bool symmetric = tree.depth <= 8 && is_symmetric<T>(tree, tests, f, &levels);
    const auto add_node = [&](int32_t from, int32_t slot, int32_t leaves) {
      const auto place = planes_.place(tests[size_t(from)], f.mode[size_t(from)] == Branch::member);
      nodes_.push_back({uint32_t(place.plane), uint16_t(slot), place.code, uint8_t(leaves)});
    };
    if (symmetric) for (size_t l = 0; l < levels.size(); ++l) add_node(levels[l], 0, 1 << (levels.size() - 1 - l));
    const auto lowest = symmetric ? int32_t(levels.size()) : add_nodes(tree, add_node);
    for (const int32_t slot : tree.leaves) leaves_.add(f, ~tree.from[size_t(slot)]);
    const auto nodes = int32_t(symmetric ? levels.size() : tree.inner.size());
    trees_.push_back({nodes, lowest, int32_t(tree.leaves.size()), leaves_.target_of(f, tree), symmetric});
    const double adding = leaves_.form != LeafTable<T>::Form::single ? 40.0 + 24.0 * double(f.targets) : tree.leaves.size() <= 64 ? 8.0 : 32.0;
    cost_ += 6.0 + 1.1 * nodes + adding;
  }
  for (const auto& set : sets_) cost_ += set.bits.size() <= 4 ? 4.0 : 64.0;
  cost_ += 5.0 * planes;
  if (leaves_.form == LeafTable<T>::Form::single) leaves_.values.resize(leaves_.values.size() + leaf_padding);
}

template <class T> void ReachMasks<T>::encode(const Ranks<T>& ranks, const T* x, int count, int64_t width, int rows, Block& block) const {
  for (int begin = 0; begin < count; begin += 64) {
    const int n = std::min(64, count - begin);
    ranks.rank(x + begin * width, width, n, block.ranks.data());
    uint8_t* out = block.codes.get() + begin;
    for (const auto& plane : planes_.all()) {
      const int32_t* own = block.ranks.data() + int64_t(plane.column) * n;
      for (int r = 0; r < n; ++r) out[r] = BytePlanes::code(own[r], plane.base);
      out += rows;
    }
    encode_sets(begin, n, rows, block);
  }
}

template <class T> void ReachMasks<T>::encode_sets(int begin, int n, int rows, Block& block) const {
  uint8_t* out = block.codes.get() + planes_.all().size() * size_t(rows) + begin;
  for (const auto& set : sets_) {
    const uint64_t* bits = set.bits.data();
    if (set.bits.size() <= 4) {
      uint64_t all[4] = {};
      std::copy_n(bits, set.bits.size(), all);
      set_plane(block.codes.get() + size_t(planes_.place(set.column, 0).plane) * size_t(rows) + begin, reinterpret_cast<const uint8_t*>(all), out);
    } else {
      const int32_t* own = block.ranks.data() + int64_t(set.column) * n;
      for (int r = 0; r < n; ++r) out[r] = uint8_t(~(bits[own[r] / 64] >> (own[r] % 64)) & 1);
    }
    out += rows;
  }
}

template <class T> void ReachMasks<T>::run_block(const ReachKernels& kernels, const Ranks<T>& ranks, const T*& x, int64_t& n, int64_t width, T*& scores, Block& block) const {
  const int rows = kernels.rows, count = int(std::min<int64_t>(rows, n));
  const bool single = leaves_.form == LeafTable<T>::Form::single;
  const int64_t targets = leaves_.targets;
  encode(ranks, x, count, width, rows, block);
  alignas(64) uint8_t leaf[most_rows];
  std::fill_n(block.scores.data(), single ? targets * rows : 0, T(0));
  std::fill_n(scores, count * targets, T(0));
  const ReachNode* nodes = nodes_.data();
  int32_t first = 0;                                     // leaf of the tree
  for (const Tree& tree : trees_) {
    kernels.leaf_numbers(nodes, tree.lowest, tree.nodes, tree.symmetric, block.codes.get(), leaf);
    if (!single) {
      add_several(leaf, count, first, scores);
    } else {
      kernels.add(leaf, leaves_.values.data() + first, tree.leaves, block.scores.data() + int64_t(tree.target) * rows);
    }
    nodes += tree.nodes, first += tree.leaves;
  }
  if (single) for (int r = 0; r < count; ++r) for (int64_t k = 0; k < targets; ++k) scores[r * targets + k] = block.scores[size_t(k * rows + r)];
  x += count * width, n -= count, scores += count * targets;
}

template <class T> void ReachMasks<T>::add_several(const uint8_t* leaf, int count, int32_t first, T* scores) const {
  if (leaves_.form == LeafTable<T>::Form::lists) {
    for (int r = 0; r < count; ++r) leaves_.add_to(scores + r * leaves_.targets, first + leaf[r], 0);
    return;
  }
  const T* values = leaves_.values.data() + first * leaves_.targets;
  const auto add = [&](auto targets) {
    for (int r = 0; r < count; ++r) {
      T* to = scores + r * targets;
      const T* own = values + leaf[r] * targets;
      for (int64_t k = 0; k < targets; ++k) to[k] += own[k];
    }
  };
  if (leaves_.targets == 2) add(std::integral_constant<int64_t, 2>());
  else if (leaves_.targets == 3) add(std::integral_constant<int64_t, 3>());
  else if (leaves_.targets == 4) add(std::integral_constant<int64_t, 4>());
  else add(leaves_.targets);
}

template <class T> void ReachMasks<T>::run(const Ranks<T>& ranks, const T* x, int64_t n, int64_t width, T* scores) const {
  const size_t planes = planes_.all().size() + sets_.size();
  const ReachKernels &few = few_rows_kernels(), &many = many_rows_kernels();
  const bool wide = n > many.rows - few.rows && planes <= 1024;   // codes should stay in the second cache
  const auto rows = size_t(wide ? many.rows : few.rows);
  void* codes = std::aligned_alloc(64, std::max<size_t>(planes, 1) * rows);
  if (!codes) throw std::bad_alloc();
  std::memset(codes, 0, planes * rows);                  // rows that are not there take some way too
  Block block{{static_cast<uint8_t*>(codes), &std::free}, std::vector<int32_t>(ranks.columns().size() * 64), std::vector<T>(size_t(leaves_.targets) * rows)};
  while (wide && n > many.rows - few.rows) run_block(many, ranks, x, n, width, scores, block);
  while (n > 0) run_block(few, ranks, x, n, width, scores, block);
}

template class ReachMasks<float>;
template class ReachMasks<double>;

}  // namespace onward
