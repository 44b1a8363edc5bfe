// What the converted model says about itself: names exactly, categories, gaps, outputs.
#include <gtest/gtest.h>

#include "plain_objects.h"

namespace onward {
namespace {

using plain::Objects;
using plain::Value;

Estimator read(Objects& o, Value root) {
  ReadModel m = read_estimator(o.document(root), Registry::builtin());
  refuse_problems(m.problems);
  return m.estimator;
}
Value encoder(Objects& o, Value categories, const char* unknown = "ignore") {
  return o.object("sklearn.preprocessing._encoders", "OneHotEncoder",
                  {{"categories_", o.list({categories})},
                   {"drop_idx_", o.none()},
                   {"handle_unknown", o.text(unknown)},
                   {"n_features_in_", plain::integer(1)},
                   {"feature_names_in_", o.objects({o.text("home.dest")})},
                   {"_sklearn_version", o.text("1.9.1")}});
}

TEST(Schemas, SayWhatAnEncoderLearned) {
  Objects o;
  const Model m =
      convert(read(o, encoder(o, o.objects({o.text(""), o.text("Köln"), plain::real(__builtin_nan(""))}))), {.source_sha256 = "ab"});
  const Schema s = schema_of(m);
  ASSERT_EQ(s.inputs.size(), 1u);
  const Field& f = s.inputs[0];
  EXPECT_EQ(f.name, "home.dest");
  EXPECT_EQ(f.type, ColumnType::string);
  EXPECT_EQ(f.shape, (std::vector<std::optional<int64_t>>{std::nullopt, 1}));
  EXPECT_EQ(std::get<std::vector<std::string>>(f.categories), (std::vector<std::string>{"", "Köln"}));
  EXPECT_EQ(f.missing, Missing::category);
  EXPECT_EQ(f.unknown, Unknown::ignore);
  EXPECT_EQ(f.missing_text->nan, "nan");
  EXPECT_EQ(f.missing_text->na, "<NA>");
  EXPECT_EQ(s.outputs[0].name, "transformed");
  EXPECT_EQ(s.outputs[0].names, (std::vector<std::string>{"home.dest_", "home.dest_Köln", "home.dest_nan"}));
  EXPECT_EQ(s.source.class_name, "OneHotEncoder");
  EXPECT_EQ(s.source.version, "1.9.1");
  EXPECT_EQ(s.source.sha256, "ab");
}

TEST(Schemas, TextForMissingIsNoCategory) {
  Objects o;
  const Schema s = schema_of(convert(read(o, encoder(o, o.objects({o.text("None"), o.text("nan"), plain::real(__builtin_nan(""))})))));
  EXPECT_EQ(s.inputs[0].missing_text->nan, "<nan>");
  EXPECT_EQ(s.inputs[0].missing_text->none, "<None>");
}

TEST(Schemas, RefusalsOfTheLibraryAreKept) {
  Objects o;
  const Schema s = schema_of(convert(read(o, encoder(o, o.objects({o.text("a"), o.text("b")}), "error"))));
  EXPECT_EQ(s.inputs[0].unknown, Unknown::refuse);
  EXPECT_EQ(s.inputs[0].missing, Missing::refuse);
}

Value scaler(Objects& o) {
  return o.object("sklearn.preprocessing._data", "MaxAbsScaler", {{"scale_", o.numbers({1}, {2})}, {"n_features_in_", plain::integer(1)}});
}
// What a pipeline of a function of NumPy and a step says of its one column.
Field after(Objects& o, const char* function, Value step) {
  const Value first = o.object("sklearn.preprocessing._function_transformer", "FunctionTransformer",
                               {{"func", o.global("numpy", function)}, {"n_features_in_", plain::integer(1)}});
  const Value pipeline = o.object("sklearn.pipeline", "Pipeline",
                                  {{"steps", o.list({o.tuple({o.text("f"), first}), o.tuple({o.text("s"), step})})},
                                   {"_sklearn_version", o.text("1.9.1")}});
  return schema_of(convert(read(o, pipeline))).inputs.at(0);
}

TEST(Schemas, InfinityIsRefusedWhereAStepWouldRefuseIt) {
  Objects o;
  const Field f = schema_of(convert(read(o, scaler(o)))).inputs[0];
  EXPECT_EQ(f.infinity, Infinity::refuse);
  EXPECT_EQ(f.missing, Missing::nan);
  EXPECT_EQ(schema_of(convert(read(o, scaler(o)), {.input_type = DataType::f32})).inputs[0].infinity, Infinity::refuse);
  EXPECT_EQ(schema_of(convert(read(o, encoder(o, o.objects({o.text("a")}))))).inputs[0].infinity, Infinity::accept);
  EXPECT_EQ(after(o, "square", scaler(o)).infinity, Infinity::refuse);
  EXPECT_EQ(after(o, "tanh", scaler(o)).infinity, Infinity::accept);
}

TEST(Schemas, WhatIsComputedSaysNothingOfTheTablesValues) {
  Objects o;
  const Field squares = after(o, "square", encoder(o, o.numbers({2}, {1, 4}), "error"));
  EXPECT_EQ(size(squares.categories), 0u);
  EXPECT_EQ(squares.unknown, Unknown::ignore);
  EXPECT_EQ(squares.missing, Missing::refuse);
  EXPECT_EQ(after(o, "isnan", encoder(o, o.numbers({2}, {0, 1}), "error")).missing, Missing::nan);
}

TEST(Schemas, AnImputerOfANumberRefusesNaN) {
  Objects o;
  const auto missing = [&](Value value) {
    return schema_of(convert(read(o, o.object("sklearn.impute._base", "SimpleImputer",
                                              {{"statistics_", o.numbers({1}, {2})},
                                               {"missing_values", value},
                                               {"n_features_in_", plain::integer(1)},
                                               {"_sklearn_version", o.text("1.9.1")}})))).inputs[0].missing;
  };
  EXPECT_EQ(missing(plain::real(__builtin_nan(""))), Missing::impute);
  EXPECT_EQ(missing(plain::real(-1)), Missing::refuse);
  EXPECT_EQ(missing(o.none()), Missing::refuse);
}

TEST(Schemas, ABoolThatMayBeUnknownHasRoomForAGap) {
  Objects o;
  const Value both = o.objects({plain::boolean(false), plain::boolean(true)});
  const Field ignored = schema_of(convert(read(o, encoder(o, both)))).inputs[0];
  EXPECT_EQ(ignored.type, ColumnType::float64);
  EXPECT_EQ(std::get<std::vector<double>>(ignored.categories), (std::vector<double>{0, 1}));
  EXPECT_TRUE(ignored.nullable);
  EXPECT_EQ(schema_of(convert(read(o, encoder(o, both, "error")))).inputs[0].type, ColumnType::boolean);
}

TEST(Schemas, LargeIntegerCategoriesMakeTheColumnInt64) {
  Objects o;
  const int64_t large = int64_t{1} << 60;
  const Schema s = schema_of(convert(read(o, encoder(o, o.integers({2}, {large, large + 1})))));
  EXPECT_EQ(s.inputs[0].type, ColumnType::int64);
  const Schema small = schema_of(convert(read(o, encoder(o, o.integers({2}, {1, 2})))));
  EXPECT_EQ(small.inputs[0].type, ColumnType::float64);
  const Schema told = schema_of(convert(read(o, encoder(o, o.integers({2}, {1, 2}))), {.column_types = {{"home.dest", DataType::i64}}}));
  EXPECT_EQ(told.inputs[0].type, ColumnType::int64);
}

TEST(Convert, AColumnThatNothingReadsIsNoInput) {
  Objects o;
  const Value columns = o.object("sklearn.compose._column_transformer", "ColumnTransformer",
                                 {{"transformers_", o.list({o.tuple({o.text("a"), scaler(o), o.list({o.text("fare")})})})},
                                  {"feature_names_in_", o.objects({o.text("name"), o.text("fare"), o.text("cabin")})},
                                  {"n_features_in_", plain::integer(3)},
                                  {"_sklearn_version", o.text("1.9.1")}});
  const Model m = convert(read(o, columns));
  ASSERT_EQ(m.graph.inputs.size(), 1u);
  EXPECT_EQ(m.graph.inputs[0].name, "fare");
  EXPECT_EQ(schema_of(m).outputs[0].names, (std::vector<std::string>{"a__fare"}));
  const Model told = convert(read(o, columns), {.column_types = {{"cabin", DataType::str}}});
  ASSERT_EQ(told.graph.inputs.size(), 2u);
  EXPECT_EQ(schema_of(told).inputs[1].type, ColumnType::string);
}

TEST(Convert, OutputsAreChosenByName) {
  Objects o;
  const Value lr = o.object("sklearn.linear_model._logistic", "LogisticRegression",
                            {{"classes_", o.objects({o.text("go"), o.text("stay")})},
                             {"coef_", o.numbers({1, 2}, {1, -1})},
                             {"intercept_", o.numbers({1}, {0})},
                             {"solver", o.text("lbfgs")},
                             {"n_features_in_", plain::integer(2)}});
  const Estimator e = read(o, lr);
  const auto names = [](const Model& m) {
    std::vector<std::string> out;
    for (const ValueInfo& v : m.graph.outputs) out.push_back(v.name + " " + shown(v.type));
    return out;
  };
  EXPECT_EQ(names(convert(e)), (std::vector<std::string>{"label string [batch]", "probabilities double [batch, 2]"}));
  EXPECT_EQ(names(convert(e, {.outputs = {"scores", "log_probabilities"}})),
            (std::vector<std::string>{"scores double [batch]", "log_probabilities double [batch, 2]"}));
  try {
    convert(e, {.outputs = {"leaf"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code, Code::usage);
    EXPECT_EQ(error.message, "output 'leaf' does not exist; this model offers label, probabilities, log_probabilities, scores");
  }
  EXPECT_EQ(shown(convert(e, {.inputs = Inputs::columns}).graph.inputs[1].type), "double [batch, 1]");
  EXPECT_EQ(shown(convert(e, {.input_type = DataType::f32}).graph.inputs[0].type), "float [batch, 2]");
  const Schema s = schema_of(convert(e));
  EXPECT_EQ(std::get<std::vector<std::string>>(s.outputs[1].classes), (std::vector<std::string>{"go", "stay"}));
  EXPECT_EQ(s.inputs[0].missing, Missing::refuse);
}

}  // namespace
}  // namespace onward
