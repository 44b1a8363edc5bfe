// Estimators that answer as one they hold: FrozenEstimator, SelfTrainingClassifier, RANSACRegressor.
#include "onward/estimators/delegation.h"

namespace onward {

struct Delegate {
  static constexpr bool takes_missing = true, takes_infinity = true;  // the one inside says what it refuses
  Estimator inner;

  void learned(Fields& f, std::string_view name) {
    f(name, inner);
    if (inner) takes_what_its_parts_take(f, {inner});
  }
  Outputs operator()(const Frame& x) const { return inner(x); }
};

struct FrozenEstimator : Delegate {
  void learned(Fields& f) { Delegate::learned(f, "estimator"); }
  std::optional<Expr> inverse(Expr y) const { return inner.inverse(y); }
};
struct Held : Delegate {
  void learned(Fields& f) { Delegate::learned(f, "estimator_"); }
  Outputs operator()(const Frame& x) const {  // with the methods of its own class only
    const Outputs all = inner(x);
    return {.role = all.role,
            .predict = all.predict,
            .predict_proba = all.predict_proba,
            .predict_log_proba = all.predict_log_proba,
            .decision_function = all.decision_function,
            .margin = all.margin,
            .classes = all.classes};
  }
};

Definitions delegates_estimators() {
  Definition frozen = reads<FrozenEstimator>("sklearn.frozen.FrozenEstimator",
                                             {.cases = {"(DecisionTreeClassifier().fit([[0, 1, 0], [1, 0, 0]], [0, 1]))"}, .data = "bools"});
  frozen.may_be_stateless = true;
  return {
      frozen,
      reads<Held>("sklearn.semi_supervised.SelfTrainingClassifier",
                     {.cases = {"(LogisticRegression(), criterion='k_best')", "(GaussianNB(), threshold=.9)"},
                      .data = "clean",
                      .targets = "unlabelled",
                      .tolerance = 1e-12}),
      reads<Held>("sklearn.linear_model.RANSACRegressor", {.cases = {"(random_state=0)"}, .data = "clean prices", .tolerance = 1e-12}),
      reads<Held>("sklearn.linear_model.RANSACRegressor",
                     {.cases = {"(DecisionTreeRegressor(max_depth=3), min_samples=50, random_state=0)"}, .data = "ratings missing"}),
  };
}

}  // namespace onward
