#include "onward/ops/forest_ranks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "onward/base/large_pages.h"

namespace onward {
namespace {

// Rounding keeps the order: a value in a later bucket is no smaller. In the order of operands that an instruction has; NaN: the last one.
template <class T> int32_t bucket(T x, T low, T scale, T last) {
  T b = (x - low) * scale;
  b = T(0) > b ? T(0) : b;
  return int32_t(b < last ? b : last);
}

// Whole numbers in the order of the values; both zeros are one. The lowest bits that are 0 in a value are 0 in its key.
template <class T> struct Key {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  static constexpr Bits sign = Bits{1} << (8 * sizeof(T) - 1);
  static constexpr int unused = 64 - 8 * int(sizeof(T));  // low bits
  static uint64_t of(T x) {
    const auto bits = std::bit_cast<Bits>(x);
    return uint64_t(bits & sign ? Bits(sign - (bits ^ sign)) : Bits(bits | sign)) << unused;
  }
  static T value(uint64_t key) {
    const auto k = Bits(key >> unused);
    return std::bit_cast<T>(k & sign ? Bits(k ^ sign) : Bits((sign - k) | sign));
  }
};

// A key, and whose it is: in one word where the keys leave as many bits, as the midpoints of floats do.
struct Keyed {
  uint64_t key;
  uint32_t at;
  uint64_t order() const { return key; }
};
struct KeyedWord {
  uint64_t word;
  uint64_t order() const { return word; }
};

// By digits of eight bits, least first; those that all keys share, and those below `lowest`, are left out.
template <class Item> void sort_by_key(std::vector<Item>& list, std::vector<Item>& spare, uint64_t differing, int lowest) {
  if (list.size() < 512) return std::sort(list.begin(), list.end(), [](const Item& a, const Item& b) { return a.order() < b.order(); });
  spare.resize(list.size());
  for (int shift = lowest / 8 * 8; shift < 64; shift += 8) {
    if ((differing >> shift & 255) == 0) continue;
    size_t count[256] = {};
    for (const Item& k : list) ++count[k.order() >> shift & 255];
    size_t sum = 0;
    for (size_t& c : count) sum += std::exchange(c, sum);
    for (const Item& k : list) spare[count[k.order() >> shift & 255]++] = k;
    list.swap(spare);
  }
}

}  // namespace

template <class T> class Ranks<T>::Builder {
 public:
  Builder(const PlainForest<T>& forest, std::vector<Test>& tests, Ranks& to) : f_(forest), tests_(tests), to_(to) {}

  void build() {
    reserve_in_large_pages(tests_, f_.nodes());
    tests_.assign(f_.nodes(), {});
    const std::vector<int32_t> order = by_group();
    for (size_t begin = 0; begin < order.size() && to_.fits_;) {
      size_t end = begin;
      while (end < order.size() && group(order[end]) == group(order[begin])) ++end;
      const std::span<const int32_t> nodes(order.data() + begin, end - begin);
      if (f_.mode[size_t(nodes[0])] == Branch::member) categories(nodes);
      else thresholds(nodes);
      begin = end;
    }
  }

 private:
  int64_t group(int32_t i) const { return 2 * int64_t(f_.feature[size_t(i)]) + (f_.mode[size_t(i)] == Branch::member); }

  // Nodes by feature: those that compare, then those that test sets.
  std::vector<int32_t> by_group() const {
    const auto nodes = int32_t(f_.nodes());
    const size_t features = nodes ? size_t(*std::max_element(f_.feature.begin(), f_.feature.end())) + 1 : 0;
    std::vector<int32_t> order;
    reserve_in_large_pages(order, f_.nodes());
    order.resize(f_.nodes());
    if (features > 4 * f_.nodes() + 1024) {
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return group(a) < group(b); });
      return order;
    }
    std::vector<int32_t> start(2 * features + 1);
    for (int32_t i = 0; i < nodes; ++i) ++start[size_t(group(i)) + 1];
    for (size_t g = 1; g < start.size(); ++g) start[g] += start[g - 1];
    for (int32_t i = 0; i < nodes; ++i) order[size_t(start[size_t(group(i))]++)] = i;
    return order;
  }

  int32_t column(RankKind kind) {
    const auto table = int32_t(to_.tables_.size());
    for (size_t c = to_.columns_.size(); c-- > 0 && to_.columns_[c].table == table;) if (to_.columns_[c].kind == kind) return int32_t(c);
    to_.columns_.push_back({table, kind});
    return int32_t(to_.columns_.size()) - 1;
  }

  // There may be millions of nodes: what is looked up by value is a small list of this feature's alone.
  void thresholds(std::span<const int32_t> nodes) {
    uint64_t differing = 0, any = 0;
    list_.clear();
    for (size_t k = 0; k < nodes.size(); ++k) {
      const T split = f_.split[size_t(nodes[k])];
      if (split != split) continue;
      list_.push_back({Key<T>::of(split), uint32_t(k)});
      differing |= list_.back().key ^ list_.front().key, any |= list_.back().key;
    }
    std::vector<T> sorted;
    below_.assign(nodes.size(), 0);                        // of each node: how many values are not above its own; 0: it is NaN
    const int free_bits = std::countr_zero(any), needed = std::bit_width(nodes.size());
    uint64_t last = 0;
    const auto next = [&](uint64_t key, size_t at) {
      if (sorted.empty() || key != last) sorted.push_back(Key<T>::value(key)), last = key;
      below_[at] = int32_t(sorted.size());
    };
    if (needed <= free_bits) {
      words_.clear();
      for (const Keyed& k : list_) words_.push_back({k.key | k.at});
      sort_by_key(words_, spare_words_, differing, needed);
      const uint64_t own = (uint64_t{1} << needed) - 1;
      for (const KeyedWord& k : words_) next(k.word & ~own, k.word & own);
    } else {
      sort_by_key(list_, spare_, differing, 0);
      for (const Keyed& k : list_) next(k.key, k.at);
    }
    int32_t columns[2] = {-1, -1};                         // by whether a NaN passes
    for (size_t k = 0; k < nodes.size(); ++k) {
      const auto i = size_t(nodes[k]);
      const bool first = f_.missing_yes[i];
      if (columns[first] < 0) columns[first] = column(first ? RankKind::missing_first : RankKind::missing_last);
      tests_[i] = {columns[first], below_[k] == 0 ? 0 : below_[k] - !first};   // NaN passes a split of NaN, and nothing else
    }
    to_.add_table(f_.feature[size_t(nodes[0])], sorted);
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
    const size_t words = (members.size() + 2 + 63) / 64;
    written_ += words * nodes.size();
    if (written_ > most_written) to_.fits_ = false;
    for (int32_t i : nodes) {
      if (!to_.fits_) return;
      Category set{own, std::vector<uint64_t>(words)};
      const auto include = [&](size_t bit) { set.bits[bit / 64] |= uint64_t{1} << (bit % 64); };
      for (T m : f_.sets[size_t(f_.split[size_t(i)])]) include(size_t(std::lower_bound(members.begin(), members.end(), m) - members.begin()));
      if (f_.missing_yes[size_t(i)]) include(members.size() + 1);
      const auto [at, fresh] = numbers_.emplace(std::move(set), int32_t(to_.sets_.size()));
      if (fresh) to_.sets_.push_back(at->first), to_.fits_ = (kept_ += words) <= most_kept;
      tests_[size_t(i)] = {own, at->second};
    }
    to_.add_table(f_.feature[size_t(nodes[0])], members);
  }

  static constexpr size_t most_written = 1 << 26, most_kept = 1 << 22;   // words of sets: each has a bit for every member of any
  size_t written_ = 0, kept_ = 0;
  const PlainForest<T>& f_;
  std::vector<Test>& tests_;
  Ranks& to_;
  std::vector<Keyed> list_, spare_;
  std::vector<KeyedWord> words_, spare_words_;
  std::vector<int32_t> below_;
  std::map<Category, int32_t> numbers_;
};

template <class T> Ranks<T>::Ranks(const PlainForest<T>& forest, std::vector<Test>& tests) {
  Builder(forest, tests, *this).build();
  starts_.shrink_to_fit(), values_.shrink_to_fit();        // a forest may have nearly as many thresholds as nodes
}

template <class T> Ranks<T>::Ranks(const Ranks<float>& from, bool strict) requires std::is_same_v<T, double> {
  for (const auto& set : from.sets_) sets_.push_back({set.column, set.bits});
  values_.reserve(from.values_.size());
  for (const auto& table : from.tables_) {
    const auto begin = from.values_.begin() + int64_t(table.values);
    std::vector<double> sorted(begin, begin + table.count);
    const auto own = std::span(from.columns_).subspan(columns_.size(), size_t(table.columns));
    if (strict && own[0].kind != RankKind::category)
      for (double& v : sorted) v = std::nextafter(double(std::nextafter(float(v), INFINITY)), -INFINITY);
    for (const auto& c : own) columns_.push_back({c.table, c.kind});
    add_table(table.feature, sorted);
  }
}

template <class T> void Ranks<T>::add_table(int32_t feature, const std::vector<T>& sorted) {
  Table table;
  table.feature = feature, table.count = int32_t(sorted.size());
  table.start = starts_.size(), table.values = values_.size();
  for (size_t c = columns_.size(); c-- > 0 && columns_[c].table == int32_t(tables_.size());) ++table.columns;
  spread(table, sorted);
  starts_.resize(table.start + size_t(table.last_bucket) + 1);
  const auto begin = starts_.begin() + int64_t(table.start);
  for (T t : sorted) ++begin[bucket(t, table.low, table.scale, table.last_bucket)];
  table.steps = std::bit_width(uint32_t(*std::max_element(begin, starts_.end())));
  int32_t sum = 0;
  for (auto s = begin; s != starts_.end(); ++s) sum += std::exchange(*s, sum);
  values_.insert(values_.end(), sorted.begin(), sorted.end());
  values_.insert(values_.end(), (size_t{1} << table.steps) - 1, std::numeric_limits<T>::infinity());
  tables_.push_back(table);
  cost_ += 2.0 + 0.4 * table.steps;
}

// Buckets of equal width from the smallest to the largest finite value; one bucket where that cannot be.
template <class T> void Ranks<T>::spread(Table& table, const std::vector<T>& sorted) {
  const auto finite = [](T x) { return std::abs(x) <= std::numeric_limits<T>::max(); };
  const auto first = std::find_if(sorted.begin(), sorted.end(), finite), last = std::find_if(sorted.rbegin(), sorted.rend(), finite).base();
  if (!(first < last)) return;
  const size_t buckets = std::bit_ceil(std::clamp<size_t>(4 * sorted.size(), 16, 4096));
  const T scale = T(buckets - 1) / (*(last - 1) - *first);
  if (finite(scale) && scale > 0) table.low = *first, table.scale = scale, table.last_bucket = T(buckets - 1);
}

template <class T> int32_t Ranks<T>::largest(int32_t column) const {
  const Column& c = columns_[size_t(column)];
  return tables_[size_t(c.table)].count + (c.kind != RankKind::missing_last);
}

// at[r] = from[at[r]]. (Vectors would gather: slower than loads, one by one.)
template <class V> [[gnu::optimize("no-tree-vectorize")]] static void looked_up(const V* from, int rows, const int32_t* at, V* out) {
  for (int r = 0; r < rows; ++r) out[r] = from[at[r]];
}

// How many of the values lie below each x, which is 0 or more for NaN. Passes over the rows: those that look nothing up are vectors.
template <class T> void Ranks<T>::find(const Table& table, const T* __restrict x, int rows, int32_t* __restrict at) const {
  const T low = table.low, scale = table.scale, last = table.last_bucket;
  for (int r = 0; r < rows; ++r) at[r] = bucket(x[r], low, scale, last);
  looked_up(starts_.data() + table.start, rows, at, at);
  T value[most_rows];
  for (int s = table.steps - 1; s >= 0; --s) {
    looked_up(values_.data() + table.values + (int64_t{1} << s) - 1, rows, at, value);
    for (int r = 0; r < rows; ++r) at[r] += int32_t(value[r] < x[r]) << s;
  }
}

template <class T> int32_t Ranks<T>::of_kind(RankKind kind, const Table& table, T x, int32_t at) const {
  if (kind == RankKind::missing_last) return x == x ? at : table.count;
  if (kind == RankKind::missing_first) return x == x ? at + 1 : 0;
  const bool known = at < table.count && values_[table.values + size_t(at)] == x;
  return known ? at : x == x ? table.count : table.count + 1;
}

// A column of numbers: how many thresholds are below each, and `more`; `missing` for NaN.
template <class T> static void numbers(const T* __restrict x, const int32_t* __restrict at, int rows, int32_t more, int32_t missing, int32_t* __restrict out) {
  for (int r = 0; r < rows; ++r) {
    const int32_t known = x[r] == x[r] ? -1 : 0;
    out[r] = ((at[r] + more) & known) | (missing & ~known);
  }
}

template <class T> void Ranks<T>::rank(const T* x, int64_t width, int rows, int32_t* out) const {
  T values[most_rows];
  int32_t at[most_rows];
  const Column* column = columns_.data();
  // The next rows: column after column they would be missed in the caches one by one.
  for (int64_t i = 0; i < rows * width; i += 64 / int64_t(sizeof(T))) __builtin_prefetch(x + rows * width + i);
  for (const Table& table : tables_) {
    for (int r = 0; r < rows; ++r) values[r] = x[r * width + table.feature];
    find(table, values, rows, at);
    for (int c = 0; c < table.columns; ++c, ++column, out += rows) {
      if (column->kind == RankKind::category) for (int r = 0; r < rows; ++r) out[r] = of_kind(RankKind::category, table, values[r], at[r]);
      else if (column->kind == RankKind::missing_last) numbers(values, at, rows, 0, table.count, out);
      else numbers(values, at, rows, 1, 0, out);
    }
  }
}

template <class T> [[gnu::optimize("no-tree-vectorize")]] void Ranks<T>::rank_row(const T* x, int32_t* out) const {
  const Column* column = columns_.data();
  for (const Table& table : tables_) {
    const T value = x[table.feature];
    const T* values = values_.data() + table.values;
    int64_t a = starts_[table.start + size_t(bucket(value, table.low, table.scale, table.last_bucket))];
    for (int s = table.steps - 1; s >= 0; --s) a += int64_t(values[a + (int64_t{1} << s) - 1] < value) << s;
    const auto at = int32_t(a);
    for (int c = 0; c < table.columns; ++c, ++column) *out++ = of_kind(column->kind, table, value, at);
  }
}

template <class T> bool is_symmetric(const TreeSlots& tree, const std::vector<typename Ranks<T>::Test>& tests, const PlainForest<T>& f, std::vector<int32_t>* levels) {
  if (tree.depth > 16 || tree.leaves.size() != size_t{1} << tree.depth) return false;
  std::vector<int32_t> level(tree.from.size(), 0), met;
  for (const int32_t slot : tree.inner) {
    const auto l = size_t(level[size_t(slot)]), child = size_t(tree.child[size_t(slot)]);
    if (l >= met.size()) met.push_back(tree.from[size_t(slot)]);
    const auto a = size_t(tree.from[size_t(slot)]), b = size_t(met[l]);
    if (tests[a].column != tests[b].column || tests[a].rank != tests[b].rank || f.mode[a] != f.mode[b]) return false;
    level[child] = level[child + 1] = int32_t(l) + 1;
  }
  if (levels) *levels = std::move(met);
  return true;
}
template bool is_symmetric<float>(const TreeSlots&, const std::vector<Ranks<float>::Test>&, const PlainForest<float>&, std::vector<int32_t>*);
template bool is_symmetric<double>(const TreeSlots&, const std::vector<Ranks<double>::Test>&, const PlainForest<double>&, std::vector<int32_t>*);

template class Ranks<float>;
template class Ranks<double>;

}  // namespace onward
