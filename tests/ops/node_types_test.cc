// What a signature says of the types of a node: inputs that it does not take are refused, outputs follow.
#include "onward/ops/node_types.h"

#include <gtest/gtest.h>

#include "onward/base/error.h"
#include "onward/ops/custom.h"

namespace onward {
namespace {

Fact of(DataType type) { return {type, Dims{2}, nullptr, {}}; }

// "" where the inputs are taken, else the message.
std::string refusal(const NodeTypes& types, std::vector<DataType> inputs) {
  std::vector<Fact> facts;
  for (const DataType t : inputs) facts.push_back(of(t));
  try {
    types.check(facts);
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::bad_value);
    return e.message;
  }
}

NodeTypes standard(const char* op, size_t outputs = 1) { return {signature("", op), outputs}; }
constexpr auto f32t = DataType::f32, f64t = DataType::f64, i64t = DataType::i64, i32t = DataType::i32, u8t = DataType::u8, strt = DataType::str, unknown = DataType::none;

TEST(NodeTypes, PortsOfOneConstraintHaveOneType) {
  EXPECT_EQ(refusal(standard("Add"), {f32t, f32t}), "");
  EXPECT_EQ(refusal(standard("Add"), {f32t, f64t}), "input 'B' is double, expected float as 'A'");
  EXPECT_EQ(refusal(standard("Concat"), {i64t, i64t, f32t}), "input 'inputs' is float, expected int64 as 'inputs'");
  EXPECT_EQ(refusal(standard("Where"), {DataType::b8, f32t, f64t}), "input 'Y' is double, expected float as 'X'");
  EXPECT_EQ(refusal(standard("Gather"), {f32t, i64t}), "");
}

TEST(NodeTypes, AnInputHasAnAllowedType) {
  EXPECT_NE(refusal(standard("Add"), {strt, strt}).find("input 'A' is string, expected float|"), std::string::npos);
  EXPECT_EQ(refusal(standard("Reshape"), {f32t, i32t}), "input 'shape' is int32, expected int64");
  EXPECT_EQ(refusal(standard("Gather"), {f32t, f32t}), "input 'indices' is float, expected int32|int64");
}

TEST(NodeTypes, WhatOnlyAnOlderVersionTookIsTaken) {
  EXPECT_EQ(refusal(standard("ReduceLogSum"), {i32t}), "");
  EXPECT_NE(refusal(standard("ReduceLogSum"), {u8t}), "");
  EXPECT_EQ(refusal(standard("Erf"), {u8t}), "");
}

TEST(NodeTypes, OfUnknownTypesNothingIsSaid) {
  EXPECT_EQ(refusal(standard("Add"), {unknown, f64t}), "");
  EXPECT_EQ(refusal(standard("Add"), {unknown, unknown}), "");
}

TEST(NodeTypes, ValuesOfAMixedVariadicMayDiffer) {
  EXPECT_EQ(refusal(standard("Loop"), {i64t, DataType::b8, f32t, strt, u8t}), "");
  EXPECT_EQ(refusal(standard("Scan"), {f32t, i64t}), "");
}

TEST(NodeTypes, OperatorsOfOnnxRuntimeAreCheckedToo) {
  const NodeTypes fused(signature("com.microsoft", "FusedMatMul"), 1);
  EXPECT_EQ(refusal(fused, {f32t, f32t}), "");
  EXPECT_NE(refusal(fused, {f32t, f64t}), "");
  EXPECT_NE(refusal(fused, {i64t, i64t}), "");
}

TEST(NodeTypes, OutputsFollowInputsOrTheSignature) {
  std::vector<Fact> inputs{of(f64t), of(i64t)}, outputs(2);
  standard("TopK", 2).begin(inputs, outputs);
  EXPECT_EQ(outputs[0].type, f64t);
  EXPECT_EQ(outputs[1].type, i64t);
  EXPECT_EQ(standard("Cast").output(0, inputs), DataType::none);
}

}  // namespace
}  // namespace onward
