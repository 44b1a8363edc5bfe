// Types and shapes told without running: symbolic sizes, values of shape arithmetic, subgraphs, functions, contradictions.
#include "onward/ops/infer_types.h"

#include <gtest/gtest.h>

#include "onward/model/text.h"

namespace onward {
namespace {

TypeInfo floats(std::vector<DimInfo> shape) { return TypeInfo::tensor(DataType::f32, std::move(shape)); }
DimInfo named(std::string name) { return {{}, std::move(name)}; }
DimInfo size(int64_t n) { return {n, {}}; }

Model model_of(const char* nodes, std::vector<ValueInfo> inputs, const std::vector<std::string>& outputs) {
  Model m;
  m.opsets = {{"", 24}, {"ai.onnx.ml", 5}};
  m.graph = parse_nodes(nodes);
  m.graph.inputs = std::move(inputs);
  for (const std::string& name : outputs) m.graph.outputs.push_back({name, {}});
  return m;
}

std::string inferred(const Model& model, const std::string& value) {
  const InferredTypes types = infer_types(model);
  EXPECT_TRUE(types.problems.empty()) << types.problems.front().message;
  const auto it = types.graph.values.find(value);
  return it == types.graph.values.end() ? "not there" : shown(it->second);
}

std::string problem(const Model& model) {
  try {
    check_types(model);
  } catch (const Error& e) {
    EXPECT_EQ(e.code, Code::bad_model);
    return e.message;
  }
  return "none";
}

const std::vector<ValueInfo> hidden{{"x", floats({named("batch"), named("seq"), size(768)})}};

TEST(InferTypes, HeadsOfATransformer) {
  const Model m = model_of(R"(
      shape = Shape(x)
      rows = Gather(shape, int64 [0])
      steps = Gather(shape, int64 [1])
      target = Concat(rows, steps, int64 [12, 64]; axis=0)
      split = Reshape(x, target)
      heads = Transpose(split; perm=[0, 2, 1, 3])
      tokens = Mul(rows, steps)
      flat_shape = Concat(tokens, int64 [-1]; axis=0)
      flat = Reshape(x, flat_shape)
      twice = Concat(flat, flat; axis=0))", hidden, {"heads", "twice"});
  EXPECT_EQ(inferred(m, "split"), "float [batch, seq, 12, 64]");
  EXPECT_EQ(inferred(m, "heads"), "float [batch, 12, seq, 64]");
  EXPECT_EQ(inferred(m, "flat"), "float [batch*seq, 768]");
  EXPECT_EQ(inferred(m, "twice"), "float [2*batch*seq, 768]");
}

TEST(InferTypes, ArithmeticOnShapes) {
  const auto of = [](const char* nodes) { return inferred(model_of(nodes, hidden, {"y"}), "y"); };
  EXPECT_EQ(of("s = Shape(x; start=1, end=2)\n t = Add(s, int64 [1])\n y = ConstantOfShape(t)"), "float [seq + 1]");
  EXPECT_EQ(of("s = Shape(x; start=1, end=2)\n t = Div(s, int64 [2])\n y = ConstantOfShape(t)"), "float [floor(seq/2)]");
  EXPECT_EQ(of("s = Shape(x; start=1, end=2)\n t = Max(s, int64 [7])\n y = ConstantOfShape(t)"), "float [max(seq, 7)]");
  EXPECT_EQ(of("s = Shape(x)\n p = ReduceProd(s, int64 [0])\n y = Reshape(x, p)"), "float [768*batch*seq]");
  EXPECT_EQ(of("s = Shape(x)\n a, b = Split(s, int64 [2, 1])\n y = Expand(float 1, a)"), "float [batch, seq]");
  EXPECT_EQ(of("s = Shape(x; start=1, end=2)\n n = Squeeze(s)\n y = Range(int64 0, n, int64 1)"), "int64 [seq]");
  EXPECT_EQ(of("s = Shape(x)\n f = Cast(s; to=6)\n i = Cast(f; to=7)\n y = Expand(float 1, i)"), "float [batch, seq, 768]");
  EXPECT_EQ(of("s = Shape(x)\n e = Equal(s, int64 [-1])\n w = Where(e, int64 [1], s)\n y = Expand(float 1, w)"), "float [batch, seq, 768]");
  EXPECT_EQ(of("y = Slice(x, int64 [0], int64 [-1], int64 [1])"), "float [batch, max(seq - 1, 0), 768]");
  EXPECT_EQ(of("y = Slice(x, int64 [-1], int64 [-9223372036854775807], int64 [1], int64 [-1])"), "float [batch, seq, 768]");
  EXPECT_EQ(of("y = Pad(x, int64 [0, 1, 0, 0, 2, 0])"), "float [batch, seq + 3, 768]");
  EXPECT_EQ(of("a, y = Split(x; axis=2, num_outputs=2)"), "float [batch, seq, 384]");
  EXPECT_EQ(of("s = Shape(x)\n y = NonZero(s)"), "int64 [1, unk_0]");
}

TEST(InferTypes, ConvolutionsOfSymbolicSizes) {
  const std::vector<ValueInfo> image{{"x", floats({named("n"), size(3), named("h"), named("w")})}, {"k", floats({size(8), size(3), size(3), size(3)})}};
  EXPECT_EQ(inferred(model_of("y = Conv(x, k; pads=[1, 1, 1, 1])", image, {"y"}), "y"), "float [n, 8, h, w]");
  EXPECT_EQ(inferred(model_of("y = Conv(x, k; pads=[1, 1, 1, 1], strides=[2, 2])", image, {"y"}), "y"), "float [n, 8, floor((h + 1)/2), floor((w + 1)/2)]");
  EXPECT_EQ(inferred(model_of("y = Conv(x, k; auto_pad=\"SAME_UPPER\", strides=[2, 1])", image, {"y"}), "y"), "float [n, 8, floor((h + 1)/2), w]");
  EXPECT_EQ(inferred(model_of("y = MaxPool(x; kernel_shape=[2, 2], strides=[2, 2])", image, {"y"}), "y"), "float [n, 3, floor(h/2), floor(w/2)]");
  EXPECT_EQ(inferred(model_of("y = Resize(x, , float [1, 1, 2, 0.5])", image, {"y"}), "y"), "float [n, 3, 2*h, floor(w/2)]");
}

TEST(InferTypes, NamesThatAreSums) {
  const std::vector<ValueInfo> inputs{{"past", floats({named("batch"), named("past")})}, {"x", floats({named("batch"), named("seq")})}, {"mask", floats({named("batch"), named("past + seq")})}};
  const Model m = model_of("all = Concat(past, x; axis=1)\n y = Add(all, mask)", inputs, {"y"});
  EXPECT_EQ(inferred(m, "all"), "float [batch, past + seq]");
  EXPECT_EQ(inferred(m, "y"), "float [batch, past + seq]");
}

TEST(InferTypes, OldOpsetsAndOperatorsUnknownHere) {
  Model old = model_of("y = Squeeze(x; axes=[2])\n z = Foo(y)\n w = Neg(z)", {{"x", floats({named("n"), size(4), size(1)})}}, {"w"});
  old.opsets[""] = 7;
  EXPECT_EQ(inferred(old, "y"), "float [n, 4]");
  EXPECT_EQ(inferred(old, "w"), "?");
}

TEST(InferTypes, FunctionsOfTheModel) {
  Model m = model_of("y = own.Twice(x)", hidden, {"y"});
  m.opsets["own"] = 1;
  m.functions.push_back({.domain = "own", .name = "Twice", .inputs = {"a"}, .outputs = {"b"}, .nodes = parse_nodes("b = Concat(a, a; axis=1)").nodes, .opsets = {{"", 24}}});
  EXPECT_EQ(inferred(m, "y"), "float [batch, 2*seq, 768]");
}

GraphRef body(const char* nodes, std::vector<ValueInfo> inputs, const std::vector<std::string>& outputs) {
  return std::make_shared<const Graph>(model_of(nodes, std::move(inputs), outputs).graph);
}

TEST(InferTypes, BranchesAreJoined) {
  Model m = model_of("y = If(c)", {{"c", TypeInfo::tensor(DataType::b8, std::vector<DimInfo>{})}, hidden[0]}, {"y"});
  m.graph.nodes[0].attributes = {{"then_branch", body("a = Relu(x)", {}, {"a"})}, {"else_branch", body("b = Concat(x, x; axis=1)", {}, {"b"})}};
  EXPECT_EQ(inferred(m, "y"), "float [batch, unk_0, 768]");
  const InferredTypes types = infer_types(m);
  EXPECT_EQ(shown(types.graph.bodies.at("y/else_branch").values.at("b")), "float [batch, 2*seq, 768]");
}

Model loop(const char* nodes) {
  Model m = model_of("last, all = Loop(int64 5, , x)", {{"x", floats({named("n")})}}, {"last", "all"});
  m.graph.nodes[0].attributes = {{"body", body(nodes, {{"i", {}}, {"c", {}}, {"state", {}}}, {"go", "next", "each"})}};
  return m;
}

TEST(InferTypes, LoopsThatKeepTheirShapes) {
  const Model m = loop("go = Identity(c)\n next = Neg(state)\n each = Abs(next)");
  EXPECT_EQ(inferred(m, "last"), "float [n]");
  EXPECT_EQ(inferred(m, "all"), "float [5, n]");
}

TEST(InferTypes, LoopsThatGrow) {
  const Model m = loop("go = Less(i, int64 3)\n next = Concat(state, state; axis=0)\n each = Neg(x)");
  EXPECT_EQ(inferred(m, "last"), "float [unk_" + inferred(m, "last").substr(11));       // of no size that is known
  EXPECT_TRUE(inferred(m, "all").ends_with(", n]"));
}

TEST(InferTypes, ItemsOfSequences) {
  const char* nodes = R"(
      twice = Concat(x, x; axis=1)
      both = SequenceConstruct(x, twice)
      first = SequenceAt(both, int64 0)
      second = SequenceAt(both, int64 1)
      y = Concat(first, second; axis=1))";
  const Model m = model_of(nodes, hidden, {"y"});
  EXPECT_EQ(inferred(m, "both"), "seq(float [batch, ?, 768])");
  EXPECT_NE(inferred(m, "first"), inferred(m, "second"));
}

TEST(CheckTypes, NamesTheNodeThatContradicts) {
  Model m = model_of("h = Relu(x)\n y = Flatten(h)", {{"x", floats({size(2), size(3)})}}, {"y"});
  EXPECT_EQ(problem(m), "none");
  m.graph.values = {{"h", floats({size(2), size(4)})}};
  EXPECT_EQ(problem(m), "node 'h' (Relu): output 'h' is declared as float [2, 4], inferred as float [2, 3]");
  m.graph.values.clear();
  m.graph.outputs[0].type = TypeInfo::tensor(DataType::i64);
  EXPECT_EQ(problem(m), "node 'y' (Flatten): output 'y' is declared as int64, inferred as float [2, 3]");
  const Model wrong = model_of("y = MatMul(x, x)", {{"x", floats({size(2), size(3)})}}, {"y"});
  EXPECT_EQ(problem(wrong), "node 'y' (MatMul): cannot multiply [2, 3] by [2, 3]");
}

TEST(CheckTypes, DeclaredSizesFillWhatIsUnknown) {
  Model m = model_of("where = NonZero(x)\n y = Transpose(where)", {{"x", floats({size(9)})}}, {"y"});
  m.graph.values = {{"where", TypeInfo::tensor(DataType::i64, std::vector<DimInfo>{size(1), named("found")})}};
  EXPECT_EQ(inferred(m, "y"), "int64 [found, 1]");
}

TEST(WriteTypes, KeepsWhatTheFileSays) {
  Model m = model_of("h = Relu(x)\n y = Flatten(h)", hidden, {"y"});
  m.graph.outputs[0].type = floats({named("rows"), DimInfo{}});
  write_types(m, infer_types(m).graph);
  EXPECT_EQ(shown(m.graph.outputs[0].type), "float [rows, 768*seq]");
  ASSERT_EQ(m.graph.values.size(), 1u);
  EXPECT_EQ(shown(m.graph.values[0].type), "float [batch, seq, 768]");
}

TEST(InferTypes, HostileArithmeticEnds) {
  std::string nodes = "s0 = Shape(x; start=0, end=1)\n";
  for (int i = 0; i < 200; ++i) nodes += text("s", i + 1, " = Mul(s", i, ", s", i, ")\n");     // degree 2^200
  nodes += "y = ConstantOfShape(s200)";
  EXPECT_TRUE(inferred(model_of(nodes.c_str(), hidden, {"y"}), "y").starts_with("float [unk_"));
  std::string wide = "a0 = Shape(x; start=1, end=2)\n";
  for (int i = 0; i < 100; ++i) wide += text("b", i, " = Div(a", i, ", int64 [3])\n", "a", i + 1, " = Add(a", i, ", b", i, ")\n");
  wide += "y = ConstantOfShape(a100)";
  EXPECT_TRUE(inferred(model_of(wide.c_str(), hidden, {"y"}), "y").starts_with("float ["));
  const Model overflow = model_of("s = Shape(x; start=0, end=1)\n m = Mul(s, int64 [9223372036854775807])\n n = Mul(m, m)\n y = ConstantOfShape(n)", hidden, {"y"});
  EXPECT_TRUE(inferred(overflow, "y").starts_with("float ["));
}

}  // namespace
}  // namespace onward
