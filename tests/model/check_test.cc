// Every rule of the structural check, by its text; and the sorting of nodes.
#include "onward/model/check.h"

#include "expect_error.h"
#include "onward/model/onnx_file.h"
#include "onward/model/sort_nodes.h"
#include "onward/model/text.h"

namespace onward {
namespace {

Model model(std::string_view nodes, std::vector<std::string> inputs = {"x"}, std::vector<std::string> outputs = {"y"}) {
  Model m;
  m.opsets[""] = 21;
  m.graph = parse_nodes(nodes);
  m.graph.name = "g";
  for (auto& s : inputs) m.graph.inputs.push_back({s, {}, ""});
  for (auto& s : outputs) m.graph.outputs.push_back({s, {}, ""});
  return m;
}

GraphRef body(std::string_view nodes, std::string output) {
  auto g = std::make_shared<Graph>(parse_nodes(nodes));
  g->name = "body";
  g->outputs.push_back({std::move(output), {}, ""});
  return g;
}

Function function(std::string name, std::string_view nodes) {
  Function f;
  f.domain = "own", f.name = std::move(name);
  f.inputs = {"x"}, f.outputs = {"y"};
  f.nodes = parse_nodes(nodes).nodes;
  f.opsets = {{"", 21}, {"own", 1}};
  return f;
}

std::string found(const Model& m) { return thrown([&] { check(m); }); }
std::string found(std::string_view nodes) { return found(model(nodes)); }

}  // namespace

TEST(Check, AcceptsSoundModels) {
  EXPECT_EQ(found("a = Relu(x) y = Add(a, float [1])"), "");
  EXPECT_EQ(found("a, a2 = Split(x, , x) y = Add(a, a)"), "");
  Model m = model("c = Less(x, x) y = If(c)");
  m.graph.nodes[1].attributes["then_branch"] = body("t = Relu(x)", "t");         // reads from around it
  m.graph.nodes[1].attributes["else_branch"] = body("t = Neg(x)", "t");          // the same inner name, elsewhere
  m.functions = {function("F", "y = Relu(x)"), function("G", "a = own.F(x) y = own.F(a)")};
  EXPECT_EQ(found(m), "");
}

TEST(Check, ValuesAreMadeOnceAndBeforeTheyAreRead) {
  EXPECT_EQ(found("y = Relu(x) y = Neg(x)"), "E0303 node 'y' (Neg): makes 'y', which is already made");
  EXPECT_EQ(found("x = Relu(x) y = Neg(x)"), "E0303 node 'x' (Relu): makes 'x', which is already made");
  EXPECT_EQ(found("y = Relu(z)"), "E0303 node 'y' (Relu): reads 'z', which nothing makes");
  EXPECT_EQ(found("y = Relu(a) a = Neg(x)"), "E0303 node 'y' (Relu): reads 'a', which only node 'a' (Neg) makes, further down");
  EXPECT_EQ(found(model("a = Relu(x)")), "E0303 output 'y' of graph 'g' is made by nothing");
  EXPECT_EQ(found(model("y = Relu(x)", {"x", "x"})), "E0303 input 'x' of graph 'g' is declared twice");
  EXPECT_EQ(found(model("y = Relu(x)", {"x", ""})), "E0303 an input of graph 'g' has no name");
  EXPECT_EQ(found(model("y = Relu(x)", {"x"}, {"y", "y"})), "E0303 output 'y' of graph 'g' is declared twice");
}

TEST(Check, CyclesAreSpelledOut) {
  EXPECT_EQ(found("y = Relu(y)"), "E0303 node 'y' (Relu): the graph has a cycle: 'y' -> 'y'");
  EXPECT_EQ(found("a = Add(x, c) b = Relu(a) c = Neg(b) y = Relu(c)"), "E0303 node 'a' (Add): the graph has a cycle: 'a' -> 'b' -> 'c' -> 'a'");
  Model m = model("c = Less(x, x) y = If(c) z = Relu(y)");
  m.graph.nodes[1].attributes["then_branch"] = body("t = Relu(z)", "t");
  EXPECT_EQ(found(m), "E0303 node 't' (Relu): the graph has a cycle: 'y' -> 'z' -> 'y'");
}

TEST(Check, LongCyclesAreCutShort) {
  Model m = model("");
  for (int i = 0; i < 30; ++i) m.graph.nodes.push_back({.op = "Relu", .inputs = {text("v", (i + 29) % 30)}, .outputs = {text("v", i)}});
  EXPECT_EQ(found(m).substr(0, 60), "E0303 node 'v0' (Relu): the graph has a cycle: 'v0' -> 'v1' ");
  EXPECT_NE(found(m).find("'v9' -> … 20 more -> 'v0'"), std::string::npos) << found(m);
}

TEST(Check, NodesAreWhole) {
  Model m = model("y = Relu(x)");
  m.graph.nodes[0].op.clear();
  EXPECT_EQ(found(m), "E0303 node 'y' (): has no operator");
  m = model("y = Relu(x)");
  m.graph.nodes[0].outputs.clear();
  EXPECT_EQ(found(m), "E0303 node '?' (Relu): has no outputs");
  m = model("y = If(x)");
  m.graph.nodes[0].attributes["then_branch"] = GraphRef{};
  EXPECT_EQ(found(m), "E0303 node 'y' (If): an attribute is a graph that is not there");
}

TEST(Check, OpsetsAreSaid) {
  Model m = model("y = Relu(x)");
  m.opsets.clear();
  EXPECT_EQ(found(m), "E0303 the model does not say which opset it uses");
  m.opsets["ai.onnx.ml"] = 5;
  EXPECT_EQ(found(m), "E0303 node 'y' (Relu): the model does not say which opset of domain 'ai.onnx' it uses");
  EXPECT_EQ(found("y = ai.onnx.ml.Scaler(x)"), "E0303 node 'y' (ai.onnx.ml.Scaler): the model does not say which opset of domain 'ai.onnx.ml' it uses");
  m.opsets[""] = 0;
  EXPECT_EQ(found(m), "E0303 opset 0 of domain 'ai.onnx' is no version");
}

TEST(Check, SubgraphsSeeWhatWasMadeBeforeThem) {
  Model m = model("c = Less(x, x) y = If(c) z = Relu(x)");
  m.graph.nodes[1].attributes["then_branch"] = body("t = Relu(z)", "t");
  EXPECT_EQ(found(m), "E0303 node 't' (Relu): reads 'z', which only node 'z' (Relu) makes, further down");
  m = model("c = Less(x, x) y = If(c) z = Relu(t)");
  m.graph.nodes[1].attributes["then_branch"] = body("t = Relu(x)", "t");
  EXPECT_EQ(found(m), "E0303 node 'z' (Relu): reads 't', which nothing makes");
  m = model("y = If(x)");
  m.graph.nodes[0].attributes["then_branch"] = body("t = Relu(x)", "u");
  EXPECT_EQ(found(m), "E0303 output 'u' of graph 'body' is made by nothing");
  GraphRef deep = body("t = Relu(x)", "t");
  for (int i = 0; i < 70; ++i) {
    auto around = std::make_shared<Graph>(parse_nodes("t = If(x)"));
    around->nodes[0].attributes["then_branch"] = deep;
    deep = around;
  }
  m.graph.nodes[0].attributes["then_branch"] = deep;
  EXPECT_EQ(found(m), "E0503 graphs are nested more than 64 deep");
}

TEST(Check, Functions) {
  Model m = model("y = Relu(x)");
  const auto with = [&](std::vector<Function> functions) { return m.functions = std::move(functions), found(m); };
  EXPECT_EQ(with({function("F", "y = own.F(x)")}), "E0303 function own.F calls itself");
  EXPECT_EQ(with({function("F", "y = own.G(x)"), function("G", "y = own.F(x)")}), "E0303 function own.F calls itself");
  Function inside = function("F", "y = If(x)");
  inside.nodes[0].attributes["then_branch"] = body("t = own.F(x)", "t");
  EXPECT_EQ(with({inside}), "E0303 function own.F calls itself");
  EXPECT_EQ(with({function("F", "y = Relu(x)"), function("F", "y = Neg(x)")}), "E0303 function own.F is defined twice");
  EXPECT_EQ(with({function("", "y = Relu(x)")}), "E0303 a function of domain 'own' has no name");
  EXPECT_EQ(with({function("F", "y = Relu(z)")}), "E0303 function own.F: node 'y' (Relu): reads 'z', which nothing makes");
  EXPECT_EQ(with({function("F", "z = Relu(x)")}), "E0303 function own.F: output 'y' is made by nothing");
  EXPECT_EQ(with({function("F", "y = other.Op(x)")}), "E0303 function own.F: node 'y' (other.Op): the function does not say which opset of domain 'other' it uses");
  Function twice = function("F", "y = Relu(x)");
  twice.inputs = {"x", "x"};
  EXPECT_EQ(with({twice}), "E0303 function own.F: input 'x' is declared twice");
}

TEST(Check, AttributesOfACaller) {
  Model m = model("y = Relu(x)");
  m.graph.nodes[0].attributes["a"] = AttributeOfCaller{"b"};
  EXPECT_EQ(found(m), "E0303 node 'y' (Relu): attribute 'a' takes the caller's 'b', but this is no function's body");
  m = model("y = Relu(x)");
  m.functions = {function("F", "y = Relu(x)")};
  m.functions[0].nodes[0].attributes["a"] = AttributeOfCaller{"b"};
  EXPECT_EQ(found(m), "E0303 function own.F: node 'y' (Relu): attribute 'a' takes the caller's 'b', which the function does not declare");
  m.functions[0].attributes = {"b"};
  EXPECT_EQ(found(m), "");
  m.functions[0].attributes = {};
  m.functions[0].defaults["b"] = int64_t{1};
  EXPECT_EQ(found(m), "");
}

TEST(Check, FunctionsThatUnfoldWithoutBound) {
  Model m = model("y = own.F39(x)");
  m.opsets["own"] = 1;
  m.functions.push_back(function("F0", "y = Relu(x)"));
  for (int i = 1; i < 40; ++i) m.functions.push_back(function(text("F", i), text("a = own.F", i - 1, "(x) y = own.F", i - 1, "(a)")));
  EXPECT_EQ(found(m), "E0503 with its functions unfolded the model has more than 16777216 nodes");
}

TEST(SortNodes, PutsNodesInOrderAndKeepsThoseThatMayStay) {
  Model m = model("y = Add(b, c) b = Relu(a) a = Neg(x) c = Abs(x)");
  EXPECT_NE(found(m), "");
  sort_nodes(m.graph);
  EXPECT_EQ(found(m), "");
  std::string order;
  for (const Node& n : m.graph.nodes) order += n.outputs[0];
  EXPECT_EQ(order, "abcy");
}

TEST(SortNodes, KnowsWhatSubgraphsRead) {
  Model m = model("y = If(x) z = Relu(x)");
  m.graph.nodes[0].attributes["then_branch"] = body("t = Add(z, u) u = Neg(x)", "t");
  EXPECT_EQ(values_read(m.graph.nodes[0]), (std::vector<std::string>{"x", "z"}));
  sort_nodes(m.graph);
  EXPECT_EQ(m.graph.nodes[0].outputs[0], "z");
  EXPECT_EQ(found(m), "");
}

TEST(SortNodes, FilesOutOfOrderAreReadInOrder) {
  Model m = model("y = If(x) s = Relu(h) h = Cast(x)");                          // as converters to float16 write: casts at the end
  m.graph.nodes[0].attributes["then_branch"] = body("t = Add(s, u) u = Neg(x)", "t");
  m.functions = {function("F", "y = Neg(a) a = Relu(x)")};
  EXPECT_NE(found(m), "");
  const std::string bytes = write_model(m);
  const Model read = read_model(bytes);
  EXPECT_EQ(found(read), "");
  EXPECT_EQ(read.graph.nodes[0].outputs[0], "h");
  EXPECT_EQ(write_model(read_model(write_model(read))), write_model(read));
}

TEST(SortNodes, CyclesAreReadAndLeftToCheck) {
  const Model m = model("y = Relu(a) a = Neg(y)");
  const std::string bytes = write_model(m);
  EXPECT_EQ(found(read_model(bytes)), "E0303 node 'y' (Relu): the graph has a cycle: 'y' -> 'a' -> 'y'");
}

TEST(SortNodes, RefusesCycles) {
  Model m = model("d = Relu(c) a = Add(x, c) b = Relu(a) c = Neg(b) y = Relu(x)");
  EXPECT_EQ(thrown([&] { sort_nodes(m.graph); }), "E0303 node 'c' (Neg): the graph has a cycle: 'c' -> 'a' -> 'b' -> 'c'");
}

}  // namespace onward
