// What sessions do for speed does not show: the same bits with and without, for a row alone and in any batch, on one thread and on two,
// on AVX2 and AVX-512.
#include <gtest/gtest.h>

#include <cmath>

#include "onward/model/text.h"
#include "onward/runtime/session.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

struct Case {
  const char* name;
  std::string nodes;
  int64_t features;
  std::vector<std::string> outputs;
  std::vector<std::pair<std::string, Dims>> constants = {};
};

Tensor numbers(const Dims& dims, int64_t factor, double scale) {
  Tensor t(DataType::f64, dims);
  for (int64_t i = 0; i < t.size(); ++i) t.data<double>()[i] = double(i * factor % 2003 - 1000) / scale;
  return t;
}

Model model_of(const Case& c) {
  Model m;
  m.opsets = {{"", 21}, {"ai.onnx.ml", 5}, {"com.microsoft", 1}};
  m.graph = parse_nodes(c.nodes);
  for (const auto& [name, dims] : c.constants) m.graph.initializers[name] = numbers(dims, 7919, 900);
  m.graph.inputs.push_back({"x", TypeInfo::tensor(DataType::f64, {{{{}, "batch"}, {c.features, ""}}}), {}});
  for (const std::string& name : c.outputs) m.graph.outputs.push_back({name, {}, {}});
  return m;
}

std::string neighbours(const std::string& distance, const std::string& features, const std::string& k) {
  return "r = Reshape(x, int64 [0, 1, " + features + "])\n off = Sub(r, rows)\n " + distance + "\n values, numbers = TopK(d, int64 [" + k + "]; largest=0)";
}

std::vector<Case> cases() {
  const std::string squared = "sq = Mul(off, off)\n d = ReduceSum(sq, int64 [2]; keepdims=0)", manhattan = "size = Abs(off)\n d = ReduceSum(size, int64 [-1]; keepdims=0)",
                    chebyshev = "size = Abs(off)\n d = ReduceMax(size, int64 [-1]; keepdims=0)";
  const std::string radial = "o = Sub(x, mean)\n p = MatMul(o, s)\n t = Mul(double 2, p)\n q = Mul(o, o)\n r = ReduceSum(q, int64 [1])\n d = Sub(r, t)\n a = Add(d, squares)\n m = Max(a, double 0)\n"
                             " g = Mul(double -0.03, m)\n e = Exp(g)\n y = MatMul(e, w)";
  return {
      {"nearest, squared", neighbours(squared, "20", "5"), 20, {"values", "numbers"}, {{"rows", {37, 20}}}},
      {"nearest of many features", neighbours(squared, "77", "3"), 77, {"values", "numbers"}, {{"rows", {50, 77}}}},
      {"nearest of as many features as lanes", neighbours(squared, "31", "6"), 31, {"values", "numbers"}, {{"rows", {40, 31}}}},
      {"nearest of one feature", neighbours(squared, "1", "4"), 1, {"values", "numbers"}, {{"rows", {16, 1}}}},
      {"nearest, manhattan", neighbours(manhattan, "9", "1"), 9, {"values", "numbers"}, {{"rows", {130, 9}}}},
      {"nearest, chebyshev", neighbours(chebyshev, "33", "7"), 33, {"values", "numbers"}, {{"rows", {15, 33}}}},
      {"many nearest", neighbours(squared, "4", "40"), 4, {"values", "numbers"}, {{"rows", {90, 4}}}},
      {"nearest of hundreds of rows", neighbours(squared, "20", "5"), 20, {"values", "numbers"}, {{"rows", {1237, 20}}}},
      {"nearest of hundreds of rows of many features", neighbours(squared, "300", "20"), 300, {"values", "numbers"}, {{"rows", {300, 300}}}},
      {"nearest of hundreds of points", neighbours(squared, "2", "32"), 2, {"values", "numbers"}, {{"rows", {700, 2}}}},
      {"nearest by CDist", "d = com.microsoft.CDist(x, rows; metric=\"euclidean\")\n values, numbers = TopK(d, int64 [7]; largest=0)", 19, {"values", "numbers"}, {{"rows", {500, 19}}}},
      {"nearest of few rows by CDist", "d = com.microsoft.CDist(x, rows)\n values, numbers = TopK(d, int64 [3]; largest=0)", 19, {"values", "numbers"}, {{"rows", {40, 19}}}},
      {"many nearest by CDist", "d = com.microsoft.CDist(x, rows; metric=\"sqeuclidean\")\n values, numbers = TopK(d, int64 [50]; largest=0)", 5, {"values", "numbers"}, {{"rows", {130, 5}}}},
      {"radial kernel", radial, 20, {"y"}, {{"mean", {20}}, {"s", {20, 600}}, {"squares", {600}}, {"w", {600, 3}}}},
      {"radial kernel of few vectors", radial, 20, {"y"}, {{"mean", {20}}, {"s", {20, 9}}, {"squares", {9}}, {"w", {9, 1}}}},
      {"radial kernel that is returned", radial, 20, {"e", "y"}, {{"mean", {20}}, {"s", {20, 300}}, {"squares", {300}}, {"w", {300, 2}}}},
      {"process", "r = Reshape(x, int64 [0, 1, 20])\n off = Sub(r, rows)\n s = Mul(off, off)\n d = ReduceSum(s, int64 [-1]; keepdims=0)\n h = Mul(double -0.02, d)\n e = Exp(h)\n y = MatMul(e, w)", 20, {"y"}, {{"rows", {130, 20}}, {"w", {130, 2}}}},
      {"process by sizes of differences", "r = Reshape(x, int64 [0, 1, 35])\n off = Sub(r, rows)\n s = Abs(off)\n d = ReduceSum(s, int64 [2]; keepdims=0)\n m = ReduceMax(s, int64 [2]; keepdims=0)\n y = MatMul(d, w)", 35, {"y", "m"}, {{"rows", {64, 35}}, {"w", {64, 2}}}},
      {"far by the largest difference", "r = Reshape(x, int64 [0, 1, 5])\n off = Sub(r, rows)\n s = Abs(off)\n d = ReduceMax(s, int64 [2]; keepdims=0)\n y = Neg(d)", 5, {"y"}, {{"rows", {45, 5}}}},
      {"scaled projection", "a = Sub(x, mean)\n b = Div(a, scale)\n c = MatMul(b, w)\n d = Sub(c, shift)\n e = MatMul(d, v)\n f = Add(e, double 0.5)\n y = Reshape(f, int64 [-1])", 20, {"y", "d"},
       {{"mean", {20}}, {"scale", {20}}, {"w", {20, 8}}, {"shift", {8}}, {"v", {8, 1}}}},
      {"perceptron", "a = MatMul(x, w)\n b = Add(a, c)\n d = Max(b, double [0])\n e = MatMul(d, v)\n f = Add(e, double [0.25])\n g = Neg(f)\n h = Exp(g)\n i = Add(h, double 1)\n p = Div(double 1, i)\n"
                     " q = Sub(double 1, p)\n both = Concat(q, p; axis=1)\n label = ArgMax(both; axis=1)", 20, {"both", "label"}, {{"w", {20, 100}}, {"c", {100}}, {"v", {100, 1}}}},
      {"Gaussian classes", "r = Reshape(x, int64 [0, 1, 20])\n off = Sub(r, mean)\n s = Mul(off, off)\n t = Div(s, var)\n u = ReduceSum(t, int64 [-1]; keepdims=0)\n v = Mul(u, double -0.5)\n m = ReduceMax(v, int64 [-1])\n"
                           " w = Sub(v, m)\n y = Exp(w)", 20, {"y"}, {{"mean", {3, 20}}, {"var", {3, 20}}}},
      {"nearest centre", "a = MatMul(x, c)\n b = Mul(double -2, a)\n d = Add(squares, b)\n label = ArgMin(d; axis=1, keepdims=0)", 20, {"label", "d"}, {{"c", {20, 8}}, {"squares", {8}}}},
      {"last of the furthest", "a = MatMul(x, c)\n label = ArgMax(a; axis=-1, select_last_index=1)\n most = ReduceMax(a, int64 [1]; keepdims=0)", 3, {"label", "most"}, {{"c", {3, 5}}}},
      {"quadratic classes", "a = Sub(x, m)\n b = MatMul(a, v)\n s = Mul(b, b)\n u = ReduceSum(s, int64 [-1])\n c = MatMul(x, w)\n e = Sub(c, n)\n t = Mul(e, e)\n q = ReduceSum(t, int64 [1])\n j = Concat(u, q; axis=1)\n"
                            " k = Mul(double -0.5, j)\n f = ReduceMax(k, int64 [1])\n l = Sub(k, f)\n p = Exp(l)\n i = ArgMax(k; axis=1, keepdims=0)\n label = Gather(int64 [3, -7], i)", 33, {"p", "label"},
       {{"m", {33}}, {"v", {33, 33}}, {"w", {33, 40}}, {"n", {40}}}},
      {"folds of a few and of many", "three = Gather(x, int64 [2, 0, -1]; axis=1)\n a = ReduceSum(three, int64 [1])\n b = ReduceMin(three, int64 [-1])\n c = ReduceMean(x, int64 [1])\n d = ReduceL2(x, int64 [1])\n e = ReduceLogSumExp(three, int64 [1])\n"
                                     " g = Unsqueeze(x, int64 [2])\n h = Mul(g, pair)\n k = ReduceSum(h, int64 [1]; keepdims=0)\n m = ReduceMax(k, int64 [1])\n y = Concat(a, b, c, d, e, m; axis=1)", 70, {"y", "k"}, {{"pair", {2}}}},
      {"conditions", "n = IsNaN(x)\n f = Where(n, double 0.25, x)\n g = Greater(f, limits)\n o = Not(n)\n h = And(g, o)\n c = Cast(h; to=11)\n s = Pow(f, double 2)\n r = Pow(c, powers)\n t = Max(s, c)\n q = Div(double 1, t)\n y = Add(q, r)\n"
                     " l = Cast(f; to=1)\n e = Abs(l)\n z = Sqrt(e)", 18, {"y", "z", "h"}, {{"limits", {18}}, {"powers", {18}}}},
      {"numbers of tables", "a = Abs(x)\n b = Floor(a)\n c = Min(b, double 3)\n n = IsNaN(c)\n d = Where(n, double 0, c)\n i = Cast(d; to=7)\n one = Gather(i, int64 1; axis=1)\n y = Gather(table, one)", 2, {"y"}, {{"table", {4}}}},
      {"deep product", "a = MatMul(x, w)\n b = Add(a, c)\n y = Relu(b)", 600, {"y"}, {{"w", {600, 33}}, {"c", {33}}}},
  };
}

std::vector<std::vector<Tensor>> answers(const Session& session, const Tensor& x, int64_t step) {
  std::vector<std::vector<Tensor>> out;
  const int64_t rows = x.dims()[0], width = x.dims()[1];
  for (int64_t at = 0; at < rows; at += step) {
    const Value in = Tensor::view(DataType::f64, {std::min(step, rows - at), width}, x.data<double>() + at * width);
    out.emplace_back();
    for (const Value& v : session.run(std::span(&in, 1))) out.back().push_back(*v.tensor());
  }
  return out;
}

std::string bytes(const std::vector<std::vector<Tensor>>& parts, size_t output) {
  std::string all;
  for (const auto& part : parts) all.append(static_cast<const char*>(part[output].raw()), part[output].bytes());
  return all;
}

TEST(ByRows, DoesNotShow) {
  constexpr int64_t rows = 3001;
  for (const Case& c : cases()) {
    const Tensor x = numbers({rows, c.features}, 104729, 700);
    x.data<double>()[x.size() / 2] = NAN, x.data<double>()[0] = INFINITY;
    simd::limit(simd::Target::avx512);
    const auto plain = answers(Session(model_of(c), {.threads = 1, .disabled_rules = {"fuse-dense", "fuse-nearest-rows", "fuse-radial-kernel", "run-by-rows"}}), x, rows);
    for (auto target : {simd::Target::avx2, simd::Target::avx512})
      for (int threads : {1, 2}) {
        simd::limit(target);
        const Session session(model_of(c), {.threads = threads});
        for (int64_t step : {int64_t{1}, int64_t{7}, int64_t{100}, int64_t{1000}, rows, rows}) {      // the last twice: its memory is planned by then
          if (step == 1 && (threads > 1 || target != simd::Target::avx512)) continue;
          const auto found = answers(session, x, step);
          for (size_t k = 0; k < c.outputs.size(); ++k) ASSERT_EQ(bytes(found, k), bytes(plain, k)) << c.name << ", output " << c.outputs[k] << ", batches of " << step << ", " << threads << " threads";
        }
      }
    simd::limit(simd::Target::avx512);
  }
}

TEST(ByRows, AnEmptyBatchIsAnswered) {
  for (const Case& c : cases()) {
    const Session session(model_of(c));
    const Value none = Tensor(DataType::f64, {0, c.features});
    for (const Value& v : session.run(std::span(&none, 1))) EXPECT_EQ(v.tensor()->size(), 0) << c.name;
  }
}

TEST(ByRows, LabelsMayBeTexts) {
  const Session session(model_of({"texts", "a = MatMul(x, c)\n i = ArgMax(a; axis=1, keepdims=0)\n y = Gather(string [\"first\", \"a longer text than fits\"], i)", 3, {"y"}, {{"c", {3, 2}}}}));
  const Session plain(model_of({"places", "a = MatMul(x, c)\n y = ArgMax(a; axis=1, keepdims=0)", 3, {"y"}, {{"c", {3, 2}}}}), {.disabled_rules = {"run-by-rows"}});
  for (int64_t n : {1, 100}) {
    const Value x = numbers({n, 3}, 104729, 700);
    const auto found = session.run(std::span(&x, 1)), places = plain.run(std::span(&x, 1));
    for (int64_t i = 0; i < n; ++i) EXPECT_EQ(found[0].tensor()->data<std::string>()[i], places[0].tensor()->data<int64_t>()[i] ? "a longer text than fits" : "first") << i;
  }
}

// A place that a row names is looked up like any other: outside the table is an error.
TEST(ByRows, PlacesOutsideATableAreErrors) {
  Model m = model_of({"table", "a = Floor(x)\n i = Cast(a; to=7)\n one = Gather(i, int64 0; axis=1)\n y = Gather(table, one)", 1, {"y"}, {{"table", {4}}}});
  const Session session(std::move(m));
  for (double place : {3.0, -4.0, 4.0, -5.0}) {
    const Value x = Tensor::of<double>({1, 1}, {place});
    if (place >= -4 && place < 4) EXPECT_EQ(session.run(std::span(&x, 1))[0].tensor()->size(), 1);
    else EXPECT_THROW(session.run(std::span(&x, 1)), Error) << place;
  }
}

// Equal distances keep the order of the rows, however many there are.
TEST(ByRows, EquallyNearRowsKeepTheirOrder) {
  for (const char* k : {"3", "35"}) {
    Case c{"ties", neighbours("sq = Mul(off, off)\n d = ReduceSum(sq, int64 [2]; keepdims=0)", "2", k), 2, {"numbers"}, {}};
    Model m = model_of(c);
    for (int64_t count : {64, 640}) {
      Tensor rows(DataType::f64, {count, 2});
      for (int64_t i = 0; i < rows.size(); ++i) rows.data<double>()[i] = double(i / 2 % 4);    // each point 16 or 160 times
      m.graph.initializers["rows"] = rows;
      const Value x = Tensor::of<double>({1, 2}, {1, 1});
      const auto out = Session(m).run(std::span(&x, 1));
      const int64_t* found = out[0].tensor()->data<int64_t>();
      for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(found[i], 1 + 4 * i) << k << " of " << count;
    }
  }
}

// Distances that floats cannot tell apart are told apart: rows far from 0, close to each other or tiny, and numbers that no float holds.
TEST(ByRows, NearRowsAreToldApartBeyondFloats) {
  for (double scale : {1e-200, 1e-43, 1e-22, 1e-9, 1.0, 1e12, 1e25, 1e40}) {
    for (double offset : {0.0, 1e6}) {
      const Case c{"close", neighbours("sq = Mul(off, off)\n d = ReduceSum(sq, int64 [2]; keepdims=0)", "3", "4"), 3, {"values", "numbers"}, {}};
      Model m = model_of(c);
      const auto moved = [&](Tensor t) {
        for (double& x : std::span(t.data<double>(), size_t(t.size()))) x = (x + offset) * scale;
        return t;
      };
      m.graph.initializers["rows"] = moved(numbers({900, 3}, 7919, 1e9));
      const Tensor x = moved(numbers({60, 3}, 104729, 1e9));
      const auto plain = answers(Session(m, {.threads = 1, .disabled_rules = {"fuse-nearest-rows"}}), x, 60), found = answers(Session(m, {.threads = 1}), x, 60);
      for (size_t k = 0; k < 2; ++k) EXPECT_EQ(bytes(found, k), bytes(plain, k)) << "scale " << scale << ", offset " << offset;
    }
  }
}

// Memory is needed for some rows, not for all.
TEST(ByRows, BoundsMemory) {
  const Case c{"wide", "r = Reshape(x, int64 [0, 1, 4])\n off = Sub(r, points)\n s = Mul(off, off)\n y = ReduceMin(s, int64 [1, 2]; keepdims=0)", 4, {"y"}, {{"points", {10000, 4}}}};
  const Value x = numbers({2000, 4}, 104729, 700);        // 2000 x 10000 x 4 doubles are 640 MB
  const Session session(model_of(c), {.threads = 1, .memory_limit = 16 << 20});
  const Session plain(model_of(c), {.threads = 1, .memory_limit = 16 << 20, .disabled_rules = {"run-by-rows"}});
  EXPECT_EQ(session.run(std::span(&x, 1))[0].tensor()->size(), 2000);
  EXPECT_THROW(plain.run(std::span(&x, 1)), Error);
}

TEST(ByRows, SessionsKeepTheStandardModel) {
  const Session session(model_of(cases().back()));
  const Model model = session.optimized();                // nodes of older opsets have become ours: none is made ours twice
  EXPECT_FALSE(model.graph.nodes.empty());
  for (const Node& n : model.graph.nodes) EXPECT_EQ(n.domain, "");
}

// A file may hold the operators of domain `onward` too: nothing that it says is believed.
TEST(ByRows, HostileNodesAreRefused) {
  const auto body = [](const std::string& nodes, std::vector<std::string> inputs, std::vector<std::string> outputs) {
    auto g = std::make_shared<Graph>(parse_nodes(nodes));
    for (const auto& name : inputs) g->inputs.push_back({name, {}, {}});
    for (const auto& name : outputs) g->outputs.push_back({name, {}, {}});
    return GraphRef(g);
  };
  const auto message = [&](GraphRef inner, int64_t rows, int64_t n) -> std::string {
    Model m = model_of({"hostile", "y = onward.ByRows(x)", 2, {"y"}});
    m.opsets["onward"] = 1;
    m.graph.nodes[0].attributes["rows"] = rows;
    if (inner) m.graph.nodes[0].attributes["body"] = inner;
    const Value x = numbers({n, 2}, 7, 3);
    try {
      Session(std::move(m)).run(std::span(&x, 1));
    } catch (const Error& e) {
      return e.message;
    }
    return "";
  };
  const GraphRef good = body("o = Neg(i)", {"i"}, {"o"});
  EXPECT_EQ(message(good, 2, 7), "");
  EXPECT_EQ(message({}, 2, 7), "node 'y' (onward.ByRows): has no body");
  EXPECT_EQ(message(good, 0, 7), "node 'y' (onward.ByRows): rows is 0, expected 1 at least");
  EXPECT_EQ(message(body("o = Neg(i)", {"i", "j"}, {"o"}), 2, 7), "node 'y' (onward.ByRows): the body has 2 inputs, expected 1");
  EXPECT_EQ(message(body("o = ReduceSum(i)", {"i"}, {"o"}), 2, 7), "node 'y' (onward.ByRows): output 0 of the body is double [1, 1] for 2 rows");
  auto typed = std::make_shared<Graph>(*body("o = Neg(i)", {"i"}, {"o"}));
  typed->inputs[0].type = TypeInfo::tensor(DataType::f64, {{{}, {3, ""}}});
  EXPECT_EQ(message(typed, 2, 7), "node 'y' (onward.ByRows): input 0 is double [7, 2], the body's has 3 double in a row");
  EXPECT_EQ(message(body("o = Reshape(i, int64 [-1])", {"i"}, {"o"}), 2, 7), "node 'y' (onward.ByRows): output 0 of the body is double [4] for 2 rows");
}

}  // namespace
}  // namespace onward
