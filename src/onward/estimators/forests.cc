// Decision trees and forests: a mean over trees.
#include "onward/estimators/sklearn_tree.h"

namespace onward {
namespace {

// Since which release a kind of tree takes NaN; until 1.8 only with some criteria and without monotonic constraints.
bool learned_to_take_missing(const Fields& f) {
  const std::string& name = f.facts().class_name;
  const bool single = f.get("tree_").has_value();
  const bool random_splits = name.starts_with("Extra") || (single && f.get("splitter") && f.said(*f.get("splitter")) == "random");
  if (f.version() < (random_splits ? 106 : single ? 103 : 104)) return false;
  if (f.version() >= 109) return true;
  static constexpr std::string_view criteria[] = {"gini", "entropy", "log_loss", "squared_error", "friedman_mse", "poisson"};
  const auto criterion = f.get("criterion");
  return !f.given("monotonic_cst") && criterion && std::count(std::begin(criteria), std::end(criteria), f.said(*criterion));
}

struct Forest {
  std::shared_ptr<TreeEnsemble> trees = std::make_shared<TreeEnsemble>();
  bool missing_allowed = true;

  bool takes_missing(const Frame& x) const { return missing_allowed && !x.sparse; }

  void learned(Fields& f, int64_t outputs, bool counts) {
    missing_allowed = learned_to_take_missing(f);
    trees->features = f.facts().n_features_in;
    const std::vector<plain::Value> each = fitted_trees(f);
    if (each.empty()) return f.bad("estimators_", "is empty");
    read_trees(f, each, *trees, [&](const plain::Value& tree, size_t) {
      Tree read = read_tree(f, tree, {.outputs = counts ? outputs : 0});
      trees->targets = read.values.dim(1);
      return read;
    });
  }
  Expr mean(Expr x) const {
    const Expr total = tree_sum(as_trees_see_it(x), trees);
    return trees->trees.size() == 1 ? total : total / double(trees->trees.size());
  }
  Expr leaves(Expr x) const { return leaf_index(as_trees_see_it(x), trees); }
};

}  // namespace

struct ForestClassifier : Forest {
  std::vector<Tensor> classes;  // one for each output
  bool several = false;

  void learned(Fields& f) {
    int64_t outputs = 1;
    f("n_outputs_", outputs);
    several = outputs > 1;
    if (several) f("classes_", classes, {"outputs"});
    else f("classes_", classes.emplace_back());
    Forest::learned(f, outputs, f.version() < 103);
    if (!f.ok()) return;
    for (const Tensor& c : classes)
      if (c.size() * int64_t(classes.size()) > trees->targets || c.type() != classes[0].type())
        return f.bad("classes_", text("has ", c.size(), " classes for ", trees->targets, " values"));
  }
  Outputs operator()(Expr x) const {
    const Expr p = mean(x);
    Outputs out = several ? Outputs{.role = Outputs::Role::classifier, .classes = classes} : classifier(classes[0], {.predict_proba = p});
    out.apply = leaves(x);
    if (!several) return out;
    const int64_t each = p.columns() / int64_t(classes.size());  // as many as the output with the most classes has
    std::vector<Expr> labels;
    for (size_t k = 0; k < classes.size(); ++k) {
      std::vector<int64_t> own;
      for (int64_t c = 0; c < classes[k].size(); ++c) own.push_back(int64_t(k) * each + c);
      out.probabilities_each.push_back(columns(p, own));
      labels.push_back(reshaped(pick(classes[k], argmax(out.probabilities_each.back())), {rows, 1}));
    }
    out.predict = concat(labels);
    return out;
  }
};

struct ForestRegressor : Forest {
  void learned(Fields& f) { Forest::learned(f, 1, false); }
  Outputs operator()(Expr x) const {
    const Expr y = mean(x);
    Outputs out = regressor(y.columns() == 1 ? reshaped(y, {rows}) : y);
    out.apply = leaves(x);
    return out;
  }
};

Definitions forests_estimators() {
  constexpr std::string_view everything = "clean ratings prices missing";
  return {
      reads<ForestClassifier>("sklearn.tree.DecisionTreeClassifier",
                              {.cases = {"(random_state=0)", "(max_depth=4, random_state=0)"}, .data = everything}),
      reads<ForestClassifier>("sklearn.tree.DecisionTreeClassifier",
                              {.cases = {"(max_depth=5, random_state=0)"}, .data = "ratings", .targets = "several"}),
      reads<ForestRegressor>("sklearn.tree.DecisionTreeRegressor", {.cases = {"(random_state=0)"}, .data = everything}),
      reads<ForestRegressor>("sklearn.tree.DecisionTreeRegressor",
                             {.cases = {"(random_state=0)"}, .data = "ratings", .targets = "several"}),
      reads<ForestClassifier>("sklearn.tree.ExtraTreeClassifier", {.cases = {"(random_state=0)"}, .data = everything}),
      reads<ForestRegressor>("sklearn.tree.ExtraTreeRegressor", {.cases = {"(random_state=0)"}, .data = everything}),
      reads<ForestClassifier>("sklearn.ensemble.RandomForestClassifier",
                              {.cases = {"(20, random_state=0)", "(20, max_depth=5, random_state=0)"}, .data = everything}),
      reads<ForestClassifier>("sklearn.ensemble.RandomForestClassifier",
                              {.cases = {"(20, max_depth=5, random_state=0)"}, .data = "ratings", .targets = "several"}),
      reads<ForestRegressor>("sklearn.ensemble.RandomForestRegressor", {.cases = {"(20, random_state=0)"}, .data = everything}),
      reads<ForestRegressor>("sklearn.ensemble.RandomForestRegressor",
                             {.cases = {"(20, random_state=0)"}, .data = "ratings", .targets = "several"}),
      reads<ForestClassifier>("sklearn.ensemble.ExtraTreesClassifier", {.cases = {"(20, random_state=0)"}, .data = everything}),
      reads<ForestRegressor>("sklearn.ensemble.ExtraTreesRegressor", {.cases = {"(20, random_state=0)"}, .data = everything}),
      extends<ForestClassifier>("imblearn.ensemble.BalancedRandomForestClassifier"),
  };
}

}  // namespace onward
