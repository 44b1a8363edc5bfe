// Models written for other opsets: what changes, what stays, what is refused. tests/conformance/run_opsets.py does the official suite.
#include "onward/opsets/convert_opsets.h"

#include "../model/expect_error.h"
#include "onward/base/refusal.h"
#include "onward/model/text.h"

namespace onward {
namespace {

ValueInfo floats(const std::string& name, std::vector<DimInfo> shape) { return {name, TypeInfo::tensor(DataType::f32, std::move(shape))}; }

// Of x (float [n, 3]) to y.
Model model_of(std::string_view nodes, int64_t opset, int64_t ml = 0) {
  Model m;
  m.opsets[""] = opset;
  if (ml) m.opsets["ai.onnx.ml"] = ml;
  m.graph = parse_nodes(nodes);
  m.graph.inputs = {floats("x", {{{}, "n"}, {3, {}}})};
  m.graph.outputs = {floats("y", {})};
  m.graph.outputs[0].type.shape = std::nullopt;
  m.metadata["owner"] = "someone";
  return m;
}

std::string operators(const Model& m) {
  std::string out;
  for (const Node& node : m.graph.nodes) out += text(out.empty() ? "" : " ", node.op);
  return out;
}

TEST(ConvertOpsets, KeepsNodesThatAreTheSame) {
  Model m = model_of("a = Relu(x)\n y = Exp(a)", 21);
  m.graph.nodes[0].name = "mine";
  EXPECT_EQ(convert_opsets(m, {{"", 13}}).changed, 1u);   // Relu took more types since; Exp did not
  EXPECT_EQ(operators(m), "Relu Exp");
  EXPECT_EQ(m.graph.nodes[0].name, "mine");
  EXPECT_EQ(m.metadata.at("owner"), "someone");
  EXPECT_EQ(m.opsets.at(""), 13);
  EXPECT_EQ(m.ir_version, 7);
}

TEST(ConvertOpsets, MakesConstantsAttributesAndDropsThem) {
  Model m = model_of("y = ReduceSum(x, int64 [-1])", 21);
  convert_opsets(m, {{"", 9}});
  EXPECT_EQ(std::get<std::vector<int64_t>>(m.graph.nodes[0].attributes.at("axes")), std::vector<int64_t>{1});
  EXPECT_TRUE(m.graph.initializers.empty());
  EXPECT_EQ(m.ir_version, 4);
}

TEST(ConvertOpsets, NamesTheNodeThatHasNoForm) {
  Model m = model_of("shape = Shape(x)\n y = ReduceSum(x, shape)", 21);
  m.graph.nodes[1].name = "sum/1";
  expect_error(Code::unsupported_operator, "node 'sum/1' (ReduceSum): there is no form in opset 11 of ai.onnx: its input 'axes' is computed", [&] { convert_opsets(m, {{"", 11}}); });
  EXPECT_EQ(m.opsets.at(""), 21);                         // as it was
  Model erf = model_of("y = Erf(x)", 21);
  expect_error(Code::unsupported_operator, "(Erf): there is no form in opset 8 of ai.onnx: operator Erf came with opset 9 of ai.onnx", [&] { convert_opsets(erf, {{"", 8}}); });
}

TEST(ConvertOpsets, NamesEveryNodeWithoutAFormAndTheOldestOpsetThatHasOne) {
  Model m = model_of("shape = Shape(x)\n a = ReduceSum(x, shape)\n b = Erf(a)\n c = Exp(b)\n d = ReduceMax(c, shape)\n y = Erf(d)", 21);
  const char* names[] = {"shape", "sum", "one", "exp", "max", "two"};
  for (size_t i = 0; i < 6; ++i) m.graph.nodes[i].name = names[i];
  try {
    convert_opsets(m, {{"", 8}});
    FAIL();
  } catch (const Refusal& e) {
    ASSERT_EQ(e.problems.size(), 3u) << e.message;
    EXPECT_EQ(e.problems[0].where, "node 'sum' (ReduceSum)");
    EXPECT_EQ(e.problems[0].hint, "the oldest opset of ai.onnx that has it is 13: --opset 13");
    EXPECT_EQ(e.problems[1].where, "node 'one' (Erf)");
    EXPECT_EQ(e.problems[1].also, std::vector<std::string>{"node 'two' (Erf)"});
    EXPECT_EQ(e.problems[1].hint, "the oldest opset of ai.onnx that has it is 9: --opset 9");
    EXPECT_EQ(e.problems[2].hint, "the oldest opset of ai.onnx that has it is 18: --opset 18");
  }
  convert_opsets(m, {{"", 18}});
  EXPECT_EQ(operators(m), "Shape ReduceSum Erf Exp ReduceMax Erf");
}

TEST(ConvertOpsets, RefusesVersionsThatDoNotExist) {
  Model m = model_of("y = Relu(x)", 21);
  expect_error(Code::usage, "opset 99 of ai.onnx: expected 7 to 28", [&] { convert_opsets(m, {{"", 99}}); });
  expect_error(Code::usage, "opset 6 of ai.onnx", [&] { convert_opsets(m, {{"", 6}}); });
  expect_error(Code::usage, "opset 9 of ai.onnx.ml: expected 1 to 5", [&] { convert_opsets(m, {{"ai.onnx.ml", 9}}); });
  expect_error(Code::usage, "com.example", [&] { convert_opsets(m, {{"com.example", 1}}); });
}

TEST(ConvertOpsets, MachineLearningFollowsTheRelease) {
  Model m = model_of("y = Relu(x)", 21, 5);
  convert_opsets(m, {{"", 15}});
  EXPECT_EQ(m.opsets.at("ai.onnx.ml"), 2);
  convert_opsets(m, {{"", 28}});
  EXPECT_EQ(m.opsets.at("ai.onnx.ml"), 2);                // goes up only when asked
  EXPECT_EQ(m.ir_version, 14);
}

TEST(ConvertOpsets, OldestFilesListTheirInitializersAsInputs) {
  Model m = model_of("y = MatMul(x, float [[1], [2], [3]])", 21);
  convert_opsets(m, {{"", 7}});
  EXPECT_EQ(m.ir_version, 3);
  EXPECT_EQ(m.graph.inputs.size(), 2u);
}

TEST(ConvertOpsets, SubgraphsAndTheirCapturesAreConverted) {
  Model m = model_of("c = Constant(; value=bool true)\n y = If(c)", 21);
  Graph branch = parse_nodes("r = ReduceSum(x, int64 [1])");
  branch.outputs = {floats("r", {})};
  for (const char* name : {"then_branch", "else_branch"}) m.graph.nodes[1].attributes[name] = std::make_shared<const Graph>(branch);
  convert_opsets(m, {{"", 12}});
  const Graph& inside = *std::get<GraphRef>(m.graph.nodes[1].attributes.at("then_branch"));
  EXPECT_TRUE(inside.nodes[0].attributes.contains("axes"));
}

TEST(ConvertOpsets, FunctionsStayWhereTheyCan) {
  for (const bool stays : {true, false}) {
    Model m = model_of("y = mine.F(x)", 21);
    m.opsets["mine"] = 1;
    Function f{.domain = "mine", .name = "F", .inputs = {"a"}, .outputs = {"b"}, .opsets = {{"", 21}}};
    f.nodes = {{.op = stays ? "Relu" : "Gelu", .inputs = {"a"}, .outputs = {"b"}}};
    m.functions = {f};
    convert_opsets(m, {{"", 15}});
    EXPECT_EQ(m.functions.size(), stays ? 1u : 0u);
    if (stays) { EXPECT_EQ(m.functions[0].opsets.at(""), 15); }
    EXPECT_EQ(operators(m), stays ? "F" : "Mul Erf Add Mul Mul");
  }
}

TEST(ConvertOpsets, RaisesWhatWasDeprecated) {
  Model m = model_of("y = Upsample(x; scales=[1.0, 2.0])", 7);
  convert_opsets(m, {{"", 28}});
  EXPECT_EQ(operators(m), "Constant Resize");
  Model scatter = model_of("y = Scatter(x, int64 [[0]], float [[1]])", 9);
  convert_opsets(scatter, {{"", 20}});
  EXPECT_EQ(operators(scatter), "ScatterElements");
}

TEST(ConvertOpsets, WidensTypesWhereTheAnswerIsTheSame) {
  Model m = model_of("h = Cast(x; to=6)\n m = Max(h, h)\n y = Cast(m; to=1)", 21);
  convert_opsets(m, {{"", 11}});
  EXPECT_EQ(operators(m), "Cast Cast Cast Max Cast Cast");
  Model words = model_of("t = Cast(x; to=8)\n e = Equal(t, t)\n y = Cast(e; to=1)", 21);
  expect_error(Code::unsupported_operator, "text is compared with text", [&] { convert_opsets(words, {{"", 15}}); });
}

}  // namespace
}  // namespace onward
