#include "onward/ops/forest.h"

#include <algorithm>

#include "onward/base/few_or_many.h"

namespace onward {

template <class T>
Forest<T>::Forest(PlainForest<T>&& from, Aggregate aggregate, bool marks, ForestLayout layout) : aggregate_(aggregate), targets_(from.targets), trees_(int64_t(from.roots.size())) {
  normalise(from);
  for (const int32_t f : from.feature) features_ = std::max(features_, int64_t(f) + 1);
  const bool sums = aggregate == Aggregate::sum || aggregate == Aggregate::average;
  if (marks && sums) {
    const auto always = always_reached(from);
    always_seen_ = std::all_of(always.begin(), always.end(), [](bool a) { return a; });
  }
  if (!sums || (marks && !always_seen_)) {
    always_seen_ = false;
    splits_ = std::make_unique<const Walk<T>>(from, true);
    return;
  }
  fold_copies(from);
  std::vector<typename Ranks<T>::Test> tests;
  Ranks<T> ranks(from, tests);
  const auto allowed = [&](ForestLayout l) { return layout == ForestLayout::automatic || layout == l; };
  SlotMaker<T> maker(from);
  // Then comparing the values costs less than ranking them.
  const auto few_tests = [&] {
    double steps = 0;
    const auto add = [&](int32_t root) { return (steps += std::min(maker.of(root).depth, 24)) < 1.5 * ranks.cost(); };
    return from.roots.size() <= 64 && std::all_of(from.roots.begin(), from.roots.end(), add);
  };
  const bool small = !ranks.fits() || (layout == ForestLayout::automatic && few_tests());
  if (!small && allowed(ForestLayout::bits) && LeafBits<T>::suits(from, ranks)) bits_ = std::make_unique<const LeafBits<T>>(from, ranks, tests);
  if (!small && allowed(ForestLayout::heaps) && LeafHeaps<T>::suits(from, ranks, tests)) heaps_ = std::make_unique<const LeafHeaps<T>>(from, ranks, tests);
  if (layout == ForestLayout::automatic) {
    double walks = 0;
    if (bits_ || heaps_) for (const int32_t root : from.roots) walks += BlockWalk<T>::tree_cost(maker.of(root));
    if (bits_ && walks < bits_->cost()) bits_.reset();
    if (heaps_ && walks < heaps_->cost()) heaps_.reset();
  }
  if (!small && allowed(ForestLayout::masks) && ReachMasks<T>::suits(from, ranks)) masks_ = std::make_unique<const ReachMasks<T>>(from, ranks, tests);
  if (!small && !bits_ && allowed(ForestLayout::blocks)) blocks_ = std::make_unique<const BlockWalk<T>>(from, ranks, tests);
  if (blocks_ && !blocks_->fits()) blocks_.reset();
  if (!bits_ && !blocks_) splits_ = std::make_unique<const Walk<T>>(from);
  only_masks_ = layout == ForestLayout::masks;
  if (!by_masks(1024)) masks_.reset();
  if (!splits_ || masks_ || heaps_) ranks_ = std::move(ranks);
}

template <class T>
Forest<T>::Forest(const Forest<float>& from, bool strict) requires std::is_same_v<T, double>
    : aggregate_(from.aggregate_), targets_(from.targets_), features_(from.features_), trees_(from.trees_), always_seen_(from.always_seen_),
      blocks_(std::make_unique<const BlockWalk<T>>(*from.blocks_)), ranks_(from.ranks_, strict) {}

template <class T> double Forest<T>::row_cost(int64_t n) const { return bits_ ? bits_->cost() : by_heaps(n) ? heaps_->cost() : blocks_ ? blocks_->cost() : splits_->cost(); }

template <class T> double Forest<T>::cost(int64_t n) const {
  if (by_masks(n)) return masks_->cost(n) / double(n) + ranks_.cost();
  return row_cost(n) + (splits_ && !by_heaps(n) ? 0 : ranks_.cost());
}

template <class T> void Forest<T>::run_splits(const T* x, int64_t n, int64_t width, T* scores, bool* seen) const {
  constexpr int64_t block = 256;
  static constexpr T nothing[1] = {};
  const T* rows[block];
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t count = std::min(block, n - begin);
    for (int64_t r = 0; r < count; ++r) rows[r] = width ? x + (begin + r) * width : nothing;
    if (seen) splits_->combine(rows, count, aggregate_, scores + begin * targets_, seen + begin * targets_);
    else splits_->run(rows, count, scores + begin * targets_);
  }
}

template <class T> void Forest<T>::run_blocks(const T* x, int64_t n, int64_t width, T* scores) const {
  constexpr int64_t block = 512;
  const auto planes = blocks_->planes().all();
  const int64_t most = std::min(block, n), columns = int64_t(ranks_.columns().size()), width_of_codes = int64_t(planes.size()) + 1;
  FewOrMany<uint16_t, 256> room_of_codes(size_t(most * width_of_codes));
  FewOrMany<int32_t, 256> room_of_ranks(size_t(std::min<int64_t>(most, 64) * columns));
  uint16_t* const codes = room_of_codes.data();
  int32_t* const ranks = room_of_ranks.data();
  for (int64_t r = 0; r < most; ++r) codes[(r + 1) * width_of_codes - 1] = 0;
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t count = std::min(block, n - begin);
    for (int64_t part = 0; part < count; part += 64) {
      const int now = int(std::min<int64_t>(64, count - part));
      if (now == 1) ranks_.rank_row(x + (begin + part) * width, ranks);
      else ranks_.rank(x + (begin + part) * width, width, now, ranks);
      for (size_t p = 0; p < planes.size(); ++p)
        for (int r = 0; r < now; ++r) codes[(part + r) * width_of_codes + int64_t(p)] = WalkPlanes::code(ranks[planes[p].column * now + r], planes[p].base);
    }
    blocks_->run(codes, width_of_codes, count, scores + begin * targets_);
  }
}

template <class T> void Forest<T>::run_rows(const auto& layout, const T* x, int64_t n, int64_t width, T* scores) const {
  FewOrMany<int32_t, 256> room(ranks_.columns().size());
  int32_t* const ranks = room.data();
  for (int64_t r = 0; r < n; ++r) {
    ranks_.rank_row(x + r * width, ranks);
    layout.run(ranks, scores + r * targets_);
  }
}

template <class T> void Forest<T>::run(const RunContext& context, const T* x, int64_t n, int64_t width, T* scores, bool* seen) const {
  if (width < features_) invalid("the trees test ", features_, " features, the input has ", width);
  const std::unique_ptr<bool[]> own(seen || always_seen_ ? nullptr : new bool[size_t(n * targets_)]);
  if (!seen) seen = own.get();
  if (seen) std::fill_n(seen, n * targets_, always_seen_);
  // Rows that stay together. Each chunk reads all trees: to fetch a large forest's twice from far takes longer than one thread for all.
  constexpr size_t far_bytes = 2 << 20;
  const size_t bytes = blocks_ ? blocks_->bytes() : splits_ ? splits_->bytes() : 0;
  const int64_t unit = by_masks(n) || bytes > far_bytes ? 256 : n >= 64 ? 16 : 1;
  context.parallel((n + unit - 1) / unit, cost(n) * double(unit), [&](int64_t first, int64_t last) {
    context.check();
    const int64_t begin = first * unit, count = std::min(n, last * unit) - begin;
    const T* rows = x + begin * width;
    T* out = scores + begin * targets_;
    if (by_masks(count)) return masks_->run(ranks_, rows, count, width, out);
    std::fill_n(out, count * targets_, T(0));
    if (bits_) run_rows(*bits_, rows, count, width, out);
    else if (by_heaps(count)) run_rows(*heaps_, rows, count, width, out);
    else if (blocks_) run_blocks(rows, count, width, out);
    else run_splits(rows, count, width, out, always_seen_ ? nullptr : seen + begin * targets_);
  });
  if (aggregate_ == Aggregate::average && trees_ > 0) for (int64_t i = 0; i < n * targets_; ++i) scores[i] /= T(trees_);
}

template class Forest<float>;
template class Forest<double>;

}  // namespace onward
