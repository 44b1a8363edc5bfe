// Forests that no target has grown: how soon a row is alone (IsolationForest), and which leaves it reaches (RandomTreesEmbedding).
#include <cmath>

#include "onward/estimators/delegation.h"
#include "onward/estimators/sklearn_tree.h"

namespace onward {
namespace {

// The mean depth of a search among n rows that ends without a find.
double mean_path(double n) {
  constexpr double euler = 0.57721566490153286060;
  if (n <= 1) return 0;
  if (n == 2) return 1;
  return 2.0 * (std::log(n - 1.0) + euler) - 2.0 * (n - 1.0) / n;
}

// Depths of a tree's nodes; its root's is 1. Children come after their parent.
std::vector<double> depths(const Tree& tree) {
  std::vector<double> depth(tree.nodes.size(), 1);
  for (size_t i = 0; i < tree.nodes.size(); ++i)
    if (!tree.nodes[i].is_leaf()) depth[size_t(tree.nodes[i].yes)] = depth[size_t(tree.nodes[i].no)] = depth[i] + 1;
  return depth;
}

}  // namespace

struct IsolationForest {
  std::shared_ptr<TreeEnsemble> trees = std::make_shared<TreeEnsemble>();
  double offset = 0, normal_path = 0;  // of one row; all trees' is as many times more
  bool missing_allowed = false;

  bool takes_missing(const Frame&) const { return missing_allowed; }
  bool takes_infinity(const Frame&) const { return missing_allowed; }

  void learned(Fields& f) {
    f("offset_", offset);
    int64_t samples = 0;
    f("_max_samples", samples);
    normal_path = mean_path(double(samples));
    missing_allowed = f.version() >= 109;
    trees->features = f.facts().n_features_in;
    std::vector<Array<int64_t>> columns;
    f("estimators_features_", columns, {"trees", "columns"});
    const std::vector<plain::Value> each = fitted_trees(f);
    if (each.empty() || each.size() != columns.size())
      return f.bad("estimators_", text("holds ", each.size(), " trees for ", columns.size(), " sets of columns"));
    read_trees(f, each, *trees, [&](const plain::Value& tree, size_t i) { return read(f, tree, columns[i]); });
  }
  Outputs operator()(Expr x) const {
    const Expr total = reshaped(tree_sum(as_trees_see_it(x), trees), {rows});
    const double all = double(trees->trees.size()) * normal_path;
    const Expr path = all != 0 ? total / all : total * 0.0 + 1.0;
    Outputs out{.role = Outputs::Role::outliers};
    out.score_samples = negated(power(Numbers{2}, negated(path)));
    out.decision_function = *out.score_samples - offset;
    out.predict = where(*out.decision_function < 0.0, Array<int64_t>{-1}, Array<int64_t>{1});
    return out;
  }

 private:
  // Leaves hold what their row adds: the depth, and that of the rows left together there.
  static Tree read(Fields& f, const plain::Value& tree, const Array<int64_t>& columns) {
    Tree out = read_tree(f, tree, {.target = 0});
    const auto nodes = tree.find("nodes");
    const auto samples = record_field<double>(*nodes->array, "n_node_samples");
    for (size_t i = 0; i < out.nodes.size(); ++i) {
      TreeNode& node = out.nodes[i];
      if (node.is_leaf()) continue;
      node.feature = int32_t(columns[node.feature]);
      const auto n = int32_t(out.nodes.size());
      if (node.yes <= int32_t(i) || node.no <= int32_t(i) || node.yes >= n || node.no >= n)
        fail(Code::bad_file, "node ", i, " has children before it");
    }
    const std::vector<double> depth = depths(out);
    for (size_t i = 0; i < out.nodes.size(); ++i)
      if (out.nodes[i].is_leaf()) out.nodes[i].split = depth[i] + mean_path(samples[int64_t(i)]) - 1.0;
    return out;
  }
};

struct RandomTreesEmbedding {
  std::shared_ptr<TreeEnsemble> trees = std::make_shared<TreeEnsemble>();
  Estimator encoder;  // of each tree's leaf
  bool missing_allowed = false;

  bool takes_missing(const Frame&) const { return missing_allowed; }
  void learned(Fields& f) {
    missing_allowed = f.version() >= 106;  // as trees of random splits do
    trees->features = f.facts().n_features_in;
    const std::vector<plain::Value> each = fitted_trees(f);
    if (each.empty()) return f.bad("estimators_", "is empty");
    if (!read_trees(f, each, *trees, [&](const plain::Value& tree, size_t) { return read_tree(f, tree, {.target = 0}); })) return;
    f("one_hot_encoder_", encoder);
  }
  Outputs operator()(Expr x) const {
    const Expr leaf = leaf_index(as_trees_see_it(x), trees);
    std::vector<std::string> names;
    for (size_t t = 0; t < trees->trees.size(); ++t) names.push_back(text("randomtreesembedding_", t));
    const Outputs encoded = ask(encoder, Frame(leaf, names), "leaves");
    if (!encoded.transform) fail(Code::bad_file, "one_hot_encoder_ does not transform");
    Outputs out = transformed(*encoded.transform);
    out.apply = leaf;
    return out;
  }
};

Definitions isolation_forest_estimators() {
  return {
      reads<IsolationForest>("sklearn.ensemble.IsolationForest",
                             {.cases = {"(n_estimators=20, random_state=0)",
                                        "(n_estimators=10, contamination=.1, max_features=.6, random_state=0)",
                                        "(n_estimators=5, max_samples=2, random_state=0)",
                                            "(n_estimators=5, bootstrap=True, max_samples=40, random_state=0)"},
                              .data = "clean ratings prices missing",
                              .tolerance = 1e-12,
                              .outputs = "label scores score_samples"}),
      reads<RandomTreesEmbedding>("sklearn.ensemble.RandomTreesEmbedding",
                                  {.cases = {"(5, max_depth=3, random_state=0)", "(3, sparse_output=False, random_state=0)"}}),
  };
}

}  // namespace onward
