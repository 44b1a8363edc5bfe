#include "onward/ops/forest_heaps.h"

#include <algorithm>

#include "onward/ops/forest_place.h"

namespace onward {
namespace {

constexpr int fewest_levels = 7, most_levels = 10;
constexpr size_t most_planes = 256, most_bytes = 2 << 20;
constexpr uint32_t no_test = 0xffff0000;                 // no rank is above it

// Of a tree's nodes: place 0 is not used, the leaves' numbers follow. A line more, so that roots do not share a few sets of the cache.
constexpr size_t stride_of(int depth) { return (size_t{2} << depth) + 16; }

// From the places below the upper levels to the leaves. While one tree's next node is awaited others go on. Not inlined: as part of a loop
// the places would be kept in memory.
template <int depth, int upper, int lanes> [[gnu::noinline]] void descend_lanes(const uint32_t* nodes, const uint32_t* row, const uint8_t* places, uint32_t* leaves) {
  constexpr size_t stride = stride_of(depth);
  Place at[lanes];
#pragma GCC unroll 16
  for (int r = 0; r < lanes; ++r) at[r] = (1u << upper) + places[r];
#pragma GCC unroll 16
  for (int level = upper; level < depth; ++level) {
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) {
      const uint32_t node = nodes[size_t(r) * stride + at[r]];
      descend(at[r], node < row[uint16_t(node)]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < lanes; ++r) leaves[r] = nodes[size_t(r) * stride + at[r]];
}

template <int depth, int upper> void descend_trees(const uint32_t* nodes, const uint32_t* row, const uint8_t* places, size_t trees, uint32_t* leaves) {
  constexpr size_t lanes = 10;                           // as many as there are registers for
  size_t t = 0;
  for (; t + lanes <= trees; t += lanes) descend_lanes<depth, upper, lanes>(nodes + t * stride_of(depth), row, places + t, leaves + t);
  for (; t < trees; ++t) descend_lanes<depth, upper, 1>(nodes + t * stride_of(depth), row, places + t, leaves + t);
}

}  // namespace

// The ranks that the upper levels compare with, of each column, sorted.
template <class T> struct LeafHeaps<T>::UpperTests {
  std::vector<std::vector<int32_t>> ranks;
  int depth = 0;                                         // of the deepest tree
  size_t places = 0, leaves = 0;                         // of all trees

  UpperTests(const PlainForest<T>& f, const Ranks<T>& all, const std::vector<typename Ranks<T>::Test>& tests) : ranks(all.columns().size()) {
    SlotMaker<T> maker(f);
    for (const int32_t root : f.roots) {
      const TreeSlots& tree = maker.of(root);
      depth = std::max(depth, tree.depth), leaves += tree.leaves.size();
      std::vector<int32_t> level(tree.from.size(), 0);
      for (size_t j = 0; j < tree.inner.size(); ++j) {
        const auto slot = size_t(tree.inner[j]);
        level[2 * j + 1] = level[2 * j + 2] = level[slot] + 1;
        const auto [column, rank] = tests[size_t(tree.from[slot])];
        if (level[slot] < upper) ranks[size_t(column)].push_back(rank);
      }
    }
    if (depth <= most_levels) places = f.roots.size() << depth;
    for (auto& r : ranks) std::sort(r.begin(), r.end()), r.erase(std::unique(r.begin(), r.end()), r.end());
  }
  size_t planes() const {
    size_t n = 0;
    for (const auto& r : ranks) n += (r.size() + BytePlanes::thresholds - 1) / BytePlanes::thresholds;
    return n;
  }
  int32_t below(size_t column, int32_t rank) const {
    const auto& own = ranks[column];
    return int32_t(std::lower_bound(own.begin(), own.end(), rank) - own.begin());
  }
};

template <class T> bool LeafHeaps<T>::suits(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) {
  // Large forests are told by their size, before anything walks them.
  if (f.nodes() == 0 || f.nodes() >> most_levels >= f.roots.size() || f.roots.size() * stride_of(fewest_levels) * sizeof(uint32_t) > most_bytes) return false;
  if (!ranks.sets().empty() || ranks.columns().size() > 65536) return false;
  for (size_t c = 0; c < ranks.columns().size(); ++c) if (ranks.largest(int32_t(c)) > 65535) return false;
  const UpperTests tested(f, ranks, tests);
  return tested.depth >= fewest_levels && tested.depth <= most_levels && tested.places <= 16 * tested.leaves &&
         f.roots.size() * stride_of(tested.depth) * sizeof(uint32_t) <= most_bytes && leaf_bit_kernels(tested.planes());
}

// Lays out one tree after the other.
template <class T> class LeafHeaps<T>::Builder {
 public:
  using Tests = std::vector<typename Ranks<T>::Test>;
  Builder(const PlainForest<T>& forest, const Tests& tests, const UpperTests& tested, LeafHeaps& to) : f_(forest), tests_(tests), tested_(tested), to_(to) {}

  void planes(const Ranks<T>& ranks) {
    for (size_t c = 0; c < tested_.ranks.size(); ++c) {
      first_plane_.push_back(int32_t(to_.planes_.size()));
      for (int32_t base = 0; base < int32_t(tested_.ranks[c].size()); base += BytePlanes::thresholds) {
        to_.planes_.push_back({int32_t(c), to_.codes_.size()});
        for (int32_t rank = 0; rank <= ranks.largest(int32_t(c)); ++rank) to_.codes_.push_back(BytePlanes::code(tested_.below(c, rank), base));
      }
    }
  }

  void tree(size_t t, const TreeSlots& tree) {
    to_.target_.push_back(to_.leaves_.target_of(f_, tree));
    std::vector<uint32_t> number(tree.from.size());        // of each leaf's slot
    for (const int32_t slot : tree.leaves) to_.leaves_.add(f_, ~tree.from[size_t(slot)]), number[size_t(slot)] = next_leaf_++;
    uint32_t* own = to_.nodes_.data() + t * stride_of(to_.depth_);
    std::vector<int32_t> slots{0};                         // of one level after the other
    size_t place = 1;
    for (int level = 0; level < to_.depth_; ++level) {
      std::vector<int32_t> next;
      for (const int32_t slot : slots) {
        const int32_t child = tree.child[size_t(slot)];
        if (child >= 0) {
          const auto [column, rank] = tests_[size_t(tree.from[size_t(slot)])];
          own[place] = uint32_t(rank) << 16 | uint32_t(column);
          if (level < upper) put_upper(t, place - 1, size_t(column), rank);
        }
        ++place;
        // A leaf that stands higher takes the places below it: no test there fails, so that the first of them is reached.
        next.push_back(child < 0 ? slot : child), next.push_back(child < 0 ? slot : child + 1);
      }
      slots = std::move(next);
    }
    for (const int32_t slot : slots) own[place++] = number[size_t(slot)];
  }

 private:
  void put_upper(size_t t, size_t j, size_t column, int32_t rank) {
    const size_t lanes = to_.kernels_->lanes;
    const int32_t below = tested_.below(column, rank);
    uint8_t* own = to_.upper_nodes_.data() + (t / lanes * upper_places + j) * 2 * lanes + t % lanes;
    own[0] = uint8_t(first_plane_[column] + below / BytePlanes::thresholds), own[lanes] = uint8_t(below % BytePlanes::thresholds);
  }

  const PlainForest<T>& f_;
  const Tests& tests_;
  const UpperTests& tested_;
  LeafHeaps& to_;
  std::vector<int32_t> first_plane_;                     // of each column
  uint32_t next_leaf_ = 0;
};

template <class T>
LeafHeaps<T>::LeafHeaps(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) : trees_(f.roots.size()), columns_(ranks.columns().size()), leaves_(f) {
  static constexpr Descent descents[] = {descend_trees<7, upper>, descend_trees<8, upper>, descend_trees<9, upper>, descend_trees<10, upper>};
  const UpperTests tested(f, ranks, tests);
  depth_ = tested.depth;
  descent_ = descents[depth_ - fewest_levels];
  kernels_ = leaf_bit_kernels(tested.planes());
  const size_t lanes = kernels_->lanes, groups = (trees_ + lanes - 1) / lanes;
  upper_nodes_.resize(groups * upper_places * 2 * lanes);
  for (size_t j = 0; j < groups * upper_places; ++j) std::fill_n(upper_nodes_.begin() + int64_t((2 * j + 1) * lanes), lanes, 255);   // no code is above it
  nodes_.resize(trees_ * stride_of(depth_), no_test);
  Builder builder(f, tests, tested, *this);
  builder.planes(ranks);
  SlotMaker<T> maker(f);
  for (size_t t = 0; t < trees_; ++t) builder.tree(t, maker.of(f.roots[t]));
  cost_ = double(planes_.size()) + double(groups * upper_places) * kernels_->node_cost + double(trees_) * (1.2 + 0.6 * (depth_ - upper));
}

template <class T> void LeafHeaps<T>::run(int32_t* ranks, T* scores) const {
  alignas(64) uint8_t codes[most_planes];
  for (size_t p = 0; p < planes_.size(); ++p) codes[p] = codes_[planes_[p].first_code + size_t(ranks[planes_[p].column])];
  const auto row = reinterpret_cast<uint32_t*>(ranks);
  for (size_t c = 0; c < columns_; ++c) row[c] <<= 16;   // above a node where above its rank, whatever the node's column is
  const size_t lanes = kernels_->lanes, group_bytes = upper_places * 2 * lanes;
  for (size_t begin = 0; begin < trees_; begin += together) {
    const size_t count = std::min(together, trees_ - begin);
    uint8_t places[together];
    uint32_t leaves[together];
    for (size_t t = 0; t < count; t += lanes) kernels_->full(codes, upper_nodes_.data() + (begin + t) / lanes * group_bytes, nullptr, upper, places + t);
    descent_(nodes_.data() + begin * stride_of(depth_), row, places, count, leaves);
    leaves_.add_row(scores, count, [&](size_t t) { return size_t(leaves[t]); }, [&](size_t t) { return target_[begin + t]; });
  }
}

template class LeafHeaps<float>;
template class LeafHeaps<double>;

}  // namespace onward
