#include "onward/estimators/lightgbm_tree.h"

#include <cmath>

namespace onward {
namespace {

// Bits of decision_type.
constexpr int64_t is_category = 1, default_left = 2;
enum class MissingKind : int64_t { none = 0, zero = 1, nan = 2 };

constexpr int64_t word_bits = 32, most_leaves = int64_t{1} << 29;
constexpr size_t widest_leaf = 1000;  // times the usual one

struct Columns {
  std::vector<int64_t> feature, decision, left, right;
  std::vector<double> threshold;

  Columns(const BoosterRecord& t, int64_t inner)
      : feature(t.integers("split_feature")),
        decision(t.integers("decision_type")),
        left(t.integers("left_child")),
        right(t.integers("right_child")),
        threshold(t.reals("threshold")) {
    for (const auto& [name, size] : {std::pair<const char*, size_t>{"split_feature", feature.size()},
                                     {"decision_type", decision.size()},
                                     {"left_child", left.size()},
                                     {"right_child", right.size()},
                                     {"threshold", threshold.size()}})
      if (int64_t(size) != inner) t.bad(name, "has ", size, " items for ", inner, " splits");
  }
};

// The sets of categories as words of bits, one for each split that tests categories.
struct Sets {
  std::vector<int64_t> starts, words;
  std::vector<bool> taken;

  explicit Sets(const BoosterRecord& t) {
    if (t.integer("num_cat", 0) < 1) return;
    starts = t.integers("cat_boundaries"), words = t.integers("cat_threshold");
    taken.resize(starts.empty() ? 0 : starts.size() - 1);
  }
  std::vector<double> take(const BoosterRecord& t, double number);
};

std::vector<double> Sets::take(const BoosterRecord& t, double number) {
  if (!(number >= 0 && number < double(taken.size())))
    t.bad("threshold", "holds the number ", number, " of a set; there are ", taken.size());
  const auto at = size_t(number);
  const int64_t begin = starts[at], end = starts[at + 1];
  if (begin < 0 || end < begin || end > int64_t(words.size())) t.bad("cat_boundaries", "goes beyond the ", words.size(), " words");
  if (taken[at]) t.bad("threshold", "holds the number ", number, " of a set twice");
  taken[at] = true;
  std::vector<double> in;
  for (int64_t w = begin; w < end; ++w)
    for (int64_t bit = 0; bit < word_bits; ++bit)
      if (words[size_t(w)] >> bit & 1) in.push_back(double((w - begin) * word_bits + bit));
  return in;
}

// LightGBM takes a number this near to zero for zero, whatever its threshold. Thresholds that near are moved to where all such numbers
// fall on the side of zero.
double threshold_of(double t) {
  if (!(std::abs(t) <= lightgbm_zero)) return t;
  return t < 0 ? std::nextafter(-lightgbm_zero, -1.0) : lightgbm_zero;
}

// What a numerical test does with NaN: the kinds other than "nan" take it for zero.
bool missing_goes_left(MissingKind kind, int64_t decision, double threshold) {
  return kind == MissingKind::none ? 0.0 <= threshold : (decision & default_left) != 0;
}

void read_splits(const BoosterRecord& t, int64_t leaves, int64_t columns, LightgbmTree& into) {
  const int64_t inner = leaves - 1;
  const Columns c(t, inner);
  Sets sets(t);
  const auto child = [&](const char* key, int64_t at, int64_t to) {
    if (to >= inner || to < -leaves || (to >= 0 && to <= at)) t.bad(key, "holds ", to, " at ", at, " for ", leaves, " leaves");
    return int32_t(to >= 0 ? to : inner + ~to);
  };
  for (int64_t at = 0; at < inner; ++at) {
    const auto i = size_t(at);
    const int64_t decision = c.decision[i], kind = decision >> 2 & 3;
    if (kind > int64_t(MissingKind::nan)) t.bad("decision_type", "holds ", decision);
    TreeNode& node = into.tree.nodes[i];
    if (c.feature[i] < 0 || c.feature[i] >= columns) t.bad("split_feature", "holds ", c.feature[i], " of ", columns, " columns");
    node.feature = int32_t(c.feature[i]);
    node.yes = child("left_child", at, c.left[i]), node.no = child("right_child", at, c.right[i]);
    if (decision & is_category) {
      node.test = Test::member;  // NaN goes right
      into.tree.sets[int32_t(i)] = sets.take(t, c.threshold[i]);
      into.views[i] = LightgbmView::category;
      continue;
    }
    node.split = threshold_of(c.threshold[i]);
    node.missing_yes = missing_goes_left(MissingKind(kind), decision, node.split);
    if (MissingKind(kind) == MissingKind::zero) into.views[i] = LightgbmView::zero_is_missing;
  }
}

void read_linear(const BoosterRecord& t, int64_t leaves, int64_t columns, LightgbmTree& into) {
  into.linear = true;
  into.constants = t.reals("leaf_const");
  const std::vector<int64_t> counts = t.integers("num_features"), features = t.integers("leaf_features");
  const std::vector<double> coefficients = t.reals("leaf_coeff");
  if (int64_t(into.constants.size()) != leaves || int64_t(counts.size()) != leaves) t.bad("leaf_const", "does not fit ", leaves, " leaves");
  size_t at = 0;
  for (int64_t count : counts) {
    if (count < 0 || uint64_t(count) > features.size() - at || uint64_t(count) > coefficients.size() - at || at > features.size())
      t.bad("num_features", "counts more than the ", features.size(), " features of the leaves");
    into.features.emplace_back(features.begin() + long(at), features.begin() + long(at) + count);
    into.coefficients.emplace_back(coefficients.begin() + long(at), coefficients.begin() + long(at) + count);
    at += size_t(count);
  }
  if (at != features.size() || at != coefficients.size()) t.bad("leaf_coeff", "has ", coefficients.size(), " items for ", at, " features");
  // A table of them is as wide as the widest leaf's.
  size_t widest = 0;
  for (const auto& f : into.features) widest = std::max(widest, f.size());
  if (widest * size_t(leaves) > widest_leaf * (features.size() + size_t(leaves)))
    fail(Code::limit_size, t.place("num_features"), " differ too much");
  for (int64_t f : features)
    if (f < 0 || f >= columns) t.bad("leaf_features", "holds ", f, " of ", columns, " columns");
}

}  // namespace

LightgbmTree read_lightgbm_tree(const BoosterRecord& t, int64_t target, int64_t columns) {
  const int64_t leaves = t.integer("num_leaves");
  LightgbmTree out;
  out.values = t.reals("leaf_value");
  if (leaves < 1 || leaves > most_leaves || int64_t(out.values.size()) != leaves)
    t.bad("num_leaves", "is ", leaves, " for ", out.values.size(), " values of leaves");
  out.tree.target = target;
  out.tree.nodes.resize(size_t(2 * leaves - 1));
  out.views.resize(out.tree.nodes.size());
  out.tree.numbers.resize(out.tree.nodes.size());
  for (int64_t leaf = 0; leaf < leaves; ++leaf) {
    out.tree.nodes[size_t(leaves - 1 + leaf)].split = out.values[size_t(leaf)];
    out.tree.numbers[size_t(leaves - 1 + leaf)] = int32_t(leaf);
  }
  if (leaves > 1) read_splits(t, leaves, columns, out);
  if (t.integer("is_linear", 0) == 1) read_linear(t, leaves, columns, out);
  return out;
}

}  // namespace onward
