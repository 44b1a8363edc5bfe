// What sessions alone do to a graph: which nodes become onward.Dense, and which run by rows together.
#include <gtest/gtest.h>

#include "onward/model/text.h"
#include "onward/optimizer/optimizer.h"

namespace onward {
namespace {

constexpr const char* weights = "double [[1, 2, 3], [4, 5, 6]]";

Graph graph(const std::string& nodes, const std::vector<std::string>& outputs, std::vector<DimInfo> shape = {{{}, "batch"}, {2, ""}}) {
  Graph g = parse_nodes(nodes);
  g.inputs.push_back({"x", TypeInfo::tensor(DataType::f64, std::move(shape)), {}});
  for (const std::string& name : outputs) g.outputs.push_back({name, {}, {}});
  return g;
}

std::string ops(const Graph& g) {
  std::string out;
  for (const Node& n : g.nodes) {
    out += (out.empty() ? "" : " ") + n.op;
    if (n.op == "ByRows") out += "(" + ops(*std::get<GraphRef>(n.attributes.at("body"))) + ")";
  }
  return out;
}

std::string after(Graph g, std::vector<std::string> disabled) {
  optimize_for_session(g, {.disabled = std::move(disabled)});
  return ops(g);
}

std::string fused(Graph g) { return after(std::move(g), {"run-by-rows"}); }
std::string by_rows(Graph g) { return after(std::move(g), {"fuse-dense"}); }

TEST(FuseDense, TakesBiasAndRectifier) {
  const std::string product = std::string("m = MatMul(x, ") + weights + ")\n ";
  EXPECT_EQ(fused(graph(product + "b = Add(m, double [1, 2, 3])\n y = Max(b, double 0)", {"y"})), "Dense");
  EXPECT_EQ(fused(graph(product + "b = Sub(m, double 1)\n y = Relu(b)", {"y"})), "Dense");
  EXPECT_EQ(fused(graph(product + "y = Max(double 0, m)", {"y"})), "Dense");
  EXPECT_EQ(fused(graph(product + "y = Exp(m)", {"y"})), "MatMul Exp");
}

TEST(FuseDense, TakesABiasOfOneRowWhereTheProductIsAMatrix) {
  const std::string add = std::string("m = MatMul(c, ") + weights + ")\n b = Add(m, double [[1, 2, 3]])\n y = Relu(b)";
  EXPECT_EQ(fused(graph("c = Cast(x; to=11)\n " + add, {"y"})), "Dense");
  EXPECT_EQ(fused(graph("a = Add(double [1, 2], x)\n c = Tanh(a)\n " + add, {"y"})), "Add Tanh Dense");
  EXPECT_EQ(fused(graph("c = Tanh(x)\n " + add, {"y"}, {{2, ""}})), "Tanh MatMul Add Relu") << "the bias adds an axis";
  EXPECT_EQ(fused(graph("c = Reshape(x, int64 [2])\n " + add, {"y"})), "Reshape MatMul Add Relu") << "whose rank is not sought";
}

TEST(FuseDense, TakesAPowerOfTwoIntoTheWeights) {
  const std::string product = std::string("m = MatMul(x, ") + weights + ")\n ";
  EXPECT_EQ(fused(graph(product + "b = Mul(double -2, m)\n y = Add(double [1, 2, 3], b)", {"y"})), "Dense");
  EXPECT_EQ(fused(graph(product + "y = Mul(m, double [0.25])", {"y"})), "Dense");
  EXPECT_EQ(fused(graph(product + "y = Mul(m, double 3)", {"y"})), "MatMul Mul") << "rounds otherwise";
  EXPECT_EQ(fused(graph(product + "y = Mul(m, double 8.98846567431158e307)", {"y"})), "MatMul Mul") << "the weights would be infinite";
  EXPECT_EQ(fused(graph(product + "y = Mul(m, double [2, 2, 2])", {"y"})), "MatMul Mul");
}

TEST(FuseColumns, LeavesNumbersThatGoOnIntoAnotherProduct) {
  const std::string scaled = std::string("a = Sub(x, double [1, 2])\n b = Div(a, double [3, 4])\n m = MatMul(b, ") + weights + ")\n ";
  EXPECT_EQ(fused(graph(scaled + "c = Sub(m, double [1, 2, 3])\n y = MatMul(c, double [[1], [2], [3]])", {"y"})), "Sub Div Dense MatMul");
  EXPECT_EQ(fused(graph(scaled + "y = Add(m, double [1, 2, 3])", {"y"})), "ProductOfColumns");
}

TEST(FuseDense, LeavesWhatIsSomethingElse) {
  const std::string product = std::string("m = MatMul(x, ") + weights + ")\n ";
  EXPECT_EQ(fused(graph(product + "y = Sub(double 1, m)", {"y"})), "MatMul Sub");
  EXPECT_EQ(fused(graph(product + "y = Add(m, double [[1], [2]])", {"y"})), "MatMul Add");
  EXPECT_EQ(fused(graph(product + "y = Max(m, double 1)", {"y"})), "MatMul Max");
  EXPECT_EQ(fused(graph(product + "y = Max(m, double -0.0)", {"y"})), "MatMul Max");
  EXPECT_EQ(fused(graph(product + "y = Add(m, m)", {"y"})), "MatMul Add");
  EXPECT_EQ(fused(graph(product + "b = Add(m, double 1)\n y = Max(b, double 0)", {"y", "b"})), "Dense Max") << "b is returned";
  EXPECT_EQ(fused(graph(product + "b = Add(m, double 1)\n y = Max(b, double 0)", {"y", "m"})), "MatMul Add Max") << "m is returned";
  EXPECT_EQ(fused(graph("m = MatMul(x, x)\n y = Add(m, double 1)", {"y"})), "MatMul Add");
}

TEST(FuseNearestRows, TakesDistancesAndTopK) {
  const std::string off = "r = Reshape(x, int64 [0, 1, 2])\n o = Sub(r, double [[1, 2], [3, 4]])\n ";
  const std::string squares = off + "s = Mul(o, o)\n d = ReduceSum(s, int64 [2]; keepdims=0)\n ", sizes = off + "s = Abs(o)\n d = ReduceMax(s, int64 [-1]; keepdims=0)\n ";
  const std::string smallest = "y, z = TopK(d, int64 [1]; largest=0)";
  EXPECT_EQ(fused(graph(squares + smallest, {"y", "z"})), "NearestRows");
  EXPECT_EQ(fused(graph(sizes + smallest, {"z"})), "NearestRows");
  EXPECT_EQ(fused(graph(squares + "y, z = TopK(d, int64 [1])", {"y", "z"})), "Reshape Sub Mul ReduceSum TopK") << "the farthest";
  EXPECT_EQ(fused(graph(squares + smallest, {"y", "d"})), "Reshape Sub Mul ReduceSum TopK") << "the distances are returned";
  EXPECT_EQ(fused(graph(off + "s = Mul(o, o)\n d = ReduceMax(s, int64 [2]; keepdims=0)\n " + smallest, {"y"})), "Reshape Sub Mul ReduceMax TopK");
  EXPECT_EQ(fused(graph(off + "s = Mul(o, o)\n d = ReduceSum(s, int64 [1]; keepdims=0)\n " + smallest, {"y"})), "Reshape Sub Mul ReduceSum TopK");
}

TEST(FuseNearestRows, TakesAllDistancesToManyRows) {
  const auto to_rows = [](int64_t count, const std::string& more) {
    Graph g = graph("r = Reshape(x, int64 [0, 1, 2])\n o = Sub(r, rows)\n s = Mul(o, o)\n " + more, {"y"});
    g.initializers["rows"] = Tensor::of<double>({count, 2}, std::vector<double>(size_t(2 * count), 0.5));
    return g;
  };
  const std::string distances = "d = ReduceSum(s, int64 [-1]; keepdims=0)\n y = Exp(d)";
  EXPECT_EQ(fused(to_rows(32, distances)), "RowDistances Exp");
  EXPECT_EQ(fused(to_rows(31, distances)), "Reshape Sub Mul ReduceSum Exp");
  EXPECT_EQ(fused(to_rows(32, "y = ReduceSum(s, int64 [-1]; keepdims=0)")), "RowDistances");
  EXPECT_EQ(fused(to_rows(32, "y = ReduceSum(s, int64 [-1])")), "Reshape Sub Mul ReduceSum");
}

TEST(FuseRadialKernel, TakesTheProductWithWeights) {
  const auto kernel = [](const std::string& distance) {
    return "p = MatMul(x, " + std::string(weights) + ")\n q = Mul(x, x)\n r = ReduceSum(q, int64 [1])\n " + distance + "\n a = Add(d, double [1, 2, 3])\n m = Max(a, double 0)\n g = Mul(double -0.5, m)\n e = Exp(g)\n ";
  };
  const std::string minus = kernel("t = Mul(double 2, p)\n d = Sub(r, t)"), plus = kernel("t = Mul(p, double -2)\n d = Add(t, r)"), product = "y = MatMul(e, double [[1], [2], [3]])";
  EXPECT_EQ(fused(graph(minus + product, {"y"})), "Mul ReduceSum RadialKernel");
  EXPECT_EQ(fused(graph(plus + product, {"y"})), "Mul ReduceSum RadialKernel");
  EXPECT_EQ(fused(graph(plus + product, {"y", "e"})), "Mul ReduceSum RadialKernel MatMul") << "the kernel is returned";
  const std::string all = "MatMul Mul ReduceSum Mul Sub Add Max Mul Exp MatMul";
  const std::string doubled = "Dense Mul ReduceSum Sub Add Max Mul Exp MatMul";   // the 2 is in the weights
  EXPECT_EQ(fused(graph(minus + product, {"y", "d"})), doubled) << "d is returned";
  EXPECT_EQ(fused(graph(kernel("t = Mul(double 3, p)\n d = Sub(r, t)") + product, {"y"})), all);
  EXPECT_EQ(fused(graph(kernel("t = Mul(double 2, p)\n d = Sub(t, r)") + product, {"y"})), doubled);
  EXPECT_EQ(fused(graph(kernel("t = Mul(double 2, p)\n z = Mul(r, r)\n d = Sub(z, t)") + product, {"y"})), "Dense Mul ReduceSum Mul Sub Add Max Mul Exp MatMul") << "no lengths";
}

TEST(DropInputCasts, TakesThoseToTheDeclaredType) {
  EXPECT_EQ(fused(graph("a = Cast(x; to=11)\n b = Cast(x; to=11)\n y = Mul(a, b)", {"y"})), "Mul");
  EXPECT_EQ(fused(graph("a = Cast(x; to=1)\n y = Exp(a)", {"y"})), "Cast Exp") << "to float";
  EXPECT_EQ(fused(graph("y = Cast(x; to=11)", {"y"})), "Cast") << "an output";
  EXPECT_EQ(fused(graph("e = Exp(x)\n a = Cast(e; to=11)\n y = Neg(a)", {"y"})), "Exp Cast Neg") << "of what is no input";
}

TEST(FuseNearestRows, TakesCDistAndTopK) {
  const auto nearest = [](const std::string& metric) { return "d = com.microsoft.CDist(x, double [[1, 2], [3, 4]]" + metric + ")\n y, z = TopK(d, int64 [1]; largest=0)"; };
  EXPECT_EQ(fused(graph(nearest(""), {"y", "z"})), "NearestRows");
  EXPECT_EQ(fused(graph(nearest("; metric=\"euclidean\""), {"z"})), "NearestRows");
  EXPECT_EQ(fused(graph(nearest("; metric=\"cosine\""), {"z"})), "CDist TopK");
  EXPECT_EQ(fused(graph(nearest(""), {"y", "d"})), "CDist TopK") << "the distances are returned";
}

TEST(FuseNgramProducts, TakesAConstantMatrix) {
  const std::string counts = "c = com.onward.NgramHashes(x; n_features=2)\n ", product = std::string("m = MatMul(c, ") + weights + ")\n ";
  const Graph whole = graph(counts + product + "y = Add(m, double [1, 2, 3])", {"y"});
  EXPECT_EQ(fused(whole), "NgramHashes Add");
  Graph g = whole;
  optimize_for_session(g, {.disabled = {"run-by-rows"}});
  ASSERT_EQ(g.nodes[0].inputs.size(), 3u);
  EXPECT_EQ(g.nodes[0].inputs[1], "") << "no weights";
  EXPECT_EQ(fused(graph(counts + product + "y = Exp(m)", {"y", "c"})), "NgramHashes MatMul Exp") << "c is returned";
  EXPECT_EQ(fused(graph(counts + "y = MatMul(c, c)", {"y"})), "NgramHashes MatMul");
}

TEST(RunByRows, TakesWhatTreatsEveryRowOnItsOwn) {
  const auto taken = [](const std::string& nodes) { return by_rows(graph(nodes, {"y"})); };
  EXPECT_EQ(taken("a = Sub(x, double [1, 2])\n y = Div(a, double [[3, 4]])"), "ByRows(Sub Div)");
  EXPECT_EQ(taken("a = Reshape(x, int64 [-1, 1, 2])\n b = Sub(a, double [[1, 2], [3, 4], [5, 6]])\n y = ReduceSum(b, int64 [-1]; keepdims=0)"), "ByRows(Reshape Sub ReduceSum)");
  EXPECT_EQ(taken("a = Exp(x)\n s = ReduceSum(a, int64 [1])\n b = Div(a, s)\n y = Concat(b, a; axis=-1)"), "ByRows(Exp ReduceSum Div Concat)");
  EXPECT_EQ(taken("a = ArgMax(x; axis=1)\n y = Gather(int64 [7, 8], a)"), "ByRows(ArgMax Gather)");
}

TEST(RunByRows, LeavesWhatLooksAtOtherRows) {
  const auto taken = [](const std::string& nodes) { return by_rows(graph(nodes, {"y"})); };
  EXPECT_EQ(taken("a = Exp(x)\n y = ReduceSum(a, int64 [0])"), "Exp ReduceSum");
  EXPECT_EQ(taken("a = Exp(x)\n y = ReduceSum(a)"), "Exp ReduceSum");
  EXPECT_EQ(taken("a = Exp(x)\n y = Softmax(a; axis=0)"), "Exp Softmax");
  EXPECT_EQ(taken("a = Exp(x)\n y = Softmax(a; axis=-2)"), "Exp Softmax");
  EXPECT_EQ(taken("a = Exp(x)\n y = Add(a, double [[1, 2], [3, 4]])"), "Exp Add");
  EXPECT_EQ(taken("a = Exp(x)\n y = Reshape(a, int64 [-1])"), "Exp Reshape");
  EXPECT_EQ(taken("a = Exp(x)\n y = Reshape(a, int64 [2, -1])"), "Exp Reshape");
  EXPECT_EQ(taken("a = Exp(x)\n y = Transpose(a; perm=[1, 0])"), "Exp Transpose");
  EXPECT_EQ(taken("a = Exp(x)\n y = Concat(a, a; axis=0)"), "Exp Concat");
  EXPECT_EQ(taken("a = Exp(x)\n y = Gather(a, int64 [0])"), "Exp Gather");
  EXPECT_EQ(taken("a = Exp(x)\n y = TopK(a, int64 [1]; axis=0)"), "Exp TopK");
  EXPECT_EQ(taken("a = Reshape(x, int64 [0, 2, 1])\n b = Transpose(x; perm=[1, 0])\n y = Mul(a, b)"), "Reshape Transpose Mul");
}

TEST(RunByRows, NeedsToKnowWhichAxisIsTheBatch) {
  EXPECT_EQ(by_rows(graph("a = Exp(x)\n y = Neg(a)", {"y"}, {{5, ""}, {2, ""}})), "Exp Neg");
  EXPECT_EQ(by_rows(graph("a = Exp(x)\n y = Neg(a)", {"y"}, {{{}, "n"}, {{}, "m"}})), "Exp Neg");
  EXPECT_EQ(by_rows(graph("a = Exp(x)\n y = Neg(a)", {"y"}, {{{}, ""}, {2, ""}})), "ByRows(Exp Neg)");
}

TEST(RunByRows, WhatLeavesAndComesBackSplitsTheGroup) {
  const Graph g = graph("a = Exp(x)\n b = Neg(a)\n t = ReduceSum(a, int64 [0])\n c = Add(b, t)\n d = Sub(b, t)\n e = Exp(b)\n f = Mul(e, e)", {"c", "d", "f"});
  EXPECT_EQ(by_rows(g), "ByRows(Exp Neg Exp Mul) ReduceSum Add Sub");
}

}  // namespace
}  // namespace onward
