#include "onward/estimators/catboost_columns.h"

#include <bit>
#include <set>

#include "onward/base/city_hash.h"

namespace onward::catboost {
namespace {

// A combination's key is h = factor * (h + factor * part) over its parts, modulo 2^64: a sum of the parts by powers of the factor.
constexpr uint64_t factor = 0x4906ba494954cb65;
constexpr int64_t no_hash = int64_t{1} << 40;  // hashes have 32 bits

std::vector<uint64_t> weights(size_t parts) {
  std::vector<uint64_t> all(parts);
  uint64_t power = factor * factor;
  for (size_t i = parts; i-- > 0; power *= factor) all[i] = power;
  return all;
}
size_t parts_of(const Combination& by) { return by.categories.size() + by.floats.size() + by.one_hots.size(); }

// Statistics are computed in float32, as the library does.
float statistic(const Ctr& ctr, float in_class, float total) {
  return ((in_class + ctr.prior) / (total + ctr.prior_weight) + ctr.shift) * ctr.scale;
}

// Of key `k`; of none that was counted: k is the number of keys.
float statistic_of(const Ctr& ctr, const CtrTable& t, size_t k) {
  const bool seen = k < t.keys.size();
  const int32_t* counts = seen ? t.counts.data() + k * size_t(t.classes) : nullptr;
  switch (ctr.type) {
    case CtrType::counter:
    case CtrType::feature_freq:
      return statistic(ctr, seen ? float(counts[0]) : 0, float(t.denominator));
    case CtrType::binarized_target_mean:
    case CtrType::float_target_mean:
      return statistic(ctr, seen ? t.sums[k] : 0, seen ? float(counts[0]) : 0);
    case CtrType::buckets:
    case CtrType::borders:
      break;
  }
  uint32_t total = 0, in_class = 0;
  for (int64_t c = 0; seen && c < t.classes; ++c) {
    total += uint32_t(counts[c]);
    // Of two classes the second counts, whatever the border.
    const bool counted = ctr.type == CtrType::buckets ? c == ctr.target_border : t.classes == 2 ? c == 1 : c > ctr.target_border;
    if (counted) in_class += uint32_t(counts[c]);
  }
  return statistic(ctr, float(int32_t(in_class)), float(int32_t(total)));
}

// What the model's tests and statistics of one category alone know of words.
class KnownWords {
 public:
  KnownWords(const Model& m, int64_t category) {
    for (const OneHot& o : m.one_hots)
      if (o.category == category) hashes_.insert(o.values.begin(), o.values.end()), complete_ = true;
    for (const Ctr& c : m.ctrs) {
      for (const auto& o : c.by.one_hots)
        if (o.category == category) hashes_.insert(o.value), complete_ = true;
      if (c.by.categories != std::vector{category} || parts_of(c.by) != 1) continue;
      const std::vector<uint64_t>& keys = m.tables[size_t(c.table)].keys;
      keys_.insert(keys.begin(), keys.end()), complete_ = true;
    }
  }
  // The words True and False of a file without types: words, or the bools that the library hashes as 1 and 0.
  Written true_false() const {
    const bool words = knows("True") || knows("False"), digits = knows("1") || knows("0");
    if (words != digits) return words ? Written::text : Written::digits;
    return complete_ && !words ? Written::text : Written::refuse;  // known as neither they are as good as any unknown word
  }

 private:
  bool knows(std::string_view word) const {
    const auto hash = int32_t(uint32_t(city_hash(word)));
    return hashes_.contains(hash) || keys_.contains(weights(1)[0] * uint64_t(int64_t{hash}));
  }
  std::set<int32_t> hashes_;
  std::set<uint64_t> keys_;
  bool complete_ = false;
};

class Columns {
 public:
  Columns(const Model& m, const Frame& x) : m_(m), x_(x) {
    for (size_t i = 0; i < m.ctrs.size(); ++i) {
      std::vector<const Ctr*>& same = of_table_[m.ctrs[i].table];
      places_.push_back(int64_t(same.size()));
      same.push_back(&m.ctrs[i]);
    }
  }

  Expr all(std::span<const int64_t> used) {
    const auto floats = int64_t(m_.floats.size()), one_hots = int64_t(m_.one_hots.size());
    std::vector<Expr> parts;
    std::vector<int64_t> numeric;
    for (int64_t c : used)
      if (c < floats) numeric.push_back(m_.floats[size_t(c)].column);
    if (!numeric.empty()) parts.push_back(cast(rounded(numeric), DataType::f64));
    for (int64_t c : used) {
      if (c < floats) continue;
      if (c < floats + one_hots) parts.push_back(cast(hash(m_.one_hots[size_t(c - floats)].category), DataType::f64));
      else parts.push_back(ctr(size_t(c - floats - one_hots)));
    }
    return concat(parts);
  }

 private:
  Expr rounded(const std::vector<int64_t>& which) const { return cast(x_.select(which).numbers(), DataType::f32); }

  // The library takes strings and whole numbers, which it writes in digits; a bool is 0 or 1.
  Expr words(int64_t column) const {
    const Expr item = x_.as(column, DataType::str);
    if (item.type() == DataType::str) return item;
    if (contains(f32 | f64 | f16, item.type()))
      throw Error(Code::unsupported_estimator,
                  text("the category '", x_.name(column), "' is ", name_of(item.type()),
                       "; CatBoost takes strings and whole numbers as categories"),
                  "give that column as strings or integers, in a table of columns");
    return cast(cast(item, DataType::i64), DataType::str);
  }

  Expr hash(int64_t category) {  // int64 (batch, 1)
    const auto known = hashes_.find(category);
    if (known != hashes_.end()) return known->second;
    const int64_t column = m_.categories[size_t(category)].column;
    x_.select(std::vector{column}).refuse_missing();
    if (ColumnFacts* facts = x_.origin(column)) facts->numbers = Written::digits, facts->true_false = KnownWords(m_, category).true_false();
    return hashes_.emplace(category, hashed(words(column))).first->second;
  }
  Expr hashed(const Expr& item) const {
    if (m_.words) return lookup(item, m_.words, m_.word_hashes, no_hash);
    return cast(x_.graph().own(hash_operator, {item}, {}, Result{DataType::i32, item.shape()}, hash_need),
                DataType::i64);
  }

  Expr key(const Combination& by) {  // int64 (batch, 1)
    const std::vector<uint64_t> weight = weights(parts_of(by));
    std::optional<Expr> sum;
    size_t i = 0;
    const auto add = [&](const Expr& part) {
      const Expr weighted = part * Array<int64_t>::scalar(int64_t(weight[i++]));
      sum = sum ? *sum + weighted : weighted;
    };
    for (int64_t c : by.categories) add(hash(c));
    for (const auto& f : by.floats) add(cast(above(f), DataType::i64));
    for (const auto& o : by.one_hots) add(cast(equal(hash(o.category), Array<int64_t>::scalar(int64_t{o.value})), DataType::i64));
    if (!sum) fail(Code::bad_file, "a CTR counts by nothing");
    return *sum;
  }
  Expr above(const Combination::FloatSplit& split) {
    const FloatFeature& f = m_.floats[size_t(split.feature)];
    const Expr x = rounded({f.column}), larger = x > Array<float>::scalar(split.border);
    return f.missing_is_large ? either(larger, is_nan(x)) : larger;
  }

  // All statistics of one table are looked up together.
  Expr ctr(size_t number) {
    const int64_t table = m_.ctrs[number].table;
    auto known = looked_up_.find(table);
    if (known == looked_up_.end()) known = looked_up_.emplace(table, statistics(table)).first;
    return columns(known->second, {places_[number]});
  }
  Expr statistics(int64_t table) {
    const CtrTable& t = m_.tables[size_t(table)];
    const std::vector<const Ctr*>& same = of_table_.at(table);
    std::map<int64_t, int64_t> rows_of;
    for (size_t k = 0; k < t.keys.size(); ++k) rows_of.emplace(int64_t(t.keys[k]), int64_t(k));
    std::vector<int64_t> keys, values;
    for (const auto& [key, row] : rows_of) keys.push_back(key), values.push_back(row);
    const auto n = int64_t(keys.size()), width = int64_t(same.size()), unseen = int64_t(t.keys.size());
    items_ += size_t(unseen + 1) * size_t(width);
    if (items_ > most_statistics) fail(Code::limit_size, "the CTRs have more than ", most_statistics, " statistics");
    const Numbers all =
        Numbers::of({unseen + 1, width}, [&](int64_t i) { return double(statistic_of(*same[size_t(i % width)], t, size_t(i / width))); });
    const Expr row = lookup(key(same[0]->by), Array<int64_t>({n}, std::span<const int64_t>(keys)),
                            Array<int64_t>({n}, std::span<const int64_t>(values)), unseen);
    return pick(all, reshaped(row, {rows}));
  }

  static constexpr size_t most_statistics = size_t{1} << 26;
  const Model& m_;
  const Frame& x_;
  std::map<int64_t, std::vector<const Ctr*>> of_table_;
  std::vector<int64_t> places_;  // by CTR: among those of its table
  std::map<int64_t, Expr> hashes_, looked_up_;
  size_t items_ = 0;
};

// Every key that the listed words can make is tried, but no more than this many in all.
constexpr size_t most_tries = 8'000'000;

bool covers(const std::set<int32_t>& hashes, const Combination& by, const CtrTable& t, size_t& tries) {
  const std::vector<uint64_t> weight = weights(parts_of(by));
  std::vector<uint64_t> sums{0};
  for (size_t i = 0; i < weight.size(); ++i) {
    std::vector<uint64_t> more;
    const bool word = i < by.categories.size();
    const size_t choices = word ? hashes.size() : 2;
    if (sums.size() > tries / choices) return false;
    tries -= sums.size() * choices;
    for (uint64_t sum : sums) {
      if (!word) more.push_back(sum), more.push_back(sum + weight[i]);
      else
        for (int32_t h : hashes) more.push_back(sum + weight[i] * uint64_t(int64_t{h}));
    }
    sums = std::move(more);
  }
  std::sort(sums.begin(), sums.end());
  return std::all_of(t.keys.begin(), t.keys.end(), [&](uint64_t key) { return std::binary_search(sums.begin(), sums.end(), key); });
}

// Whether the words that the file lists are all that its trees can tell apart.
bool lists_all_words(const Model& m) {
  std::set<int32_t> hashes;
  for (const auto& [word, hash] : m.known_words) hashes.insert(int32_t(hash));
  if (hashes.empty()) return false;
  for (const OneHot& o : m.one_hots)
    for (int32_t value : o.values)
      if (!hashes.contains(value)) return false;
  std::set<int64_t> seen;
  size_t tries = most_tries;
  for (const Ctr& c : m.ctrs)
    if (seen.insert(c.table).second && !covers(hashes, c.by, m.tables[size_t(c.table)], tries)) return false;
  return true;
}

}  // namespace

void keep_words(Model& m) {
  if (!lists_all_words(m)) return;
  std::map<std::string, int64_t> table;
  for (const auto& [word, hash] : m.known_words) table.emplace(word, int32_t(hash));
  std::vector<std::string> words;
  std::vector<int64_t> hashes;
  for (const auto& [word, hash] : table) words.push_back(word), hashes.push_back(hash);
  const auto n = int64_t(words.size());
  m.words = Tensor::of<std::string>({n}, words), m.word_hashes = Array<int64_t>({n}, std::span<const int64_t>(hashes));
}

bool hashes_words(const Model& m, std::span<const int64_t> used) {
  const auto floats = int64_t(m.floats.size()), one_hots = int64_t(m.one_hots.size());
  return !m.words && std::ranges::any_of(used, [&](int64_t c) {
    if (c < floats + one_hots) return c >= floats;
    const Combination& by = m.ctrs[size_t(c - floats - one_hots)].by;
    return !by.categories.empty() || !by.one_hots.empty();
  });
}

Expr tested_columns(const Model& m, std::span<const int64_t> used, const Frame& x) { return Columns(m, x).all(used); }

}  // namespace onward::catboost
