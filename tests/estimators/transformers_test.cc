// What the fitted transformers refuse, and the pieces that several of them share.
#include <gtest/gtest.h>

#include "onward/estimators/dense_algebra.h"
#include "onward/estimators/importances.h"
#include "onward/estimators/repetition.h"
#include "onward/estimators/sorted_search.h"
#include "plain_objects.h"

namespace onward {
namespace {

using plain::Objects;
using plain::Value;

std::string report(Objects& o, Value root) {
  std::string all;
  for (const Problem& p : read_estimator(o.document(root), Registry::builtin()).problems) all += p.message + (p.hint.empty() ? "" : "; ") + p.hint + "\n";
  return all;
}

TEST(Transformers, WhatIsNoTableIsRefusedWithWhatWorks) {
  Objects o;
  EXPECT_EQ(report(o, o.object("sklearn.preprocessing._label", "MultiLabelBinarizer", {{"classes_", o.integers({2}, {1, 2})}})),
            "its input is a set of labels for each row, which no column holds; convertible: OneHotEncoder for a label in each column, "
            "CountVectorizer(binary=True) for labels in a text\n");
  EXPECT_EQ(report(o, o.object("sklearn.feature_extraction._hash", "FeatureHasher", {{"input_type", o.text("dict")}})),
            "its input is a dict, or a list, of named features for each row, which no table holds; convertible: HashingVectorizer for text, "
            "OneHotEncoder or a ColumnTransformer for columns\n");
}

TEST(Transformers, EdgesOfBinsAreChecked) {
  Objects o;
  const auto bins = [&](Value edges) {
    return report(o, o.object("sklearn.preprocessing._discretization", "KBinsDiscretizer",
                              {{"n_features_in_", plain::integer(1)}, {"encode", o.text("ordinal")}, {"bin_edges_", o.objects({edges})}}));
  };
  EXPECT_EQ(bins(o.numbers({3}, {0, 1, 2})), "");
  EXPECT_EQ(bins(o.numbers({1}, {0})), "bin_edges_ of column 0 has no two edges\n");
  EXPECT_EQ(bins(o.numbers({3}, {0, 2, 1})), "bin_edges_ of column 0 is not sorted\n");
}

TEST(Transformers, ASplineWithoutItsKnotsIsRefused) {
  Objects o;
  const auto spline = [&](std::initializer_list<double> knots, int64_t degree) {
    const Value b = o.object("scipy.interpolate._bsplines", "BSpline",
                             {{"_t", o.numbers({int64_t(knots.size())}, knots)}, {"_c", o.numbers({2, 2}, {1, 0, 0, 1})}, {"k", plain::integer(degree)}});
    return report(o, o.object("sklearn.preprocessing._polynomial", "SplineTransformer",
                              {{"n_features_in_", plain::integer(1)},
                               {"extrapolation", o.text("constant")},
                               {"include_bias", plain::boolean(true)},
                               {"bsplines_", o.list({b})}}));
  };
  EXPECT_EQ(spline({0, 1, 2, 3}, 1), "");
  EXPECT_EQ(spline({0, 1, 2, 3}, 3), "bsplines_[0] has 4 knots and coefficients [2, 2] for degree 3\n");
  EXPECT_EQ(spline({0, 2, 1, 3}, 1), "bsplines_[0] has knots that are not sorted\n");
  EXPECT_EQ(spline({0, 1, 2, 3}, 1'000'000), "degree is 1000000; convertible: up to 50\n");
}

TEST(Transformers, AnImputerThatDrawsAtRandomIsRefused) {
  Objects o;
  EXPECT_NE(report(o, o.object("sklearn.impute._iterative", "IterativeImputer", {{"n_iter_", plain::integer(1)}, {"sample_posterior", plain::boolean(true)}}))
                .find("sample_posterior is True: gaps are filled at random; fit with sample_posterior=False"),
            std::string::npos);
}

TEST(Transformers, ASelectorNamesTheModelWhoseImportancesItCannotRead) {
  Objects o;
  const Value booster = o.object("xgboost.sklearn", "XGBClassifier", {{"n_features_in_", plain::integer(2)}});
  EXPECT_EQ(report(o, o.object("sklearn.feature_selection._from_model", "SelectFromModel", {{"estimator_", booster}, {"threshold", o.none()}})),
            "estimator_ is a XGBClassifier, which computes its importances from what it holds; convertible: models that store coef_ or "
            "feature_importances_, linear support vector machines, trees, forests, AdaBoost and GradientBoosting\n");
  const Value ridge = o.object("sklearn.linear_model._ridge", "Ridge", {{"coef_", o.numbers({2}, {1, -2})}});
  EXPECT_EQ(report(o, o.object("sklearn.feature_selection._from_model", "SelectFromModel", {{"estimator_", ridge}, {"threshold", o.text("1.5*mode")}})),
            "threshold is 'mode'; convertible: a number, 'mean', 'median', '1.25*mean'\n");
}

TEST(DenseAlgebra, SolvesAndSaysWhatHasNoInverse) {
  const Numbers a({2, 2}, std::vector<double>{0, 2, 1, 1}), b({2, 1}, std::vector<double>{4, 5});
  const Numbers x = solved(a, b);
  EXPECT_EQ(x[0], 3);
  EXPECT_EQ(x[1], 2);
  EXPECT_THROW(solved(Numbers({2, 2}, std::vector<double>{1, 2, 2, 4}), b), Error);
  EXPECT_THROW(product(a, Numbers({3, 1}, std::vector<double>{1, 2, 3})), Error);
}

TEST(Importances, SumsAsNumPyDoes) {
  std::vector<double> a(300);
  for (size_t i = 0; i < a.size(); ++i) a[i] = 1.0 / double(i + 1);
  EXPECT_EQ(sum_in_pairs(a), 6.282663880299504);
  EXPECT_EQ(median_of(std::vector<double>{3, 1, 2, 10}), 2.5);
}

TEST(SortedSearch, AnEmptyListAndLargeOnes) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 2});
  EXPECT_EQ(count_at_most(x, Numbers::of({2, 0}, [](int64_t) { return 0.0; })).type(), DataType::i64);
  EXPECT_EQ(count_at_most(x, Numbers::of({2, 5}, [](int64_t i) { return double(i % 5); })).shape(), (Dims{rows, 2}));
}

TEST(Repetition, TwoLoopsFromOneStartHaveTheirOwnNames) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 2});
  const auto doubled = [](Repetition& now) {
    now.state = {now.state[0] * 2.0};
    return anywhere(now.state[0] < 100.0);
  };
  const Expr a = repeated(3, {x}, doubled)[0], b = repeated(4, {x}, doubled)[0];
  EXPECT_EQ(g.graph({{"y", a + b}}).nodes.size(), 3u);
}

}  // namespace
}  // namespace onward
