// Large trees in blocks of three levels, a line of the cache each: seven tests of ranks, and where the eight ways through them lead. A
// walk reads from memory once for three tests, and one that has ended soon costs nothing while others go on.
#pragma once
#include "onward/ops/forest_leaves.h"
#include "onward/ops/forest_ranks.h"

namespace onward {

struct alignas(64) ForestBlock {
  static constexpr int levels = 3, ways = 1 << levels;
  struct Test {
    uint16_t plane;                                      // bit 15: code is the number of a set; no test: the plane after all others, which is 0
    uint16_t code;
  };
  Test tests[ways - 1];                                  // by place in a full tree; a row goes to the first child where its code is no larger
  int32_t ends[ways];                                    // of each way: a block, or ~leaf
};

template <class T> class BlockWalk {
 public:
  // `tests`: of each node, as Ranks makes them. Throws Error{bad_model} for nodes that lead back to themselves.
  BlockWalk(const PlainForest<T>& forest, const Ranks<T>& ranks, const std::vector<typename Ranks<T>::Test>& tests);
  // The same trees of floats, for doubles: their codes are those of `Ranks(ranks, strict)`.
  explicit BlockWalk(const BlockWalk<float>& from) requires std::is_same_v<T, double>;

  // Whether planes and sets could be numbered by what a test has room for; nothing else may be asked where not.
  bool fits() const { return fits_; }

  // codes: of each row those in `planes` and a 0, `stride` apart; scores: (count, targets), added to.
  void run(const uint16_t* codes, int64_t stride, int64_t count, T* scores) const;

  const WalkPlanes& planes() const { return planes_; }
  double cost() const { return cost_; }                  // nanoseconds a row, roughly
  static double tree_cost(const TreeSlots& tree);
  size_t bytes() const;

 private:
  template <class U> friend class BlockWalk;
  class Packer;
  using Block = ForestBlock;
  static constexpr size_t lanes = 8, together = 128;     // walks: as many as registers hold, and as hide the way to memory
  struct Tree { int32_t root, target; bool has_sets; };

  Block without_tests() const;
  template <bool sets> bool second(Block::Test test, const uint16_t* row) const;
  template <bool sets, bool one_row, int lanes> void pass(int32_t* at, const uint16_t* const* row) const;
  template <bool one_row> void walk(int32_t* at, size_t count, bool sets, const uint16_t* codes, int64_t stride, int32_t* leaves) const;
  template <bool sets, bool one_row> void go(int32_t* at, size_t count, const uint16_t* codes, int64_t stride, int32_t* leaves) const;
  void run_row(const uint16_t* codes, T* scores) const;

  std::vector<Block, LargePages<Block>> blocks_;         // the first without tests
  std::vector<Tree> trees_;
  std::vector<int32_t> set_begin_;                       // the word of set_bits_ where a set begins
  std::vector<uint64_t> set_bits_;
  WalkPlanes planes_;
  LeafTable<T> leaves_;
  double cost_ = 0;
  bool fits_ = true;
};

extern template class BlockWalk<float>;
extern template class BlockWalk<double>;

}  // namespace onward
