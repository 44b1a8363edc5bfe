// AdaBoost: weighted votes of classifiers, the weighted median of regressors.
#include <cmath>

#include "onward/estimators/delegation.h"

namespace onward {

struct AdaBoostClassifier {
  Parts parts;
  Tensor classes;
  Numbers weights;            // of the parts, and zeros for those that were not fitted
  bool of_probabilities = false;  // SAMME.R, until 1.5

  void learned(Fields& f) {
    f("estimators_", parts);
    f("classes_", classes, {"classes"});
    f("estimator_weights_", weights);
    if (f.version() < 106 && f.get("algorithm"))
      f.choice("algorithm", of_probabilities, {{"SAMME.R", true}, {"SAMME", false}});
    if (f.version() < 104 && !of_probabilities)
      f.refuse("algorithm", "is SAMME, whose scores a later release changed", "convertible: SAMME.R; or fit with 1.4 or newer");
    if (parts.empty() || int64_t(parts.size()) > weights.size())
      f.bad("estimators_", text("holds ", parts.size(), " for ", weights.size(), " weights"));
  }
  Outputs operator()(const Frame& x) const {
    const int64_t n = classes.size();
    std::vector<Expr> votes;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Outputs out = ask(parts[i], x, std::to_string(i));
      votes.push_back(of_probabilities ? log_share(out) : vote(out, weights[int64_t(i)]));
    }
    if (n == 1) return single(votes[0]);
    double total = 0;
    for (const double w : weights) total += w;
    const Expr z = sum_in_order(votes) / total;
    if (n > 2) return classifier(classes, argmax(z), {.predict_proba = softmax(z / double(n - 1)), .decision_function = z});
    const Expr second = columns(z, {1}) - columns(z, {0});
    return classifier(classes, {.predict_proba = {}, .decision_function = second}, softmax(concat({negated(second), second}) / 2.0));
  }

 private:
  static Outputs classifier(const Tensor& classes, ClassScores scores, Expr p) {
    Outputs out = onward::classifier(classes, scores);
    out.predict_proba = p;
    return out;
  }
  static Outputs classifier(const Tensor& classes, Expr index, const ClassScores& scores) { return onward::classifier(classes, index,
      scores); }
  Outputs single(Expr vote) const {
    const Expr zero = columns(vote, {0}) * 0.0;
    return onward::classifier(classes, cast(vector_of(zero), DataType::i64), {.predict_proba = zero + 1.0, .decision_function = zero});
  }
  // The weight for the class that the part names, a negative share of it for every other.
  Expr vote(const Outputs& out, double weight) const {
    const int64_t n = classes.size();
    const double other = n > 1 ? -1 / double(n - 1) * weight : 0;
    const Numbers table = Numbers::of({n + 1, n}, [&](int64_t i) { return i / n == i % n ? weight : other; });
    return pick(table, class_index(vector_of(predicted(out)), classes));
  }
  Expr log_share(const Outputs& out) const {
    const double n = double(classes.size());
    const Expr logs = log(maximum(probabilities_of(out), 2.220446049250313e-16));
    return (n - 1) * (logs - 1 / n * sum(logs));
  }
};

struct AdaBoostRegressor {
  Parts parts;
  Numbers weights;

  void learned(Fields& f) {
    f("estimators_", parts);
    f("estimator_weights_", weights);
    if (parts.empty() || int64_t(parts.size()) > weights.size())
      f.bad("estimators_", text("holds ", parts.size(), " for ", weights.size(), " weights"));
  }
  Outputs operator()(const Frame& x) const {
    std::vector<Expr> said;
    for (const Outputs& out : ask_all(parts, x)) said.push_back(column_of(predicted(out)));
    const auto n = int64_t(said.size());
    const auto [sorted, part] = smallest(concat(of_one_type(said)), n);
    GraphBuilder& g = *sorted.graph;
    const Expr each = pick(weights, part);
    const Expr upto = g.add("CumSum", {each, g.constant(Array<int64_t>::scalar(1))}, {}, Result{DataType::f64, each.shape()});
    const Expr half = columns(upto, {n - 1}) * 0.5;
    const Expr median = column_of(argmax(cast(upto >= half, DataType::f64)));  // the first that reaches the half
    const Expr y = g.add("GatherElements", {sorted, median}, {{"axis", int64_t{1}}}, Result{sorted.type(), {rows, 1}});
    return regressor(vector_of(y));
  }
};

Definitions adaboost_estimators() {
  constexpr std::string_view deeper = "(DecisionTreeClassifier(max_depth=2), n_estimators=7, learning_rate=.5, random_state=0)";
  return {
      reads<AdaBoostClassifier>("sklearn.ensemble.AdaBoostClassifier",
                                {.cases = {"(n_estimators=12, random_state=0)", deeper},
                                 .tolerance = 1e-12,
                                 .outputs = "label probabilities scores"}),
      reads<AdaBoostClassifier>("sklearn.ensemble.AdaBoostClassifier",
                                {.cases = {"(LogisticRegression(), n_estimators=4, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
      reads<AdaBoostRegressor>("sklearn.ensemble.AdaBoostRegressor",
                               {.cases = {"(n_estimators=10, random_state=0)", "(n_estimators=5, loss='exponential', random_state=0)"}}),
      extends<AdaBoostClassifier>("imblearn.ensemble.RUSBoostClassifier"),
      reads<AdaBoostRegressor>("sklearn.ensemble.AdaBoostRegressor",
                               {.cases = {"(Ridge(), n_estimators=4, loss='square', random_state=0)"}, .data = "clean",
                                .tolerance = 1e-12}),
  };
}

}  // namespace onward
