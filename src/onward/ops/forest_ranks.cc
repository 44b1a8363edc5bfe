#include "onward/ops/forest_ranks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace onward {
namespace {

struct Keyed { uint64_t key; int32_t node; };

// Whole numbers in the order of the values; both zeros are one.
template <class T> uint64_t ordered(T x) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  const auto bits = std::bit_cast<Bits>(T(x + T(0)));
  constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
  return bits & sign ? Bits(~bits) : Bits(bits | sign);
}

// By digits of eight bits, least first; a digit that all keys share costs one look.
void sort_by_key(std::vector<Keyed>& list, std::vector<Keyed>& spare) {
  if (list.size() < 512) return std::sort(list.begin(), list.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
  spare.resize(list.size());
  for (int shift = 0; shift < 64; shift += 8) {
    size_t count[256] = {};
    for (const Keyed& k : list) ++count[k.key >> shift & 255];
    if (count[list[0].key >> shift & 255] == list.size()) continue;
    size_t sum = 0;
    for (size_t& c : count) sum += std::exchange(c, sum);
    for (const Keyed& k : list) spare[count[k.key >> shift & 255]++] = k;
    list.swap(spare);
  }
}

}  // namespace

template <class T> class Ranks<T>::Builder {
 public:
  Builder(const PlainForest<T>& forest, std::vector<Test>& tests, Ranks& to) : f_(forest), tests_(tests), to_(to) {}

  void build() {
    tests_.assign(f_.nodes(), {});
    // Nodes by feature: those that compare, then those that test sets.
    const size_t features = f_.nodes() ? size_t(*std::max_element(f_.feature.begin(), f_.feature.end())) + 1 : 0;
    const bool few = features <= 4 * f_.nodes() + 1024;
    std::vector<int32_t> order(f_.nodes());
    for (size_t i = 0; i < order.size(); ++i) order[i] = int32_t(i);
    const auto group = [&](int32_t i) { return 2 * int64_t(f_.feature[size_t(i)]) + (f_.mode[size_t(i)] == Branch::member); };
    if (few) by_counting(order, 2 * features, group);
    else std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return group(a) < group(b); });
    for (size_t begin = 0; begin < order.size();) {
      size_t end = begin;
      while (end < order.size() && group(order[end]) == group(order[begin])) ++end;
      const std::span<const int32_t> nodes(order.data() + begin, end - begin);
      if (f_.mode[size_t(nodes[0])] == Branch::member) categories(nodes);
      else thresholds(nodes);
      begin = end;
    }
  }

 private:
  template <class F> static void by_counting(std::vector<int32_t>& order, size_t groups, F&& group) {
    std::vector<int32_t> start(groups + 1), sorted(order.size());
    for (int32_t i : order) ++start[size_t(group(i)) + 1];
    for (size_t g = 1; g <= groups; ++g) start[g] += start[g - 1];
    for (int32_t i : order) sorted[size_t(start[size_t(group(i))]++)] = i;
    order.swap(sorted);
  }

  int32_t column(RankKind kind) {
    const auto table = int32_t(to_.tables_.size());
    for (size_t c = to_.columns_.size(); c-- > 0 && to_.columns_[c].table == table;) if (to_.columns_[c].kind == kind) return int32_t(c);
    to_.columns_.push_back({table, kind});
    return int32_t(to_.columns_.size()) - 1;
  }

  void thresholds(std::span<const int32_t> nodes) {
    list_.clear();
    for (int32_t i : nodes) {
      const T split = f_.split[size_t(i)];
      if (split == split) list_.push_back({ordered(split), i});
    }
    sort_by_key(list_, spare_);
    std::vector<T> sorted;
    for (size_t k = 0; k < list_.size(); ++k) {
      if (k == 0 || list_[k].key != list_[k - 1].key) sorted.push_back(f_.split[size_t(list_[k].node)]);
      tests_[size_t(list_[k].node)].rank = int32_t(sorted.size()) - 1;
    }
    for (int32_t i : nodes) {
      Test& test = tests_[size_t(i)];
      const bool first = f_.missing_yes[size_t(i)];
      test.column = column(first ? RankKind::missing_first : RankKind::missing_last);
      if (first) test.rank += f_.split[size_t(i)] == f_.split[size_t(i)];   // a split of NaN lets NaN pass and nothing else: rank 0
    }
    add_table(f_.feature[size_t(nodes[0])], std::move(sorted));
  }

  void categories(std::span<const int32_t> nodes) {
    std::vector<T> members;
    for (int32_t i : nodes) {
      const auto& set = f_.sets[size_t(f_.split[size_t(i)])];
      members.insert(members.end(), set.begin(), set.end());
    }
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    const int32_t own = column(RankKind::category);
    for (int32_t i : nodes) {
      Category set{own, std::vector<uint64_t>((members.size() + 2 + 63) / 64)};
      const auto include = [&](size_t bit) { set.bits[bit / 64] |= uint64_t{1} << (bit % 64); };
      for (T m : f_.sets[size_t(f_.split[size_t(i)])]) include(size_t(std::lower_bound(members.begin(), members.end(), m) - members.begin()));
      if (f_.missing_yes[size_t(i)]) include(members.size() + 1);
      const auto [at, fresh] = numbers_.emplace(std::move(set), int32_t(to_.sets_.size()));
      if (fresh) to_.sets_.push_back(at->first);
      tests_[size_t(i)] = {own, at->second};
    }
    add_table(f_.feature[size_t(nodes[0])], std::move(members));
  }

  void add_table(int32_t feature, std::vector<T>&& sorted) {
    Table& table = to_.tables_.emplace_back();
    table.feature = feature;
    table.build(std::move(sorted));
    to_.cost_ += 2.0 + 0.4 * table.steps;
  }

  const PlainForest<T>& f_;
  std::vector<Test>& tests_;
  Ranks& to_;
  std::vector<Keyed> list_, spare_;
  std::map<Category, int32_t> numbers_;
};

template <class T> Ranks<T>::Ranks(const PlainForest<T>& forest, std::vector<Test>& tests) { Builder(forest, tests, *this).build(); }

template <class T> int32_t Ranks<T>::largest(int32_t column) const {
  const Column& c = columns_[size_t(column)];
  return tables_[size_t(c.table)].count + (c.kind != RankKind::missing_last);
}

template <class T> int32_t Ranks<T>::Table::bucket(T x) const {
  T b = (x - low) * scale;                         // rounding keeps the order: a value in a later bucket is no smaller
  b = b > 0 ? b : 0;
  b = b < last_bucket ? b : last_bucket;
  return int32_t(b);
}

template <class T> void Ranks<T>::Table::build(std::vector<T>&& sorted) {
  values = std::move(sorted);
  count = int32_t(values.size());
  const auto finite = [](T x) { return std::abs(x) <= std::numeric_limits<T>::max(); };
  const auto first = std::find_if(values.begin(), values.end(), finite), last = std::find_if(values.rbegin(), values.rend(), finite).base();
  const size_t buckets = std::bit_ceil(std::clamp<size_t>(2 * values.size(), 16, 4096));
  if (first < last) {
    low = *first;
    const T width = *(last - 1) - low;
    scale = T(buckets - 1) / width;
    last_bucket = T(buckets - 1);
  }
  if (!finite(scale) || !(scale > 0)) low = 0, scale = 0, last_bucket = 0;
  start.assign(size_t(last_bucket) + 1, 0);
  for (T t : values) ++start[size_t(bucket(t))];
  const int32_t most = *std::max_element(start.begin(), start.end());
  int32_t sum = 0;
  for (int32_t& s : start) sum += std::exchange(s, sum);
  steps = std::bit_width(uint32_t(most));
  values.insert(values.end(), (size_t{1} << steps) - 1, std::numeric_limits<T>::infinity());
}

// How many of the values lie below each x; NaN is above none.
template <class T> void Ranks<T>::Table::find(const T* x, int rows, int32_t* at) const {
  for (int r = 0; r < rows; ++r) at[r] = start[size_t(bucket(x[r]))];
  for (int32_t half = int32_t{1} << steps >> 1; half > 0; half >>= 1)
    for (int r = 0; r < rows; ++r) at[r] += values[size_t(at[r] + half - 1)] < x[r] ? half : 0;
}

template <class T> void Ranks<T>::rank(const T* x, int64_t width, int rows, int32_t* out) const {
  T values[most_rows];
  int32_t at[most_rows];
  size_t c = 0;
  for (size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    const T* column = x + table.feature;
    for (int r = 0; r < rows; ++r) values[r] = column[r * width];
    table.find(values, rows, at);
    for (; c < columns_.size() && columns_[c].table == int32_t(t); ++c, out += rows) {
      const int32_t count = table.count;
      switch (columns_[c].kind) {
        case RankKind::missing_last:
          for (int r = 0; r < rows; ++r) out[r] = values[r] == values[r] ? at[r] : count;
          break;
        case RankKind::missing_first:
          for (int r = 0; r < rows; ++r) out[r] = values[r] == values[r] ? at[r] + 1 : 0;
          break;
        case RankKind::category:
          for (int r = 0; r < rows; ++r) {
            const bool known = at[r] < count && table.values[size_t(at[r])] == values[r];
            out[r] = known ? at[r] : values[r] == values[r] ? count : count + 1;
          }
          break;
      }
    }
  }
}

template class Ranks<float>;
template class Ranks<double>;

}  // namespace onward
