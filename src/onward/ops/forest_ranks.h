// Where a value stands among the thresholds of its feature. x <= t asks the same as rank(x) <= rank(t), where rank(x) counts the
// thresholds below x: walks and masks then compare small whole numbers, whatever the type of the input. Exact: nothing is rounded.
#pragma once
#include <cstdint>
#include <type_traits>
#include <span>
#include <vector>

#include "onward/ops/plain_forest.h"

namespace onward {

// How a row's value becomes a whole number; a column of those numbers answers the tests of one kind of one feature.
enum class RankKind : uint8_t {
  missing_last,                          // a NaN is above every threshold: it fails every test
  missing_first,                         // a NaN is 0, every other value one more than its rank: a NaN passes every test
  category,                              // the place in the feature's list of set members; `unknown` and `missing` come after it
};

template <class T> class Ranks {
 public:
  struct Column { int32_t table; RankKind kind; };
  struct Test { int32_t column = 0, rank = 0; };   // of a node: column <= rank, or column is in the set with this number
  struct Category {                                // a set of `sets`, as numbers of its column
    int32_t column;
    std::vector<uint64_t> bits;
    bool operator==(const Category&) const = default;
    auto operator<=>(const Category&) const = default;
  };

  Ranks() = default;
  // `tests`: one for each node of the forest, which must be normalised.
  Ranks(const PlainForest<T>& forest, std::vector<Test>& tests);
  // Of doubles among thresholds that are floats: every test keeps its column and its rank. `strict`: the thresholds are the floats before
  // those that values must be below.
  Ranks(const Ranks<float>& from, bool strict) requires std::is_same_v<T, double>;

  // Whether the sets of categories take no more room than they are worth; nothing else may be asked where not.
  bool fits() const { return fits_; }
  std::span<const Column> columns() const { return columns_; }
  std::span<const Category> sets() const { return sets_; }
  int32_t largest(int32_t column) const;           // that a value of the column may be

  // x: rows `width` apart, at most 64 of them; out: [columns][rows].
  void rank(const T* x, int64_t width, int rows, int32_t* out) const;
  void rank_row(const T* x, int32_t* out) const;
  static constexpr int most_rows = 64;
  double cost() const { return cost_; }            // nanoseconds a row, roughly

 private:
  // The values of one feature, sorted. A value's bucket says nearly where it stands; `steps` halvings find the place.
  struct Table {
    int32_t feature = 0, count = 0, steps = 0;
    int32_t columns = 0;                           // so many of the columns are its
    size_t start = 0, values = 0;                  // where its part of starts_ and of values_ begins
    T low = 0, scale = 0, last_bucket = 0;
  };
  class Builder;
  template <class U> friend class Ranks;

  void add_table(int32_t feature, const std::vector<T>& sorted);
  static void spread(Table& table, const std::vector<T>& sorted);
  void find(const Table& table, const T* x, int rows, int32_t* at) const;
  int32_t of_kind(RankKind kind, const Table& table, T x, int32_t at) const;

  std::vector<Table> tables_;                      // in the order of their columns
  std::vector<int32_t> starts_;                    // of each bucket: how many values lie in buckets before it
  std::vector<T> values_;                          // of each table, followed by infinities
  std::vector<Column> columns_;
  std::vector<Category> sets_;
  double cost_ = 0;
  bool fits_ = true;
};

// Ranks cut to what fits a code: a column with more thresholds than `capacity` becomes several planes, each with a part of them.
template <class Code, int32_t capacity> class Planes {
 public:
  struct Plane { int32_t column, base; };
  struct Place { int32_t plane; Code code; };

  template <class T> void build(const Ranks<T>& ranks) {
    for (size_t c = 0; c < ranks.columns().size(); ++c) {
      first_.push_back(int32_t(planes_.size()));
      const int32_t most = ranks.columns()[c].kind == RankKind::category ? 0 : ranks.largest(int32_t(c));
      for (int32_t base = 0; base == 0 || base < most; base += capacity) planes_.push_back({int32_t(c), base});
    }
  }
  Place place(int32_t column, int32_t rank) const { return {first_[size_t(column)] + rank / capacity, Code(rank % capacity)}; }
  // Where each set has a plane of its own, after these: 0 for its members.
  template <class Test> Place place(const Test& test, bool set) const { return set ? Place{int32_t(planes_.size()) + test.rank, 0} : place(test.column, test.rank); }
  std::span<const Plane> all() const { return planes_; }
  static Code code(int32_t rank, int32_t base) { return Code(std::min(std::max(rank - base, 0), largest)); }
  static constexpr int32_t thresholds = capacity;  // of a plane
  static constexpr int32_t largest = capacity + 1;

 private:
  std::vector<Plane> planes_;
  std::vector<int32_t> first_;                     // plane of each column
};

using BytePlanes = Planes<uint8_t, 254>;
using WalkPlanes = Planes<uint16_t, 65534>;

// Whether a tree is full and each level makes one test; `levels`, if given, gets a node of each.
template <class T>
bool is_symmetric(const TreeSlots& tree, const std::vector<typename Ranks<T>::Test>& tests, const PlainForest<T>& forest, std::vector<int32_t>* levels = nullptr);

extern template class Ranks<float>;
extern template class Ranks<double>;

}  // namespace onward
