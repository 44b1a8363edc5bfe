#include "onward/model/schema.h"

#include <gtest/gtest.h>

#include <limits>

#include "onward/base/file.h"

namespace onward {
namespace {

std::string error_of(const std::string& json) {
  try {
    read_schema(json);
  } catch (const Error& e) {
    return e.message;
  }
  return "read without an error";
}
std::string with_input(const std::string& members) { return R"({"inputs": [{"name": "a", )" + members + "}]}"; }

TEST(Schema, ReadsTheKeptFileOfTheFirstRelease) {
  const Schema s = read_schema(map_file(ONWARD_TEST_DATA "/tables/schema_v1.json").bytes);
  ASSERT_EQ(s.inputs.size(), 5u);
  EXPECT_EQ(s.inputs[0].range, (Range{0.17, 80}));
  EXPECT_EQ(s.inputs[0].missing, Missing::impute);
  EXPECT_EQ(std::get<std::vector<std::string>>(s.inputs[1].categories)[1], "Oslo, Norway");
  EXPECT_EQ(s.inputs[1].unknown, Unknown::refuse);
  EXPECT_EQ(s.inputs[1].missing_text->nan, "\x01nan");
  EXPECT_EQ(s.inputs[1].missing_text->na, std::nullopt);
  EXPECT_EQ(std::get<std::vector<int64_t>>(s.inputs[2].categories), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(s.inputs[4].range, (Range{0, std::numeric_limits<double>::infinity()}));
  EXPECT_EQ(s.inputs[4].names, (std::vector<std::string>{"r", "g", "b"}));
  EXPECT_EQ(s.inputs[4].out_of_range, OutOfRange::clip);
  EXPECT_EQ(s.outputs[1].classes, Categories(std::vector<int64_t>{0, 1}));
  EXPECT_EQ(s.source.class_name, "Pipeline");
}

TEST(Schema, WritingAndReadingGivesTheSame) {
  const Schema s = read_schema(map_file(ONWARD_TEST_DATA "/tables/schema_v1.json").bytes);
  const std::string once = write_schema(s);
  EXPECT_EQ(read_schema(once), s);
  EXPECT_EQ(write_schema(read_schema(once)), once);
  EXPECT_EQ(read_schema(write_schema(s, 2)), s);
  EXPECT_EQ(once.find('\n'), std::string::npos);
}

TEST(Schema, FillsInWhatAHandWrittenOneLeavesOut) {
  const Schema s = read_schema(R"({"inputs": [{"name": "a", "type": "float64", "nullable": true}, {"name": "b", "type": "string"}]})");
  EXPECT_EQ(s.inputs[0].missing, Missing::nan);
  EXPECT_EQ(s.inputs[0].shape, (std::vector<std::optional<int64_t>>{std::nullopt, 1}));
  EXPECT_EQ(s.inputs[1].missing, Missing::refuse);
}

TEST(Schema, InfinityIsAcceptedUnlessItSaysOtherwise) {
  for (const Field& f : read_schema(map_file(ONWARD_TEST_DATA "/tables/schema_v1.json").bytes).inputs) EXPECT_EQ(f.infinity, Infinity::accept) << f.name;
  const Schema s = read_schema(with_input(R"("type": "float32", "infinity": "refuse")"));
  EXPECT_EQ(s.inputs[0].infinity, Infinity::refuse);
  EXPECT_EQ(read_schema(write_schema(s)), s);
  EXPECT_NE(write_schema(s).find(R"("infinity":"refuse")"), std::string::npos);
  EXPECT_NE(write_schema(read_schema(with_input(R"("type": "float64")"))).find(R"("infinity":"accept")"), std::string::npos);
  EXPECT_EQ(write_schema(read_schema(with_input(R"("type": "string")"))).find("infinity"), std::string::npos);
}

TEST(Schema, SaysHowNumbersBecomeText) {
  const Schema s = read_schema(with_input(R"("type": "string", "numbers": "digits", "true_false": "refuse")"));
  EXPECT_EQ(s.inputs[0].numbers, Written::digits);
  EXPECT_EQ(s.inputs[0].true_false, Written::refuse);
  EXPECT_EQ(read_schema(write_schema(s)), s);
  EXPECT_EQ(error_of(with_input(R"("type": "string", "numbers": "digit")")), "inputs[0].numbers is 'digit', expected one of text, digits, refuse; did you mean 'digits'");
  EXPECT_TRUE(read_schema(with_input(R"("type": "float64", "category_codes": true)")).inputs[0].category_codes);
}

TEST(Schema, AMatrixMayTellOfItsColumns) {
  const std::string text = R"("type": "string", "shape": [null, 2], "names": ["a", "b"], "columns": [{"name": "a", "missing": "category"}, )";
  const Schema s = read_schema(with_input(text + R"({"name": "b", "unknown": "refuse", "categories": ["u"]}])"));
  ASSERT_EQ(s.inputs[0].columns.size(), 2u);
  EXPECT_TRUE(s.inputs[0].columns[0].nullable);
  EXPECT_EQ(s.inputs[0].columns[1].missing, Missing::refuse);
  EXPECT_EQ(s.inputs[0].columns[1].type, ColumnType::string);
  EXPECT_EQ(read_schema(write_schema(s)), s);
  EXPECT_EQ(error_of(with_input(text + R"({"name": "c"}])")), "inputs[0].columns[1].name is \"c\", expected 'b', in the order of names");
  EXPECT_EQ(error_of(with_input(text.substr(0, text.size() - 2) + "]")).substr(0, 23), "inputs[0].columns is [{");
  EXPECT_EQ(error_of(with_input(text + R"({"name": "b", "categories": [1]}])")), "inputs[0].columns[1].categories is [1], expected values of the type string");
}

TEST(Schema, NamesThePlaceOfAMistake) {
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "a", "type": "flot64"}]})"),
            "inputs[0].type is 'flot64', expected one of float64, float32, int64, bool, string, datetime; did you mean 'float64'");
  EXPECT_EQ(error_of(with_input(R"("type": 3)")), "inputs[0].type is 3, expected a string");
  EXPECT_EQ(error_of(with_input(R"("type": "int64", "shape": [null, -1])")), "inputs[0].shape[1] is -1, expected a size, or null where it is dynamic");
  EXPECT_EQ(error_of(with_input(R"("type": "int64", "missing": "imput")")), "inputs[0].missing is 'imput', expected one of refuse, impute, nan, category; did you mean 'impute'");
  EXPECT_EQ(error_of(with_input(R"("type": "float64", "infinity": "clip")")), "inputs[0].infinity is 'clip', expected one of accept, refuse");
  EXPECT_EQ(error_of(with_input(R"("type": "int64", "range": [3, 1])")), "inputs[0].range is [3,1], expected [lowest, highest] in this order");
  EXPECT_EQ(error_of(with_input(R"("type": "string", "categories": ["a", 1])")), R"(inputs[0].categories is ["a",1], expected a list of strings, of numbers or of booleans)");
  EXPECT_EQ(error_of(with_input(R"("type": "string", "categories": [1])")), "inputs[0].categories is [1], expected values of the type string");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "a"}]})"), "inputs[0] has no 'type'");
  EXPECT_EQ(error_of("{}"), "the schema has no 'inputs'");
  EXPECT_EQ(error_of("[]"), "the schema is [], expected an object");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "a", "type": "bool"}, {"name": "a", "type": "bool"}]})"), "inputs has two entries named 'a'");
  EXPECT_EQ(error_of(R"({"schema_version": 2, "inputs": []})"), "schema_version is 2, this release reads up to 1");
  EXPECT_EQ(error_of(R"({"schema_version": 0, "inputs": []})"), "schema_version is 0, expected 1 or more");
  EXPECT_EQ(error_of("{\"inputs\": "), "the schema is no JSON: byte 12 of 11 is not what JSON allows there");
  EXPECT_EQ(error_of(R"({"inputs": [{"name": "a", "type": "float64", "range": [1e999, 2]}]})"), "the schema holds a number that no double can hold");
}

TEST(Schema, SurvivesHostileNesting) {
  EXPECT_EQ(error_of(std::string(1000000, '[')), "the schema nests deeper than 16 levels");
  std::string keys;
  for (int i = 0; i < 100000; ++i) keys += "{\"a\":";
  EXPECT_EQ(error_of(keys), "the schema nests deeper than 16 levels");
}

TEST(Schema, EveryPrefixOfAFileIsAnError) {
  const auto file = map_file(ONWARD_TEST_DATA "/tables/schema_v1.json");
  const size_t end = file.bytes.rfind('}');
  for (size_t n = 0; n <= end; n += 7) EXPECT_THROW(read_schema(file.bytes.substr(0, n)), Error) << n;
}

ValueInfo tensor(std::string name, DataType type, std::vector<DimInfo> shape) { return {std::move(name), TypeInfo::tensor(type, std::move(shape)), ""}; }

TEST(SchemaOf, ReadsTheGraphWhereNothingIsStored) {
  Model model;
  model.graph.inputs = {tensor("x", DataType::f32, {{{}, "batch"}, {3, ""}}), tensor("k", DataType::i32, {{{}, "batch"}, {1, ""}}), tensor("w", DataType::f32, {{3, ""}})};
  model.graph.initializers["w"] = Tensor::of<float>({3}, {1, 2, 3});
  model.graph.outputs = {tensor("y", DataType::f64, {{{}, "batch"}})};
  const Schema s = schema_of(model);
  ASSERT_EQ(s.inputs.size(), 2u);
  EXPECT_EQ(s.inputs[0].type, ColumnType::float32);
  EXPECT_EQ(s.inputs[0].shape, (std::vector<std::optional<int64_t>>{std::nullopt, 3}));
  EXPECT_EQ(s.inputs[0].missing, Missing::nan);
  EXPECT_EQ(s.inputs[1].type, ColumnType::int64);
  EXPECT_EQ(tensor_type(s.inputs[1]), DataType::i32);
  EXPECT_EQ(s.inputs[1].missing, Missing::refuse);
  EXPECT_EQ(s.outputs[0].shape.size(), 1u);
}

TEST(SchemaOf, PrefersTheStoredOneAndChecksItsNames) {
  Model model;
  model.graph.inputs = {tensor("age", DataType::f32, {{{}, "n"}, {1, ""}})};
  Schema stored;
  stored.inputs = {{.name = "age", .type = ColumnType::float64, .shape = {std::nullopt, 1}, .nullable = true, .missing = Missing::impute}};
  set_schema(model, stored);
  EXPECT_EQ(schema_of(model).inputs[0].missing, Missing::impute);
  EXPECT_EQ(tensor_type(schema_of(model).inputs[0]), DataType::f32);
  model.graph.inputs[0].name = "ages";
  try {
    schema_of(model);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.message, "the model's schema has an input 'age' that its graph lacks; did you mean 'ages'");
    EXPECT_EQ(e.code, Code::bad_schema);
  }
}

TEST(SchemaOf, KeepsThePoliciesThatAreGiven) {
  Model model;
  model.graph.inputs = {tensor("age", DataType::f32, {{{}, "n"}, {1, ""}})};
  EXPECT_EQ(schema_of(model).inputs[0].infinity, Infinity::accept);
  set_policies(model, {.inputs = {{.name = "age", .infinity = Infinity::refuse}}});
  EXPECT_EQ(schema_of(model).inputs[0].infinity, Infinity::refuse);
}

TEST(SchemaOf, WhatAGivenSchemaDoesNotSayOfTextStaysTheModels) {
  Model model;
  model.graph.inputs = {tensor("c", DataType::str, {{{}, "n"}, {1, ""}})};
  Schema stored;
  stored.inputs = {{.name = "c", .type = ColumnType::string, .shape = {std::nullopt, 1}, .numbers = Written::digits, .true_false = Written::refuse}};
  set_schema(model, stored);
  set_policies(model, {.inputs = {{.name = "c", .type = ColumnType::string, .true_false = Written::text}}});
  EXPECT_EQ(schema_of(model).inputs[0].numbers, Written::digits);
  EXPECT_EQ(schema_of(model).inputs[0].true_false, Written::text);
}

TEST(SchemaOf, RefusesInputsThatNoTableFills) {
  Model model;
  model.graph.inputs = {{"s", {TypeInfo::Kind::sequence, DataType::none, {}, std::make_shared<TypeInfo>(TypeInfo::tensor(DataType::f32)), ""}, ""}};
  EXPECT_THROW(schema_of(model), Error);
  model.graph.inputs = {tensor("c", DataType::c64, {})};
  EXPECT_THROW(schema_of(model), Error);
}

}  // namespace
}  // namespace onward
