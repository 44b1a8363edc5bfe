// Gradient boosting: a first score, then learning_rate × leaf of every tree.
#include <cmath>

#include "onward/estimators/sklearn_tree.h"

namespace onward {
namespace {

// The library hands its float32 rows on; what learned float32 weights from such answers in float32.
bool weighs_in_float32(const plain::Value& fitted) {
  for (const std::string_view name : {"coef_", "coefs_", "theta_"}) {
    auto weights = fitted.find(name);
    if (weights && !weights->items().empty()) weights = weights->items()[0];
    if (weights && weights->is(plain::Kind::array)) return weights->array->type->kind == 'f' && weights->array->type->size == 4;
  }
  return false;
}

struct GradientBoosting {
  std::shared_ptr<TreeEnsemble> trees = std::make_shared<TreeEnsemble>();
  std::optional<Estimator> init;  // whose answer is the first score; none: it is among the trees
  bool narrow = false;            // which the library computes in float32

  void learned(Fields& f, const std::vector<double>& first) {
    double rate = 0;
    f("learning_rate", rate);
    const std::vector<plain::Value> each = fitted_trees(f);
    const auto k = int64_t(first.size());
    trees->features = f.facts().n_features_in, trees->targets = k;
    try {
      for (int64_t t = 0; t < k; ++t) trees->trees.push_back(constant_tree(first[size_t(t)], t));
      for (size_t i = 0; i < each.size(); ++i) trees->trees.push_back(read_tree(f, each[i], {.scale = rate, .target = int64_t(i) % k}));
      check(*trees);
    } catch (Error& e) {
      f.bad("estimators_", e.message);
    }
  }
  Expr sums(Expr x) const { return tree_sum(as_trees_see_it(x), trees); }
  // What `init` was fitted to: an estimator of one's own, or a dummy whose constant goes before the trees.
  void read_init(Fields& f, const plain::Value& v) {
    f.assign("init_", v, init.emplace(), {});
    narrow = weighs_in_float32(v);
  }
  Outputs first(Expr x) const { return (*init)(Frame(as_trees_see_it(x))); }
};

bool dummy(const plain::Value& v, std::string_view name) {
  return v.object->callee.is(plain::Kind::global) && v.object->callee.global->name == name;
}

}  // namespace

struct GradientBoostingRegressor : GradientBoosting {
  void learned(Fields& f) {
    double start = 0;
    if (const auto v = f.get("init_"); v && v->is(plain::Kind::object)) {
      const auto constant = dummy(*v, "DummyRegressor") ? v->find("constant_") : std::nullopt;
      if (constant) f.assign("init_.constant_", *constant, start, {});
      else read_init(f, *v);
    }
    GradientBoosting::learned(f, {start});
  }
  Outputs operator()(Expr x) const {
    const Expr y = reshaped(sums(x), {rows});
    if (!init) return regressor(y);
    const Outputs start = first(x);
    if (!start.predict || start.role != Outputs::Role::regressor) fail(Code::bad_file, "init does not predict a number");
    return regressor(reshaped(*start.predict, {rows}) + y);
  }
};

struct GradientBoostingClassifier : GradientBoosting {
  Tensor classes;
  bool exponential = false;

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    std::string loss;
    f("loss", loss);
    exponential = loss == "exponential";
    Numbers prior;
    if (const auto v = f.get("init_"); v && v->is(plain::Kind::object)) {
      const auto p = dummy(*v, "DummyClassifier") ? v->find("class_prior_") : std::nullopt;
      if (p) f.assign("init_.class_prior_", *p, prior, {"classes"});
      else read_init(f, *v);
    }
    if (classes.size() < 2) return f.bad("classes_", "has fewer than two classes");
    GradientBoosting::learned(f, first_scores(prior, f.version()));
  }
  Outputs operator()(Expr x) const {
    Expr z = sums(x);
    if (init) z = linked(first(x)) + z;
    if (z.columns() > 1) return classifier(classes, argmax(z), {.predict_proba = softmax(z), .decision_function = z});
    const Expr p = sigmoid(exponential ? 2.0 * z : z);
    const Expr second = cast(reshaped(z, {rows}) >= 0.0, DataType::i64);  // a score of 0 is the second class
    return classifier(classes, second, {.predict_proba = concat({1.0 - p, p}), .decision_function = z});
  }

 private:
  // The link of the class frequencies; their clipping changed with the loss module in 1.4.
  std::vector<double> first_scores(const Numbers& prior, int version) const {
    const int64_t n = classes.size();
    std::vector<double> scores(n > 2 ? size_t(n) : 1);
    if (!prior || prior.size() != n) return scores;
    const double eps = version < 108 ? 1.1920928955078125e-07 : 2.220446049250313e-16;
    const auto clipped = [&](int64_t k) { return std::min(std::max(prior[k], eps), 1 - eps); };
    if (n == 2) {
      const double p = clipped(1), logit = std::log(p / (1 - p));
      scores[0] = exponential ? logit / 2 : logit;
      return scores;
    }
    double mean = 0;
    for (int64_t k = 0; k < n; ++k) mean += std::log(clipped(k)) / double(n);
    for (int64_t k = 0; k < n; ++k) scores[size_t(k)] = version < 104 ? std::log(clipped(k)) : std::log(clipped(k) / std::exp(mean));
    return scores;
  }
  // The same link of what another classifier says. Rounded to float32 it is 1 from where the clipping makes 36 of it; a double that near to
  // 1 still says how near.
  Expr linked(const Outputs& start) const {
    if (!start.predict_proba || start.predict_proba->columns() != classes.size())
      fail(Code::bad_file, "init gives no probabilities of ", classes.size(), " classes");
    const double eps = 2.220446049250313e-16;
    const Expr said = narrow ? cast(cast(*start.predict_proba, DataType::f32), DataType::f64) : *start.predict_proba;
    const Expr p = minimum(maximum(said, eps), 1 - eps);
    if (classes.size() > 2) return log(p / exp(sum(log(p)) / double(classes.size())));
    const Expr second = columns(p, {1}), logit = log(second / (1.0 - second));
    return exponential ? 0.5 * logit : logit;
  }
};

Definitions gradient_boosting_estimators() {
  return {
      reads<GradientBoostingClassifier>(
          "sklearn.ensemble.GradientBoostingClassifier",
          {.cases = {"(n_estimators=30, random_state=0)", "(n_estimators=30, init='zero', random_state=0)"}, .tolerance = 1e-12}),
      reads<GradientBoostingClassifier>(
          "sklearn.ensemble.GradientBoostingClassifier",
          {.cases = {"(n_estimators=30, loss='exponential', random_state=0)"}, .targets = "binary", .tolerance = 1e-12}),
      reads<GradientBoostingRegressor>(
          "sklearn.ensemble.GradientBoostingRegressor",
          {.cases = {"(n_estimators=30, random_state=0)", "(n_estimators=30, loss='huber', random_state=0)",
                     "(n_estimators=10, loss='quantile', random_state=0)", "(n_estimators=10, init='zero', random_state=0)"}}),
      // The library hands float32 rows to an estimator of one's own, which was fitted on such and answers in float32; this graph in
      // float64.
      reads<GradientBoostingClassifier>("sklearn.ensemble.GradientBoostingClassifier",
                                        {.cases = {"(n_estimators=10, init=LogisticRegression(), random_state=0)"}, .tolerance = 1e-6}),
      // Probabilities that are 1 in float32 and not in float64; not of data whose probabilities come near to 1 by and by.
      reads<GradientBoostingClassifier>("sklearn.ensemble.GradientBoostingClassifier",
                                        {.cases = {"(n_estimators=2, init=GaussianNB(priors=[1e-13, 1 - 1e-13]), random_state=0)"},
                                         .data = "clean", .targets = "binary", .tolerance = 1e-6, .outputs = "label probabilities scores"}),
      reads<GradientBoostingRegressor>("sklearn.ensemble.GradientBoostingRegressor",
                                       {.cases = {"(n_estimators=10, init=Ridge(), random_state=0)"}, .tolerance = 1e-6}),
  };
}

}  // namespace onward
