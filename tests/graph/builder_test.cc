// The builder: equal nodes once, unneeded ones never, names without clashes, bodies that use the surrounding graph.
#include <gtest/gtest.h>

#include "onward/graph/math.h"

namespace onward {
namespace {

std::vector<std::string> ops(const Graph& g) {
  std::vector<std::string> out;
  for (const Node& n : g.nodes) out.push_back(n.op);
  return out;
}
using Ops = std::vector<std::string>;

TEST(Builder, WritesAFormulaOnce) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 3});
  const Numbers mean{1, 2, 3};
  const Expr a = (x - mean) * 2.0, b = (x - Numbers{1, 2, 3}) * 2.0;
  EXPECT_EQ(a.id, b.id);
  const Graph graph = g.graph({{"out", a + b}});
  EXPECT_EQ(ops(graph), (Ops{"Sub", "Mul", "Add"}));
  EXPECT_EQ(graph.initializers.size(), 2u);
}

TEST(Builder, LeavesOutWhatNoOutputNeeds) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 3});
  bool made = false;
  g.add_large(
      "TreeEnsemble", {x},
      [&] {
        made = true;
        return Attributes();
      },
      "t", Result{DataType::f64, {rows, 1}}, "ai.onnx.ml");
  (void)exp(x);
  const Graph graph = g.graph({{"out", x + 1.0}});
  EXPECT_EQ(ops(graph), (Ops{"Add"}));
  EXPECT_FALSE(made);
}

TEST(Builder, DeclaresTheBatchByName) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 3});
  const Graph graph = g.graph({{"out", sum(x)}});
  EXPECT_EQ(shown(graph.inputs[0].type), "double [batch, 3]");
  EXPECT_EQ(shown(graph.outputs[0].type), "double [batch, 1]");
}

TEST(Builder, AnInputMayBeCalledLikeAnOutputOrANode) {
  GraphBuilder g;
  const Expr x = g.input("label", DataType::f64, {rows, 1}), y = g.input("Add_0", DataType::f64, {rows, 1});
  const Graph graph = g.graph({{"label", x + y}});
  EXPECT_EQ(graph.inputs[0].name, "label");
  EXPECT_EQ(graph.outputs[0].name, "label_");
  EXPECT_EQ(graph.nodes[0].outputs[0], "label_");
  EXPECT_THROW(g.input("label", DataType::f64, {rows, 1}), Error);
}

TEST(Builder, AnInputMayBeAnOutput) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 1});
  const Expr y = x + 1.0;
  const Graph graph = g.graph({{"a", x}, {"b", y}, {"c", y}});
  EXPECT_EQ(ops(graph), (Ops{"Add", "Identity", "Identity"}));
  EXPECT_EQ(graph.nodes[2].inputs[0], "b");
}

TEST(Builder, ABodyUsesTheSurroundingGraph) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 2});
  const Expr outer = x * 3.0;
  auto body = g.body();
  const Expr step = body->input("step", DataType::i64, {}), go = body->input("go", DataType::b8, {}),
             v = body->input("v", DataType::f64, {rows, 2});
  (void)step;
  const GraphRef done = body->finish({go, v + body->outer(outer)});
  const Expr out = g.add("Loop", {g.constant(Tensor::scalar<int64_t>(3)), g.constant(Tensor::scalar(true)), x}, {{"body", done}},
                         Result{DataType::f64, {rows, 2}});
  const Graph graph = g.graph({{"out", out}});
  EXPECT_EQ(ops(graph), (Ops{"Mul", "Loop"}));
  EXPECT_EQ(done->nodes[0].inputs[1], graph.nodes[0].outputs[0]);
  EXPECT_EQ(graph.nodes[1].inputs.size(), 3u);
}

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.message;
  }
  return "no error";
}

TEST(Formulas, AnErrorNamesItsLine) {
  GraphBuilder g;
  const Expr x = g.input("X", DataType::f64, {rows, 4});
  const int line = __LINE__ + 1;
  const std::string said = message([&] { (void)(x / Numbers{1, 2, 3, 4, 5}); });
  EXPECT_EQ(said, text("builder_test.cc:", line, ": Div of double [batch, 4] and double [5]: the shapes do not fit"));
}

TEST(Formulas, TheFirstUseSaysWhatAnInputIs) {
  GraphBuilder g;
  const Expr x = g.input("city", DataType::none, {rows, 1});
  as_strings(x);
  EXPECT_EQ(x.type(), DataType::str);
  EXPECT_EQ(message([&] { as_numbers(x); }), "'city' holds strings; numbers are needed");
}

TEST(Arrays, IndexingIsChecked) {
  const Numbers a{1, 2, 3};
  EXPECT_EQ(a[2], 3);
  EXPECT_THROW(a[3], Error);
  EXPECT_THROW(a[-1], Error);
  EXPECT_THROW(a.dim(1), Error);
  EXPECT_THROW(a.reshaped({2, 2}), Error);
  EXPECT_THROW(Numbers::of({int64_t{1} << 40}, [](int64_t) { return 0.0; }), Error);
}

}  // namespace
}  // namespace onward
