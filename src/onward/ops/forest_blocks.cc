#include "onward/ops/forest_blocks.h"

#include <algorithm>
#include <bit>

#include "onward/base/few_or_many.h"
#include "onward/ops/forest_place.h"

namespace onward {

// Nanoseconds of a walk of so many tests on average.
static double cost_of(double tests) { return 2.5 + tests; }

// Lays out one tree after the other, each from its first branches to its last.
template <class T> class BlockWalk<T>::Packer {
 public:
  using Tests = std::vector<typename Ranks<T>::Test>;
  Packer(const PlainForest<T>& forest, const Tests& tests, BlockWalk& to) : f_(forest), tests_(tests), to_(to), limits_(forest) {}

  void tree(int32_t root) {
    first_leaf_ = leaves_, way_ = 0, target_ = 0, has_sets_ = false;
    const auto first = int32_t(to_.blocks_.size());
    for (Open open{met(root, 0), -1, 0, 0};; open = todo_.back(), todo_.pop_back()) {
      if (open.block >= 0) to_.blocks_[size_t(open.block)].ends[open.way] = int32_t(to_.blocks_.size());
      block(open);
      if (todo_.empty()) break;
    }
    to_.trees_.push_back({first, target_, has_sets_});
    to_.cost_ += cost_of(double(way_) / double(leaves_ - first_leaf_));
  }

 private:
  struct Open { int32_t node, block, way, depth; };      // a node, or ~leaf, that a way through a block leads to

  // What leads to a leaf knows it by its number from here on.
  int32_t met(int32_t from, int32_t depth) {
    if (from >= 0) return limits_.branch(from, depth), from;
    limits_.leaf(~from);
    if (const auto i = size_t(f_.leaf_begin[size_t(~from)]); to_.leaves_.form == LeafTable<T>::Form::single && i < size_t(f_.leaf_begin[size_t(~from) + 1])) target_ = f_.target[i];
    to_.leaves_.add(f_, ~from);
    way_ += depth;
    return ~leaves_++;
  }

  void block(const Open& open) {
    if (to_.blocks_.size() >= size_t(INT32_MAX)) fail(Code::limit_size, "more than 2^31 blocks of tree nodes");
    const auto number = int32_t(to_.blocks_.size());
    Block& own = to_.blocks_.emplace_back(to_.without_tests());
    int32_t at[2 * Block::ways];                         // of each place a node, or ~leaf, which takes all places below it
    at[1] = open.node;
    for (int p = 1; p < Block::ways; ++p) {
      const int32_t from = at[p];
      if (from >= 0) own.tests[p - 1] = test(size_t(from));
      const int32_t depth = open.depth + int32_t(std::bit_width(unsigned(p)));
      at[2 * p] = from < 0 ? from : met(f_.yes[size_t(from)], depth), at[2 * p + 1] = from < 0 ? from : met(f_.no[size_t(from)], depth);
    }
    for (int w = Block::ways; w-- > 0;) {
      own.ends[w] = at[Block::ways + w];
      if (own.ends[w] >= 0) todo_.push_back({own.ends[w], number, w, open.depth + Block::levels});
    }
  }

  Block::Test test(size_t node) {
    const auto [column, rank] = tests_[node];
    if (f_.mode[node] == Branch::member) return has_sets_ = true, Block::Test{uint16_t(to_.planes_.place(column, 0).plane | 1 << 15), uint16_t(rank)};
    const auto place = to_.planes_.place(column, rank);
    return {uint16_t(place.plane), place.code};
  }

  const PlainForest<T>& f_;
  const Tests& tests_;
  BlockWalk& to_;
  LayoutLimits<T> limits_;
  std::vector<Open> todo_;
  int32_t leaves_ = 0, first_leaf_ = 0, target_ = 0;     // of the leaves, where all add to one
  int64_t way_ = 0;                                      // tests on the ways to the tree's leaves
  bool has_sets_ = false;
};

// What walks that have ended pass through while others go on: it asks no row for anything but the 0 after its codes.
template <class T> ForestBlock BlockWalk<T>::without_tests() const {
  Block block{};
  std::fill(std::begin(block.tests), std::end(block.tests), Block::Test{uint16_t(planes_.all().size()), 0});
  return block;
}

template <class T> double BlockWalk<T>::tree_cost(const TreeSlots& tree) { return cost_of(0.85 * tree.depth); }

template <class T>
BlockWalk<T>::BlockWalk(const PlainForest<T>& f, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests) {
  planes_.build(ranks);
  fits_ = planes_.all().size() < (1 << 15) - 1 && ranks.sets().size() <= 65536;
  for (size_t c = 0; c < ranks.columns().size(); ++c) fits_ &= ranks.columns()[c].kind != RankKind::category || ranks.largest(int32_t(c)) <= 65535;
  if (!fits_) return;
  for (const auto& set : ranks.sets()) set_begin_.push_back(int32_t(set_bits_.size())), set_bits_.insert(set_bits_.end(), set.bits.begin(), set.bits.end());
  leaves_ = LeafTable<T>(f);
  blocks_.reserve(f.nodes() / 3 + f.nodes() / 32 + f.roots.size());   // three tests each is what trees of no particular form need
  blocks_.push_back(without_tests());
  Packer packer(f, tests, *this);
  for (const int32_t root : f.roots) packer.tree(root);
  if (blocks_.size() < 1 << 16) blocks_.shrink_to_fit();   // of more the rest was never written to
}

template <class T>
BlockWalk<T>::BlockWalk(const BlockWalk<float>& from) requires std::is_same_v<T, double>
    : blocks_(from.blocks_), set_begin_(from.set_begin_), set_bits_(from.set_bits_), planes_(from.planes_), leaves_(from.leaves_), cost_(from.cost_), fits_(from.fits_) {
  for (const auto& t : from.trees_) trees_.push_back({t.root, t.target, t.has_sets});
}

template <class T> template <bool sets> bool BlockWalk<T>::second(Block::Test test, const uint16_t* row) const {
  if (!sets || !(test.plane >> 15)) return test.code < row[test.plane];
  const uint16_t x = row[test.plane & 0x7fff];
  return !(set_bits_[size_t(set_begin_[test.code]) + x / 64] >> (x % 64) & 1);
}

// Each walk goes on by a block, level by level: what one waits for is hidden by the others. Those that have ended, ~leaf, stay where they are.
template <class T> template <bool sets, bool one_row, int lanes> void BlockWalk<T>::pass(int32_t* at, const uint16_t* const* row) const {
  const Block* block[lanes];
  Place place[lanes];
#pragma GCC unroll 16
  for (int r = 0; r < lanes; ++r) block[r] = &blocks_[size_t(at[r] & ~(at[r] >> 31))], place[r] = 1;
#pragma GCC unroll 4
  for (int level = 0; level < Block::levels; ++level) {
#pragma GCC unroll 16
    for (int r = 0; r < lanes; ++r) descend(place[r], second<sets>(block[r]->tests[place[r] - 1], row[one_row ? 0 : r]));
  }
#pragma GCC unroll 16
  for (int r = 0; r < lanes; ++r) {
    const int32_t from = at[r], ended = from >> 31, to = (from & ended) | (block[r]->ends[place[r] - Block::ways] & ~ended);
    at[r] = to;
    __builtin_prefetch(&blocks_[size_t(to & ~(to >> 31))]);
  }
}

// Those that have ended drop out after some blocks: without a branch, and not at once, since to move those that are left costs half as much
// as a block does.
template <class T> template <bool sets, bool one_row> void BlockWalk<T>::go(int32_t* at, size_t count, const uint16_t* codes, int64_t stride, int32_t* leaves) const {
  int32_t who[together];
  const uint16_t* row[one_row ? 1 : together];
  row[0] = codes;
  for (size_t i = 0; i < count; ++i) who[i] = int32_t(i);
  if (!one_row) for (size_t i = 0; i < count; ++i) row[i] = codes + int64_t(i) * stride;
  for (int steps = 4; count > 0; steps = 2) {
    for (int step = 0; step < steps; ++step) {
      size_t i = 0;
      for (; i + lanes <= count; i += lanes) pass<sets, one_row, lanes>(at + i, one_row ? row : row + i);
      for (; i < count; ++i) pass<sets, one_row, 1>(at + i, one_row ? row : row + i);
    }
    size_t left = 0;
    for (size_t i = 0; i < count; ++i) {
      const int32_t own = who[i], to = at[i];
      leaves[own] = ~to;
      at[left] = to, who[left] = own;
      if (!one_row) row[left] = row[i];
      left += to >= 0;
    }
    count = left;
  }
}

// `count` walks side by side, from the blocks in `at`; codes: of one row, or of one for each walk.
template <class T> template <bool one_row> void BlockWalk<T>::walk(int32_t* at, size_t count, bool sets, const uint16_t* codes, int64_t stride, int32_t* leaves) const {
  sets ? go<true, one_row>(at, count, codes, stride, leaves) : go<false, one_row>(at, count, codes, stride, leaves);
}

// One row: many trees at a time; what their leaves add, in the trees' order.
template <class T> void BlockWalk<T>::run_row(const uint16_t* codes, T* scores) const {
  FewOrMany<int32_t, 1024> room(trees_.size());
  int32_t* const leaves = room.data();
  for (size_t begin = 0; begin < trees_.size(); begin += together) {
    const size_t count = std::min(together, trees_.size() - begin);
    int32_t at[together];
    bool sets = false;
    for (size_t i = 0; i < count; ++i) at[i] = trees_[begin + i].root, sets |= trees_[begin + i].has_sets;
    walk<true>(at, count, sets, codes, 0, leaves + begin);
  }
  leaves_.add_row(scores, trees_.size(), [&](size_t t) { return size_t(leaves[t]); }, [&](size_t t) { return trees_[t].target; });
}

template <class T> void BlockWalk<T>::run(const uint16_t* codes, int64_t stride, int64_t count, T* scores) const {
  if (count < 8) {
    for (int64_t r = 0; r < count; ++r) run_row(codes + r * stride, scores + r * leaves_.targets);
    return;
  }
  for (size_t t = 0; t < trees_.size(); ++t) {
    const Tree& tree = trees_[t];
    if (count >= int64_t(together) && t + 1 < trees_.size()) {   // the next one comes while this one is walked
      const size_t end = t + 2 < trees_.size() ? size_t(trees_[t + 2].root) : blocks_.size();
      for (size_t b = size_t(trees_[t + 1].root); b < end; ++b) __builtin_prefetch(&blocks_[b], 0, 2);
    }
    for (int64_t begin = 0; begin < count; begin += int64_t(together)) {
      const auto n = size_t(std::min<int64_t>(together, count - begin));
      int32_t at[together], leaves[together];
      std::fill_n(at, n, tree.root);
      walk<false>(at, n, tree.has_sets, codes + begin * stride, stride, leaves);
      for (size_t r = 0; r < n; ++r) leaves_.add_to(scores + (begin + int64_t(r)) * leaves_.targets, leaves[r], tree.target);
    }
  }
}

template <class T> size_t BlockWalk<T>::bytes() const {
  return blocks_.capacity() * sizeof(Block) + leaves_.values.capacity() * sizeof(T) + leaves_.target.capacity() * 4 + leaves_.begin.capacity() * 4 + set_bits_.capacity() * 8;
}

template class BlockWalk<float>;
template class BlockWalk<double>;

}  // namespace onward
