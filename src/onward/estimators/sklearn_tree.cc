#include "onward/estimators/sklearn_tree.h"

namespace onward {
namespace {

// Fractions of each output's classes; a leaf nothing fell into stays 0.
Numbers fractions(const Numbers& value, int64_t outputs) {
  const int64_t width = value.dim(1), classes = width / outputs;
  std::vector<double> totals(size_t(value.size() / classes));
  for (int64_t i = 0; i < value.size(); ++i) totals[size_t(i / classes)] += value[i];
  return Numbers::of(value.shape(), [&](int64_t i) {
    const double t = totals[size_t(i / classes)];
    return t == 0 ? 0 : value[i] / t;
  });
}

}  // namespace

Tree read_tree(Fields& f, const plain::Value& tree, const Leaf& leaf) {
  const auto nodes = tree.find("nodes"), values = tree.find("values");
  if (!nodes || !values || !nodes->is(plain::Kind::array) || !values->is(plain::Kind::array))
    fail(Code::bad_file, "holds no nodes or no values: the estimator is not fitted");
  const plain::NdArray& records = *nodes->array;
  const auto left = record_field<int32_t>(records, "left_child"), right = record_field<int32_t>(records, "right_child"),
             feature = record_field<int32_t>(records, "feature");
  const auto threshold = record_field<double>(records, "threshold");
  const auto missing =
      has_field(records, "missing_go_to_left") ? record_field<uint8_t>(records, "missing_go_to_left") : Array<uint8_t>();  // since 1.3
  Numbers value = as_array<double>(*values->array, f.reading().owner);
  if (value.shape().size() != 3 || value.dim(0) != left.size() || value.size() == 0)
    fail(Code::bad_file, "has values of shape ", shown(value.shape()), " for ", left.size(), " nodes");

  Tree out;
  out.nodes.resize(size_t(left.size()));
  for (int64_t i = 0; i < left.size(); ++i)
    if (left[i] >= 0) out.nodes[size_t(i)] = {threshold[i], feature[i], left[i], right[i], Test::le, missing && missing[i]};
  const int64_t width = value.dim(1) * value.dim(2);
  value = value.reshaped({left.size(), width});
  if (leaf.target) {
    for (int64_t i = 0; i < left.size(); ++i)
      if (left[i] < 0) out.nodes[size_t(i)].split = leaf.scale * value[i * width];
    out.target = *leaf.target;
  } else {
    out.values = leaf.outputs > 0 && width % leaf.outputs == 0 ? fractions(value, leaf.outputs) : value;
  }
  return out;
}

std::vector<plain::Value> fitted_trees(Fields& f) {
  if (const auto own = f.get("tree_")) return {*own};
  std::vector<plain::Value> trees;
  const auto list = f.get("estimators_");
  if (!list) return f.bad("estimators_", "is missing: the estimator is not fitted"), trees;
  for (const plain::Value& t : f.items_of("estimators_", *list)) trees.push_back(t.find("tree_").value_or(plain::Value()));
  return trees;
}

bool read_trees(Fields& f, std::span<const plain::Value> trees, TreeEnsemble& to,
                const std::function<Tree(const plain::Value&, size_t)>& read) {
  for (size_t i = 0; i < trees.size(); ++i) {
    try {
      to.trees.push_back(read(trees[i], i));
    } catch (Error& e) {
      return f.bad(text("tree ", i), e.message), false;
    }
  }
  try {
    check(to);
  } catch (Error& e) {
    return f.bad("estimators_", e.message), false;
  }
  return true;
}

Expr as_trees_see_it(Expr x) { return cast(cast(x, DataType::f32), DataType::f64); }

}  // namespace onward
