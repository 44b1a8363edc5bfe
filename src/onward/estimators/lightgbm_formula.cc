// What a LightGBM model computes, in float64, in the library's order.
#include "onward/estimators/lightgbm_model.h"

namespace onward {
namespace {

using Link = LightgbmObjective::Link;

// The last of the running sums along each row: a sum in order.
Expr sum_in_order(Expr terms) {
  const Expr running =
      terms.graph->add("CumSum", {terms, terms.graph->constant(Array<int64_t>::scalar(1))}, {}, Result{terms.type(), terms.shape()});
  return columns(running, {terms.columns() - 1});
}

}  // namespace

// A feature that is seen in one way stays where it is; each further way is a column behind the others.
LightgbmFormula::LightgbmFormula(const LightgbmModel& model) : model_(model) {
  const int64_t n = model.facts.n_features_in;
  std::vector<std::optional<LightgbmView>> first(static_cast<size_t>(n));
  std::map<std::pair<int64_t, LightgbmView>, int32_t> more;
  for (const LightgbmTree& t : model.trees) {
    Tree tree = t.tree;
    linear_ |= t.linear;
    for (size_t i = 0; i < tree.nodes.size(); ++i) {
      TreeNode& node = tree.nodes[i];
      if (node.is_leaf()) continue;
      auto& view = first[size_t(node.feature)];
      if (!view) view = t.views[i];
      if (*view == t.views[i]) continue;
      const auto [at, fresh] = more.try_emplace({node.feature, t.views[i]}, int32_t(n + int64_t(more_.size())));
      if (fresh) more_.push_back(node.feature), views_.push_back(t.views[i]);
      node.feature = at->second;
    }
    trees_->trees.push_back(std::move(tree));
  }
  std::vector<LightgbmView> all;
  for (const auto& view : first) all.push_back(view.value_or(LightgbmView::plain));
  views_.insert(views_.begin(), all.begin(), all.end());
  trees_->features = n + int64_t(more_.size()), trees_->targets = model.outputs;
  check(*trees_);
}

Expr LightgbmFormula::input(const Frame& x) const { return with_codes(x, model_.categories, Unknown::ignore); }

Expr LightgbmFormula::seen(Expr in) const {
  if (!more_.empty()) in = concat({in, columns(in, more_)});
  const auto which = [&](LightgbmView view) {
    std::vector<bool> out;
    for (LightgbmView v : views_) out.push_back(v == view);
    return out;
  };
  in =
      replaced_where(in, which(LightgbmView::zero_is_missing), [](Expr e) { return where(abs(e) <= lightgbm_zero, __builtin_nan(""), e); });
  return replaced_where(in, which(LightgbmView::category), [](Expr e) { return unary("Sign", e) * unary("Floor", abs(e)); });
}

Expr LightgbmFormula::scores(Expr in) const { return linear_ ? linear_scores(in) : tree_sum(seen(in), trees_); }
Expr LightgbmFormula::leaves(Expr in) const { return leaf_index(seen(in), trees_); }

Expr LightgbmFormula::linear_scores(Expr in) const {
  const Expr leaf = leaves(in), zero = where(is_nan(columns(in, {0})), 0.0, 0.0),
             padded = where(abs(concat({in, zero})) <= lightgbm_zero, 0.0, concat({in, zero}));
  std::vector<std::vector<Expr>> terms(static_cast<size_t>(model_.outputs));
  for (size_t t = 0; t < model_.trees.size(); ++t)
    terms[t % terms.size()].push_back(linear_tree(model_.trees[t], padded, reshaped(columns(leaf, {int64_t(t)}), {rows})));
  std::vector<Expr> sums;
  for (const auto& each : terms) sums.push_back(sum_in_order(concat(each)));
  return concat(sums);
}

// Constant + coefficients × features of the leaf reached, in order; the leaf's value where one of them is missing. `padded` has a column
// of zeros behind the features, for leaves with fewer than others.
Expr LightgbmFormula::linear_tree(const LightgbmTree& t, Expr padded, Expr leaf) const {
  const auto leaves = int64_t(t.values.size());
  const Expr value = pick(Numbers({leaves, 1}, t.values), leaf);
  if (!t.linear) return value;
  size_t most = 0;
  for (const auto& f : t.features) most = std::max(most, f.size());
  const Expr constant = pick(Numbers({leaves, 1}, t.constants), leaf);
  if (most == 0) return constant;
  const auto width = int64_t(most);
  const int64_t nothing = padded.columns() - 1;
  const auto at = [&](const auto& lists, int64_t i, auto otherwise) {
    const auto& list = lists[size_t(i / width)];
    return size_t(i % width) < list.size() ? list[size_t(i % width)] : otherwise;
  };
  const Array<int64_t> features = Array<int64_t>::of({leaves, width}, [&](int64_t i) { return at(t.features, i, nothing); });
  const Numbers coefficients = Numbers::of({leaves, width}, [&](int64_t i) { return at(t.coefficients, i, 0.0); });
  const Expr which = pick(features, leaf);
  const Expr x = padded.graph->add("GatherElements", {padded, which}, {{"axis", int64_t{1}}}, Result{DataType::f64, which.shape()});
  const Expr line = sum_in_order(concat({constant, pick(coefficients, leaf) * x}));
  return where(sum(where(is_nan(x), 1.0, 0.0)) > 0.0, value, line);
}

Expr LightgbmFormula::answers(Expr z) const {
  if (model_.averaged && model_.rounds() > 0) z = z / double(model_.rounds());
  switch (model_.objective.link) {
    case Link::square:
      return unary("Sign", z) * z * z;
    case Link::exponential:
      return exp(z);
    case Link::logistic:
      return sigmoid(model_.objective.steepness == 1 ? z : model_.objective.steepness * z);
    case Link::softmax:
      return softmax(z);
    case Link::log1p_exp:
      return log(1.0 + exp(z));
    default:
      return z;
  }
}

}  // namespace onward
