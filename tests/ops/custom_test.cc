// How custom operators are written down, and what is refused.
#include "onward/ops/custom.h"

#include <gtest/gtest.h>

#include "onward/ops/check_nodes.h"
#include "onward/ops/upgrade.h"

namespace onward {
namespace {

struct Nothing : CustomKernel {
  void run(Call&) const override {}
};

CustomOperator named(const std::string& domain, const std::string& name, const std::string& inputs = "x:T", const std::string& outputs = "y:T", const std::string& attributes = "") {
  return {domain, name, 1, inputs, outputs, attributes, [](const Preparation&) { return std::make_shared<const Nothing>(); }};
}

std::string refusal(const CustomOperator& op) {
  try {
    CustomOperators().add(op);
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::usage);
    return e.message;
  }
}

TEST(CustomOperators, PortsAreReadAsTheyAreWritten) {
  CustomOperators all;
  all.add(named("com.example", "Foo", "x:T(float|double) bias?:float any rest*:T", "y:T z:int64 list", "alpha:FLOAT=1;mode:STRING=\"a;b\";axes:INTS!;k:INT"));
  const auto* entry = all.find("com.example", "Foo");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->form.inputs, "x:T bias?:tensor(float) any:any1 rest*:T");
  EXPECT_EQ(entry->form.outputs, "y:T z:tensor(int64) list:any2");
  EXPECT_EQ(entry->input_types[0], f32 | f64);
  EXPECT_EQ(entry->input_types[1], f32);
  EXPECT_EQ(entry->input_types[2], Types{});
  EXPECT_EQ(entry->input_types[3], f32 | f64);
  EXPECT_EQ(all.find("com.example", "Bar"), nullptr);
}

TEST(CustomOperators, WhatIsWrittenWronglyIsSaid) {
  EXPECT_NE(refusal(named("", "Foo")).find("the domain '' is not free"), std::string::npos);
  EXPECT_NE(refusal(named("ai.onnx.ml", "Foo")).find("is not free"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo bar")).find("not made of letters"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "x:flaot")).find("the type 'flaot' of port 'x'"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "x:T(float|flaot)")).find("there is no element type 'flaot'"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "rest*:T x:T")).find("behind a variadic port"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "1x:T")).find("no name of a port"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "x:T", "")).find("has no outputs"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "x:T", "y:T", "alpha:NUMBER")).find("cannot be read"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "x:T", "y:T", "alpha:INT=0.5")).find("the default of attribute 'alpha'"), std::string::npos);
  EXPECT_NE(refusal(named("com.example", "Foo", "x:T", "y:T", "alpha:INTS=[1, [2]]")).find("the default of attribute 'alpha'"), std::string::npos);
  CustomOperators all;
  all.add(named("com.example", "Foo"));
  EXPECT_THROW(all.add(named("com.example", "Foo")), Error);
  CustomOperators same = all, other;
  same.add(all);
  other.add(named("com.example", "Foo"));
  EXPECT_THROW(same.add(other), Error);
}

TEST(CustomOperators, NodesAreCheckedAndUnknownOnesSayHowToRegister) {
  CustomOperators all;
  all.add(named("com.example", "Foo", "x:T", "y:T", "alpha:FLOAT=1;axes:INTS!"));
  Model model;
  model.opsets = {{"", 21}, {"com.example", 1}};
  model.graph.nodes = {{.domain = "com.example", .op = "Foo", .name = "n", .inputs = {"x"}, .outputs = {"y"}, .attributes = {{"axes", std::vector<int64_t>{1}}}}};
  check_nodes(model, all);
  Node& node = model.graph.nodes[0];
  const auto message = [&] {
    try {
      check_nodes(model, all);
      return std::string();
    } catch (const Error& e) {
      return e.message;
    }
  };
  node.attributes["alhpa"] = 2.0f;
  EXPECT_NE(message().find("node 'n' (com.example.Foo): attribute 'alhpa' is not in its registration"), std::string::npos) << message();
  node.attributes.erase("alhpa"), node.attributes.erase("axes");
  EXPECT_NE(message().find("attribute 'axes' is missing"), std::string::npos);
  node.inputs.push_back("z");
  EXPECT_NE(message().find("has 2 inputs, its registration allows 1"), std::string::npos);
  EXPECT_TRUE(missing_operators(model, all).empty());
  EXPECT_EQ(missing_operators(model).size(), 1u);
  try {
    modernise(model);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::unsupported_operator);
    EXPECT_NE(e.message.find("there is no operator com.example.Foo"), std::string::npos);
    EXPECT_NE(e.hint.find("register_custom_ops_library"), std::string::npos);
  }
}

}  // namespace
}  // namespace onward
