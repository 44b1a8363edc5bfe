// The text form of nodes and tensors.
#include "onward/model/text.h"

#include "expect_error.h"
#include "onward/model/onnx_file.h"

namespace onward {
namespace {

template <class T> T attribute(std::string_view s) {
  const Attribute a = parse_attribute(s);
  EXPECT_TRUE(std::holds_alternative<T>(a)) << s;
  return std::holds_alternative<T>(a) ? std::get<T>(a) : T{};
}

}  // namespace

TEST(Text, Nodes) {
  const Graph g = parse_nodes("flat = Flatten(x; axis=1)\ny, where = ai.onnx.ml.Scan(flat, , int64 [2]; largest=0, s=\"a\")");
  ASSERT_EQ(g.nodes.size(), 2u);
  EXPECT_EQ(g.nodes[0].op, "Flatten");
  EXPECT_EQ(g.nodes[0].outputs, std::vector<std::string>{"flat"});
  EXPECT_EQ(std::get<int64_t>(g.nodes[0].attributes.at("axis")), 1);
  EXPECT_EQ(g.nodes[1].domain, "ai.onnx.ml");
  EXPECT_EQ(g.nodes[1].op, "Scan");
  EXPECT_EQ(g.nodes[1].inputs, (std::vector<std::string>{"flat", "", "literal 0"}));
  EXPECT_EQ(g.initializers.at("literal 0").dims(), Dims{1});
  EXPECT_EQ(std::get<std::string>(g.nodes[1].attributes.at("s")), "a");
  EXPECT_TRUE(parse_nodes("  \n ").nodes.empty());
}

TEST(Text, FormulasInFormulas) {
  const Graph g = parse_nodes("y = Mul(Sqrt(x), ai.onnx.ml.Scaler(Add(x, float 1); scale=[2.0]); a=1)");
  ASSERT_EQ(g.nodes.size(), 4u);
  EXPECT_EQ(g.nodes[0].op, "Sqrt");
  EXPECT_EQ(g.nodes[1].op, "Add");
  EXPECT_EQ(g.nodes[2].domain, "ai.onnx.ml");
  EXPECT_EQ(g.nodes[2].inputs, g.nodes[1].outputs);
  EXPECT_EQ(g.nodes[3].inputs, (std::vector{g.nodes[0].outputs[0], g.nodes[2].outputs[0]}));
  std::string deep = "x";
  for (int i = 0; i < 1000; ++i) deep = "Neg(" + deep + ")";
  EXPECT_THROW(parse_nodes("y = " + deep), Error);
}

TEST(Text, AttributesOfTheEnclosingNode) {
  const Attribute axis = int64_t{3};
  const Graph g = parse_nodes("y = Op(x; a=@axis, b=@other)", [&](std::string_view name) { return name == "axis" ? &axis : nullptr; });
  EXPECT_EQ(std::get<int64_t>(g.nodes[0].attributes.at("a")), 3);
  EXPECT_FALSE(g.nodes[0].attributes.contains("b"));
}

TEST(Text, Tensors) {
  const Tensor t = parse_tensor("float [[1, 2.5], [-inf, 4e-3]]");
  EXPECT_EQ(t.dims(), (Dims{2, 2}));
  EXPECT_EQ(t.data<float>()[1], 2.5f);
  EXPECT_EQ(t.data<float>()[2], -INFINITY);
  EXPECT_TRUE(std::isnan(parse_tensor("double nan").data<double>()[0]));
  EXPECT_EQ(parse_tensor("int64 -7").dims(), Dims{});
  EXPECT_EQ(parse_tensor("float []").dims(), Dims{0});
  EXPECT_EQ(parse_tensor("float [[], []]").dims(), (Dims{2, 0}));
  EXPECT_EQ(parse_tensor("uint64 18446744073709551615").data<uint64_t>()[0], UINT64_MAX);
  EXPECT_EQ(parse_tensor("string [\"a\\\"\\\\\\n\", \"\"]").data<std::string>()[0], "a\"\\\n");
  EXPECT_EQ(parse_tensor("bool [true, false, 1]").data<bool>()[2], true);
  EXPECT_EQ(int64_t(parse_tensor("int4 [-8, 7]").data<int4>()[0]), -8);
  EXPECT_EQ(float(parse_tensor("float16 1.5").data<float16>()[0]), 1.5f);
  EXPECT_EQ(parse_tensor("complex64 2").data<std::complex<float>>()[0], std::complex<float>(2));
}

TEST(Text, Attributes) {
  EXPECT_EQ(attribute<int64_t>("-3"), -3);
  EXPECT_EQ(attribute<float>("1e-05f"), 1e-05f);
  EXPECT_EQ(attribute<float>("inf"), INFINITY);
  EXPECT_EQ(attribute<std::string>("\"NOTSET\""), "NOTSET");
  EXPECT_EQ(attribute<std::vector<int64_t>>("{0, 2, 3}"), (std::vector<int64_t>{0, 2, 3}));
  EXPECT_EQ(attribute<std::vector<float>>("[1, 2.5]"), (std::vector<float>{1, 2.5f}));
  EXPECT_EQ(attribute<std::vector<std::string>>("{\"Tanh\", \"Relu\"}"), (std::vector<std::string>{"Tanh", "Relu"}));
  EXPECT_EQ(attribute<std::vector<std::string>>("[ \"x\" ]"), std::vector<std::string>{"x"});
  EXPECT_EQ(attribute<Tensor>("int32 [1]").type(), DataType::i32);
}

TEST(Text, ErrorsSayWhatWasExpectedAndWhere) {
  const auto nodes = [](std::string_view s) { return thrown([&] { parse_nodes(s); }); };
  const auto tensor = [](std::string_view s) { return thrown([&] { parse_tensor(s); }); };
  const auto attribute = [](std::string_view s) { return thrown([&] { parse_attribute(s); }); };
  EXPECT_EQ(nodes("y = Op(x"), "E0305 expected ')' at the end");
  EXPECT_EQ(nodes("y Op(x)"), "E0305 expected '=' at 'Op(x)'");
  EXPECT_EQ(nodes("= Op(x)"), "E0305 expected a value's name at '= Op(x)'");
  EXPECT_EQ(nodes("y = (x)"), "E0305 expected an operator at '(x)'");
  EXPECT_EQ(nodes("y = Op(x; a=)"), "E0305 expected a value at ')'");
  EXPECT_EQ(nodes("y = Op(x; =1)"), "E0305 expected an attribute's name at '=1)'");
  EXPECT_EQ(nodes("y = Op(x; a=@)"), "E0305 expected an attribute's name at ')'");
  EXPECT_EQ(nodes("y = Op(x; a=\"b)"), "E0305 expected the closing \" of the text at '\"b)'");
  EXPECT_EQ(nodes("y = Op(floot [1])"), "E0305 expected an element type at 'floot [1])'");
  EXPECT_EQ(tensor("string \"a\\q\""), "E0305 expected one of \" \\ n t r behind a backslash at 'q\"'");
  EXPECT_EQ(tensor("undefined 1"), "E0305 expected an element type at 'undefined 1'");
  EXPECT_EQ(tensor("float [1, 2"), "E0305 expected ']' at the end");
  EXPECT_EQ(tensor("float [[1, 2], [3]]"), "E0305 expected lists of equal length at ']]'");
  EXPECT_EQ(tensor("float [[], 1]"), "E0305 expected lists of equal depth at '1]'");
  EXPECT_EQ(tensor("float [1, [2]]"), "E0305 expected lists of equal depth at '[2]]'");
  EXPECT_EQ(tensor("float [[1], 2]"), "E0305 expected lists of equal depth at '2]'");
  EXPECT_EQ(tensor("float " + std::string(100000, '[')).substr(0, 44), "E0305 expected at most 16 levels of lists at");
  EXPECT_EQ(tensor("float 1x"), "E0305 expected a number, found '1x'");
  EXPECT_EQ(tensor("uint8 300"), "E0305 expected an integer of the element type, found '300'");
  EXPECT_EQ(tensor("int2 2"), "E0305 expected an integer of the element type, found '2'");
  EXPECT_EQ(tensor("bool 2"), "E0305 expected true or false, found '2'");
  EXPECT_EQ(tensor("float 1 2"), "E0305 expected the end at '2'");
  EXPECT_EQ(attribute(""), "E0305 expected a value at the end");
  EXPECT_EQ(attribute("@a"), "E0305 expected a plain value at '@a'");
  EXPECT_EQ(attribute("[[1]]"), "E0305 expected a flat list at '[[1]]'");
  EXPECT_EQ(attribute("99999999999999999999"), "E0305 expected a number, found '99999999999999999999'");
}

}  // namespace onward
