// Estimators made of estimators: what is refused, with the reason, and files that no library writes.
#include <gtest/gtest.h>

#include "plain_objects.h"

namespace onward {
namespace {

using plain::Objects;
using plain::Value;
using State = std::initializer_list<std::pair<std::string_view, Value>>;

std::string problems(Objects& o, Value root) {
  std::string all;
  for (const Problem& p : read_estimator(o.document(root), Registry::builtin()).problems) all += p.where + ": " + p.message + (p.hint.empty() ? "" : "; ") + p.hint + "\n";
  return all;
}
void expect(Objects& o, Value root, std::string_view part) {
  const std::string said = problems(o, root);
  EXPECT_NE(said.find(part), std::string::npos) << said;
}
Value made(Objects& o, std::string_view module, std::string_view name, State state) {
  const Value v = o.object(module, name, state);
  o.set(v, "n_features_in_", plain::integer(2));
  o.set(v, "_sklearn_version", o.text("1.9.1"));
  return v;
}
Value ridge(Objects& o) {
  return made(o, "sklearn.linear_model._ridge", "Ridge", {{"coef_", o.numbers({2}, {1, 2})}, {"intercept_", plain::real(0)}});
}

TEST(Delegation, ADummyThatDrawsAtRandomIsRefused) {
  Objects o;
  expect(o, made(o, "sklearn.dummy", "DummyClassifier", {{"strategy", o.text("uniform")}, {"classes_", o.integers({1}, {3})}}),
         "model (DummyClassifier): strategy is uniform: it draws an answer at random for each row; "
         "convertible: prior, most_frequent, constant");
}

TEST(Delegation, AConstantThatIsNoClassIsRefused) {
  Objects o;
  expect(o,
         made(o, "sklearn.dummy", "DummyClassifier",
              {{"strategy", o.text("constant")}, {"constant", plain::integer(4)}, {"n_outputs_", plain::integer(1)},
               {"classes_", o.integers({1}, {3})}, {"class_prior_", o.numbers({1}, {1})}}),
         "constant is 4, which is no class");
}

TEST(Delegation, AScoreOfOnesOwnWithoutAPositiveLabelIsRefused) {
  Objects o;
  const Value scorer = o.object("sklearn.metrics._scorer", "_CurveScorer", {{"_score_func", o.global("__main__", "gain")}});
  expect(o,
         made(o, "sklearn.model_selection._classification_threshold", "TunedThresholdClassifierCV",
              {{"estimator_", ridge(o)}, {"response_method", o.text("auto")}, {"best_threshold_", plain::real(.4)},
               {"_curve_scorer", scorer}}),
         "scoring is a Python function ('gain'), which holds code, not data without a pos_label, whose default the file does not say; "
         "give make_scorer a pos_label");
}

TEST(Delegation, VotersAndTheirNamesAreCounted) {
  Objects o;
  expect(o,
         made(o, "sklearn.ensemble._voting", "VotingRegressor",
              {{"estimators", o.list({o.tuple({o.text("a"), ridge(o)}), o.tuple({o.text("b"), o.text("drop")})})},
               {"estimators_", o.list({ridge(o), ridge(o)})}}),
         "model (VotingRegressor): estimators_ holds 2 for 1 names");
}

TEST(Delegation, ColumnsOfABagAreChecked) {
  Objects o;
  expect(o,
         made(o, "sklearn.ensemble._bagging", "BaggingRegressor",
              {{"estimators_", o.list({ridge(o)})}, {"estimators_features_", o.list({o.integers({2}, {0, 2})})}}),
         "estimators_features_ holds column 2 of 2");
}

TEST(Delegation, AnOrderThatNumbersNoTargetsIsRefused) {
  Objects o;
  expect(o,
         made(o, "sklearn.multioutput", "RegressorChain", {{"estimators_", o.list({ridge(o), ridge(o)})},
                                                           {"order_", o.integers({2}, {0, 0})}}),
         "order_ does not number the targets");
}

TEST(Delegation, CalibratorsOfUnknownKindAreRefused) {
  Objects o;
  const Value pair = o.object("sklearn.calibration", "_CalibratedClassifier",
                              {{"estimator", ridge(o)}, {"calibrators", o.list({o.object("sklearn.calibration", "_Other", {})})}});
  expect(o, made(o, "sklearn.calibration", "CalibratedClassifierCV", {{"classes_", o.integers({2}, {0, 1})},
                                                                      {"calibrated_classifiers_", o.list({pair})}}),
         "calibrators hold an object ('_Other')");
}

TEST(Delegation, PrecomputedKernelsOfPairsAreRefused) {
  Objects o;
  expect(o,
         made(o, "sklearn.multiclass", "OneVsOneClassifier",
              {{"classes_", o.integers({2}, {0, 1})}, {"estimators_", o.list({ridge(o)})},
               {"pairwise_indices_", o.list({o.integers({1}, {0})})}}),
         "pairwise_indices_ are given: the parts take a precomputed kernel; convertible: a named kernel");
}

TEST(Delegation, ACovarianceWithoutItsPrecisionIsRefused) {
  Objects o;
  expect(o,
         made(o, "sklearn.covariance._empirical_covariance", "EmpiricalCovariance",
              {{"location_", o.numbers({2}, {0, 0})}, {"precision_", o.none()}}),
         "store_precision is False, so the file does not hold the precision; fit with store_precision=True");
}

TEST(Delegation, OutlierFactorsOfTheFittedRowsAloneAreRefused) {
  Objects o;
  expect(o, made(o, "sklearn.neighbors._lof", "LocalOutlierFactor", {{"novelty", plain::boolean(false)}, {"offset_", plain::real(-1.5)}}),
         "novelty is False: the library answers for the rows that it was fitted on only; fit with novelty=True");
}

TEST(Delegation, ATransformerOfTheTargetNeedsAnInverse) {
  Objects o;
  const Value normalizer = made(o, "sklearn.preprocessing._data", "Normalizer", {{"norm", o.text("l2")}, {"x_", plain::integer(1)}});
  const Value root = made(o, "sklearn.compose._target", "TransformedTargetRegressor",
                          {{"regressor_", ridge(o)}, {"transformer_", normalizer}, {"_training_dim", plain::integer(1)}});
  const ReadModel read = read_estimator(o.document(root), Registry::builtin());
  ASSERT_TRUE(read.problems.empty());
  try {
    convert(read.estimator);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::unsupported_estimator);
    EXPECT_NE(std::string(e.what()).find("Normalizer, the transformer of the target, has no convertible inverse_transform"),
              std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace onward
