// feature_engine's transformers: what its files must agree on, and what the library raises for as policies of the schema.
#include <gtest/gtest.h>

#include "plain_objects.h"

namespace onward {
namespace {

using plain::Objects;
using plain::Value;

struct FeatureEngine : testing::Test {
  Objects o;

  // Of a table of the columns age and port.
  Value fitted(std::string_view package, std::string_view name, std::initializer_list<std::pair<std::string_view, Value>> learned) {
    const Value v = o.object(package, name, {{"feature_names_in_", o.list({o.text("age"), o.text("port")})}, {"n_features_in_", plain::integer(2)}});
    for (const auto& [key, value] : learned) o.set(v, key, value);
    return v;
  }
  Value ordinal(const char* unseen, const char* missing = "raise") {
    return fitted("feature_engine.encoding.ordinal", "OrdinalEncoder",
                  {{"variables_", o.list({o.text("port")})}, {"unseen", o.text(unseen)}, {"missing_values", o.text(missing)},
                   {"encoder_dict_", o.dict({{"port", o.dict({{"S", plain::integer(0)}, {"Q", plain::integer(1)}})}})}});
  }
  Value imputer(Value age) {
    return fitted("feature_engine.imputation.categorical", "CategoricalImputer", {{"variables_", o.list({o.text("age")})}, {"imputer_dict_", o.dict({{"age", age}})}});
  }
  Value pipeline(std::initializer_list<Value> steps) {
    std::vector<Value> named;
    for (const Value& step : steps) named.push_back(o.tuple({o.text(text("step", named.size())), step}));
    return o.object("sklearn.pipeline", "Pipeline", {{"steps", o.list(std::span<const Value>(named))}});
  }
  std::string problems(Value v) {
    std::string all;
    for (const Problem& p : read_estimator(o.document(v), Registry::builtin()).problems) all += p.message + "; " + p.hint + "\n";
    return all;
  }
  Schema schema(Value v, const ConvertOptions& options = {}) { return schema_of(convert(read_estimator(o.document(v), Registry::builtin()).estimator, options)); }
};

void expect_says(const std::string& said, std::string_view what) { EXPECT_NE(said.find(what), std::string::npos) << said; }

TEST_F(FeatureEngine, WhatIsRaisedForIsRefusedByTheSchema) {
  const Field raised = schema(ordinal("raise")).inputs[1], encoded = schema(ordinal("ignore")).inputs[1], gaps = schema(ordinal("ignore", "ignore")).inputs[1];
  EXPECT_EQ(raised.missing, Missing::refuse);
  EXPECT_EQ(raised.unknown, Unknown::refuse);
  EXPECT_EQ(encoded.missing, Missing::refuse);
  EXPECT_EQ(encoded.unknown, Unknown::category);
  EXPECT_EQ(gaps.missing, Missing::nan);
  const Schema numbers = schema(fitted("feature_engine.transformation.log", "LogTransformer", {{"variables_", o.list({o.text("age")})}, {"base", o.text("e")}}));
  EXPECT_EQ(numbers.inputs[0].missing, Missing::refuse);
  EXPECT_EQ(numbers.inputs[0].infinity, Infinity::refuse);
}

TEST_F(FeatureEngine, AnImputerSaysThatGapsAreFilled) {
  EXPECT_EQ(schema(imputer(plain::real(2.5))).inputs[0].missing, Missing::impute);
  EXPECT_EQ(schema(imputer(o.text("none"))).inputs[0].type, ColumnType::string);
  // Filled by a word, a number would become one.
  EXPECT_EQ(schema(imputer(o.text("none")), {.column_types = {{"age", DataType::f64}}}).inputs[0].missing, Missing::refuse);
}

TEST_F(FeatureEngine, AnIndicatorWaitsForWhatLaterStepsSayOfAColumn) {
  const Value indicator = fitted("feature_engine.imputation.missing_indicator", "AddMissingIndicator", {{"variables_", o.list({o.text("age"), o.text("port")})}});
  const Schema alone = schema(indicator);
  EXPECT_EQ(alone.inputs[1].type, ColumnType::float64);
  EXPECT_EQ(alone.outputs[0].names, (std::vector<std::string>{"age", "port", "age_na", "port_na"}));
  const Value encoder = o.object("feature_engine.encoding.one_hot", "OneHotEncoder",
                                 {{"feature_names_in_", o.list({o.text("age"), o.text("port"), o.text("age_na"), o.text("port_na")})},
                                  {"variables_", o.list({o.text("port")})}, {"encoder_dict_", o.dict({{"port", o.list({o.text("S")})}})}});
  EXPECT_EQ(schema(pipeline({indicator, encoder})).inputs[1].type, ColumnType::string);
}

TEST_F(FeatureEngine, AMatrixIsAMatrix) {
  const Value v = o.object("feature_engine.selection.drop_features", "DropFeatures",
                           {{"feature_names_in_", o.list({o.text("x0"), o.text("x1")})}, {"n_features_in_", plain::integer(2)}, {"features_to_drop_", o.list({o.text("x0")})}});
  EXPECT_EQ(schema(v).inputs.size(), 1u);
  EXPECT_EQ(schema(v).outputs[0].names, (std::vector<std::string>{"x1"}));
}

TEST_F(FeatureEngine, StepsThatDropRowsAreRefused) {
  const Value rows = fitted("feature_engine.imputation.drop_missing_data", "DropMissingData", {{"variables_", o.list({o.text("age")})}});
  expect_says(problems(rows), "transform drops rows, and a model answers each row that it is given");
  expect_says(problems(pipeline({rows, imputer(plain::integer(1))})), "drops rows");
}

TEST_F(FeatureEngine, WhatDoesNotFitTheTableIsAProblem) {
  expect_says(problems(fitted("feature_engine.scaling.mean_normalization", "MeanNormalizationScaler",
                              {{"variables_", o.list({o.text("age")})}, {"mean_", o.dict({})}, {"range_", o.dict({{"fare", plain::integer(1)}})}})),
              "mean_ has no number for 'age'");
  expect_says(problems(fitted("feature_engine.imputation.mean_median", "MeanMedianImputer", {{"variables_", o.list({o.text("fare")})}, {"imputer_dict_", o.none()}})),
              "variables_ names 'fare', which the fitted table does not have");
  expect_says(problems(fitted("feature_engine.discretisation.arbitrary", "ArbitraryDiscretiser",
                              {{"variables_", o.list({o.text("age")})}, {"binner_dict_", o.dict({{"age", o.list({plain::integer(2), plain::integer(1)})}})}})),
              "binner_dict_['age'] is no ascending list of two and more edges");
  const Value wide = o.object("feature_engine.selection.drop_features", "DropFeatures", {{"feature_names_in_", o.list({o.text("age")})}, {"features_to_drop_", o.list({})}});
  try {
    schema(pipeline({imputer(plain::integer(1)), wide}));
    FAIL();
  } catch (const Error& e) {
    expect_says(e.message, "was fitted on 1 columns, and is given 2");
  }
}

}  // namespace
}  // namespace onward
