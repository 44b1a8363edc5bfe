// Decision trees packed once, at load, in the layouts that suit their size, and run by the one that suits the number of rows: the engine
// of TreeEnsemble and its two predecessors. Sums run in the trees' order, in their own type: a row's answer depends on nothing else,
// and every layout gives the same bits.
#pragma once
#include <memory>

#include "onward/ops/forest_bits.h"
#include "onward/ops/forest_blocks.h"
#include "onward/ops/forest_heaps.h"
#include "onward/ops/forest_masks.h"
#include "onward/ops/forest_walk.h"

namespace onward {

// Which layouts may be made; tests ask for one at a time.
enum class ForestLayout : uint8_t { automatic, splits, blocks, masks, bits, heaps };

template <class T> class Forest {
 public:
  // `marks`: run will be asked which targets a leaf added to. Throws Error{bad_model} for children, features or targets that do not
  // exist, and for nodes that lead back to themselves.
  Forest(PlainForest<T>&& from, Aggregate aggregate, bool marks = false, ForestLayout layout = ForestLayout::automatic);
  // The same trees of floats, for doubles; needs `serves_doubles()`. `strict`: every test that compares says < or >=; otherwise each says
  // <= or >.
  Forest(const Forest<float>& from, bool strict) requires std::is_same_v<T, double>;
  // Whether those for doubles can be made of this, so that nobody need keep what it was made from.
  bool serves_doubles() const { return blocks_ && !masks_ && !heaps_; }
  int64_t features() const { return features_; }         // what a row must have at least
  int64_t trees() const { return trees_; }
  bool always_seen() const { return always_seen_; }      // every row reaches leaves that add to every target

  // x: (n, width) row-major; scores: (n, targets). `seen`, if given: (n, targets), set where any leaf added.
  void run(const RunContext& context, const T* x, int64_t n, int64_t width, T* scores, bool* seen = nullptr) const;

 private:
  template <class U> friend class Forest;
  void run_splits(const T* x, int64_t n, int64_t width, T* scores, bool* seen) const;
  void run_blocks(const T* x, int64_t n, int64_t width, T* scores) const;
  void run_rows(const auto& layout, const T* x, int64_t n, int64_t width, T* scores) const;
  double row_cost(int64_t n) const;                      // nanoseconds, roughly, of one of n rows, without ranks
  double cost(int64_t n) const;                          // nanoseconds a row, roughly
  bool by_masks(int64_t n) const { return masks_ && (only_masks_ || masks_->cost(n) < double(n) * row_cost(n)); }
  bool by_heaps(int64_t n) const { return heaps_ && n < 8; }   // with more rows a tree's walks go side by side

  Aggregate aggregate_;
  int64_t targets_, features_ = 0, trees_;
  bool always_seen_ = true;
  bool only_masks_ = false;
  std::unique_ptr<const Walk<T>> splits_;
  std::unique_ptr<const BlockWalk<T>> blocks_;
  std::unique_ptr<const ReachMasks<T>> masks_;
  std::unique_ptr<const LeafBits<T>> bits_;
  std::unique_ptr<const LeafHeaps<T>> heaps_;
  Ranks<T> ranks_;
};

extern template class Forest<float>;
extern template class Forest<double>;

}  // namespace onward
