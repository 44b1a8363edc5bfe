// What both files of CatBoost have in common: how splits are numbered, and what must hold.
#include "onward/estimators/catboost_model.h"

#include <algorithm>
#include <cmath>

namespace onward::catboost {
namespace {

constexpr size_t deepest = 20;  // CatBoost allows 16
constexpr int64_t most_columns = 1'000'000;

void ascending(std::span<const float> borders, const std::string& whose) {
  for (size_t i = 0; i < borders.size(); ++i)
    if (std::isnan(borders[i]) || (i > 0 && borders[i - 1] > borders[i])) fail(Code::bad_file, "the borders of ", whose, " do not ascend");
}

void check(const Combination& by, const Model& m) {
  for (int64_t c : by.categories)
    if (c < 0 || c >= int64_t(m.categories.size())) fail(Code::bad_file, "a CTR counts by category ", c, " of ", m.categories.size());
  for (const auto& f : by.floats)
    if (f.feature < 0 || f.feature >= int64_t(m.floats.size()))
      fail(Code::bad_file, "a CTR counts by feature ", f.feature, " of ", m.floats.size());
  for (const auto& o : by.one_hots)
    if (o.category < 0 || o.category >= int64_t(m.categories.size()))
      fail(Code::bad_file, "a CTR counts by category ", o.category, " of ", m.categories.size());
}

void check(const Ctr& ctr, const Model& m) {
  check(ctr.by, m);
  ascending(ctr.borders, "a CTR");
  if (ctr.table < 0 || ctr.table >= int64_t(m.tables.size())) fail(Code::bad_file, "a CTR has no table");
  const CtrTable& t = m.tables[size_t(ctr.table)];
  if (t.classes < 1 || t.counts.size() != t.keys.size() * size_t(t.classes))
    fail(Code::bad_file, "a CTR's table has ", t.counts.size(), " counts for ", t.keys.size(), " keys of ", t.classes);
  const bool mean = ctr.type == CtrType::binarized_target_mean || ctr.type == CtrType::float_target_mean;
  const bool histogram = ctr.type == CtrType::borders || ctr.type == CtrType::buckets;
  if (mean && t.sums.size() != t.keys.size())
    fail(Code::bad_file, "a CTR's table has ", t.sums.size(), " sums for ", t.keys.size(), " keys");
  if (!histogram && t.classes != 1) fail(Code::bad_file, "a CTR's table has ", t.classes, " numbers for a key");
  if (ctr.type == CtrType::borders && (t.classes < 2 || ctr.target_border < 0 || ctr.target_border >= t.classes))
    fail(Code::bad_file, "a CTR of ", t.classes, " classes asks for border ", ctr.target_border);
  if (ctr.type == CtrType::buckets && (ctr.target_border < 0 || ctr.target_border >= t.classes))
    fail(Code::bad_file, "a CTR of ", t.classes, " classes asks for class ", ctr.target_border);
}

}  // namespace

int64_t Model::columns() const {
  int64_t n = 0;
  for (const FloatFeature& f : floats) n = std::max(n, f.column + 1);
  for (const Category& c : categories) n = std::max(n, c.column + 1);
  return n;
}

Splits::Splits(const Model& m) {
  int32_t column = 0;
  const auto add = [&](double value, Test test, bool missing_yes) {
    nodes_.push_back({.split = value, .feature = column, .test = test, .missing_yes = missing_yes});
  };
  for (const FloatFeature& f : m.floats) {
    for (float border : f.borders) add(border, Test::le, !f.missing_is_large);
    ++column;
  }
  for (const OneHot& o : m.one_hots) {
    for (int32_t value : o.values) add(value, Test::ne, true);
    ++column;
  }
  for (const Ctr& c : m.ctrs) {
    for (float border : c.borders) add(border, Test::le, true);
    ++column;
  }
}

TreeNode Splits::node(int64_t split) const {
  if (split < 0 || split >= int64_t(nodes_.size())) fail(Code::bad_file, "a tree asks for split ", split, " of ", nodes_.size());
  return nodes_[size_t(split)];
}

Tree symmetric_tree(const Splits& known, std::span<const int64_t> splits, Numbers leaves) {
  const size_t depth = splits.size();
  if (depth > deepest) fail(Code::limit_size, "a tree is ", depth, " levels deep; CatBoost's are at most 16");
  const int64_t n = int64_t{1} << depth, width = leaves.dim(1);
  if (leaves.dim(0) != n) fail(Code::bad_file, "a tree of ", depth, " levels has ", leaves.dim(0), " leaves");
  Tree tree;
  // The root asks for the highest bit, so that the leaves stand in order below it.
  for (size_t level = 0; level < depth; ++level) {
    TreeNode node = known.node(splits[depth - 1 - level]);
    for (int32_t i = (1 << level) - 1; i < (2 << level) - 1; ++i) node.yes = 2 * i + 1, node.no = 2 * i + 2, tree.nodes.push_back(node);
  }
  tree.nodes.resize(size_t(2 * n - 1));
  if (width == 1) {
    for (int64_t k = 0; k < n; ++k) tree.nodes[size_t(n - 1 + k)].split = leaves[k];
    return tree;
  }
  tree.values = Numbers::of({2 * n - 1, width}, [&](int64_t i) { return i < (n - 1) * width ? 0 : leaves[i - (n - 1) * width]; });
  return tree;
}

void check(const Model& m) {
  if (m.columns() > most_columns) fail(Code::limit_size, "the model takes ", m.columns(), " columns");
  if (const size_t listed = m.floats.size() + m.categories.size(); m.columns() != int64_t(listed))
    fail(Code::bad_file, "the model lists ", listed, " features of ", m.columns(), " columns");
  for (const FloatFeature& f : m.floats) {
    if (f.column < 0) fail(Code::bad_file, "a numeric feature is at column ", f.column);
    ascending(f.borders, text("feature ", f.column));
  }
  for (const Category& c : m.categories)
    if (c.column < 0) fail(Code::bad_file, "a categorical feature is at column ", c.column);
  for (const OneHot& o : m.one_hots)
    if (o.category < 0 || o.category >= int64_t(m.categories.size()))
      fail(Code::bad_file, "category ", o.category, " of ", m.categories.size());
  for (const Ctr& c : m.ctrs) check(c, m);
  if (m.bias.size() != size_t(m.trees->targets)) fail(Code::bad_file, "has ", m.bias.size(), " biases for ", m.trees->targets, " outputs");
  onward::check(*m.trees);
}

}  // namespace onward::catboost
