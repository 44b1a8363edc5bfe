#include "onward/runtime/session.h"

#include <gtest/gtest.h>

#include <thread>

#include "onward/model/text.h"
#include "onward/runtime/profile.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

TypeInfo tensor(DataType type, std::vector<DimInfo> shape) { return TypeInfo::tensor(type, std::move(shape)); }

Model model(std::string_view nodes, std::vector<ValueInfo> inputs, const std::vector<std::string>& outputs) {
  Model m;
  m.opsets = {{"", 21}, {"ai.onnx.ml", 5}};
  m.graph = parse_nodes(nodes);
  m.graph.inputs = std::move(inputs);
  for (const std::string& name : outputs) m.graph.outputs.push_back({name, {}, {}});
  return m;
}

Model scaler() { return model("c = Sub(x, double [1, 2])\n y = Div(c, double [2, 4])", {{"x", tensor(DataType::f64, {{{}, "batch"}, {2, ""}}), {}}}, {"y"}); }

// What the error says; fails when there is none.
template <class F> Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {Code::internal, ""};
}

const Tensor& tensor_at(const std::vector<Value>& values, size_t i) { return *values.at(i).tensor(); }

TEST(Session, RunsByPositionAndByName) {
  const Session session(scaler());
  const Value x = Tensor::of<double>({1, 2}, {3, 6});
  EXPECT_EQ(tensor_at(session.run(std::span(&x, 1)), 0).data<double>()[1], 1);
  const std::pair<std::string, Value> named[] = {{"x", x}};
  const std::string wanted[] = {"y"};
  EXPECT_EQ(tensor_at(session.run(wanted, named), 0).data<double>()[0], 1);
}

TEST(Session, SaysWhatIsWrongWithAnInput) {
  const Session session(scaler());
  const auto run = [&](const Value& x) { return error_of([&] { session.run(std::span(&x, 1)); }).message; };
  EXPECT_EQ(run(Tensor::of<float>({1, 2}, {1, 2})), "input 'x': expected double [batch, 2], given float [1, 2]");
  EXPECT_EQ(run(Tensor::of<double>({1, 3}, {1, 2, 3})), "input 'x': expected double [batch, 2], given double [1, 3]: axis 1 has 3 elements, expected 2");
  EXPECT_EQ(run(Tensor::of<double>({2}, {1, 2})), "input 'x': expected double [batch, 2], given double [2]: the rank differs");
  const std::pair<std::string, Value> misnamed[] = {{"X", Tensor::of<double>({1, 2}, {1, 2})}};
  const Error e = error_of([&] { session.run({}, misnamed); });
  EXPECT_EQ(e.message, "the model has no input 'X'; it has 'x'");
  EXPECT_EQ(e.hint, "did you mean 'x'?");
  EXPECT_EQ(error_of([&] { session.run(std::span<const std::string>(), std::span<const std::pair<std::string, Value>>()); }).message, "input 'x' (double [batch, 2]) is not given");
}

TEST(Session, NamedSizesMustAgree) {
  const Session session(model("y = Add(a, b)", {{"a", tensor(DataType::f32, {{{}, "n"}}), {}}, {"b", tensor(DataType::f32, {{{}, "n"}}), {}}}, {"y"}));
  const Value in[] = {Tensor::of<float>({2}, {1, 2}), Tensor::of<float>({1}, {1})};
  EXPECT_EQ(error_of([&] { session.run(in); }).message, "input 'b': expected float [n], given float [1]: 'n' is 2 in another input");
}

TEST(Session, NamesTheNodeThatFails) {
  const Session session(model("y = Gather(x, i)", {{"x", tensor(DataType::f32, {{{}, ""}}), {}}, {"i", tensor(DataType::i64, {{{}, ""}}), {}}}, {"y"}));
  const Value in[] = {Tensor::of<float>({2}, {1, 2}), Tensor::of<int64_t>({1}, {9})};
  EXPECT_EQ(error_of([&] { session.run(in); }).message, "node 'y' (Gather): index 9 is outside an axis of 2");
}

TEST(Session, RefusesUnknownOperatorsAndOpsets) {
  EXPECT_EQ(error_of([] { Session(model("y = Foo(x)", {{"x", {}, {}}}, {"y"})); }).code, Code::unsupported_operator);
  Model m = scaler();
  m.opsets[""] = 999;
  EXPECT_EQ(error_of([&] { Session s(m); }).code, Code::unsupported_operator);
}

TEST(Session, NodesAreCheckedAgainstTheStandard) {
  const auto message = [](std::string_view nodes) { return error_of([&] { Session s(model(nodes, {{"x", {}, {}}}, {"y"})); }); };
  EXPECT_EQ(message("y = Softmax(x; axes=1)").message, "node 'y' (Softmax): attribute 'axes' is not in the standard (Softmax of opset 13)");
  EXPECT_EQ(message("y = Softmax(x; axes=1)").hint, "did you mean 'axis'?");
  EXPECT_EQ(message("y = Softmax(x; axis=[1])").message, "node 'y' (Softmax): attribute 'axis' is INTS, expected INT");
  EXPECT_EQ(message("y = Cast(x)").message, "node 'y' (Cast): attribute 'to' is missing");
  EXPECT_EQ(message("y = Add(x)").message, "node 'y' (Add): input 'B' is missing");
  EXPECT_EQ(message("y = Relu(x, x)").message, "node 'y' (Relu): has 2 inputs, the standard allows 1");
  Model old = model("y = DequantizeLinear(x)", {{"x", {}, {}}}, {"y"});
  old.opsets[""] = 9;                                     // there was none yet: it runs as the newest, and must have its inputs
  EXPECT_EQ(error_of([&] { Session s(old); }).message, "node 'y' (DequantizeLinear): input 'x_scale' is missing");
  Model first = model("y = Reshape(x)", {{"x", {}, {}}}, {"y"});
  first.opsets[""] = 1;                                   // its shape was an attribute that could be left out
  EXPECT_EQ(error_of([&] { Session s(first); }).message, "node 'y' (Reshape): input 'shape' is missing");
}

TEST(Session, MemoryLimitStopsABomb) {
  const Session session(model("y = ConstantOfShape(n)", {{"n", tensor(DataType::i64, {{1, ""}}), {}}}, {"y"}), {.memory_limit = 1 << 20});
  const Value small = Tensor::of<int64_t>({1}, {100}), large = Tensor::of<int64_t>({1}, {1 << 20}), absurd = Tensor::of<int64_t>({1}, {int64_t{1} << 60});
  EXPECT_EQ(tensor_at(session.run(std::span(&small, 1)), 0).size(), 100);
  EXPECT_EQ(error_of([&] { session.run(std::span(&large, 1)); }).code, Code::limit_memory);
  EXPECT_GE(int(error_of([&] { session.run(std::span(&absurd, 1)); }).code), int(Code::limit_memory));
  EXPECT_EQ(tensor_at(session.run(std::span(&small, 1)), 0).size(), 100);
}

TEST(Session, WeightsOfALoopsBodyMayStandAmongItsInputs) {
  Model m = model("y = Loop(n, , x)", {{"n", tensor(DataType::i64, {}), {}}, {"x", tensor(DataType::f32, {}), {}}}, {"y"});
  auto body = std::make_shared<Graph>(parse_nodes("more = Identity(going)\n next = Mul(v, w)"));
  body->initializers["w"] = Tensor::of<float>({}, {3});
  for (const char* name : {"i", "going", "v", "w"}) body->inputs.push_back({name, {}, {}});
  for (const char* name : {"more", "next"}) body->outputs.push_back({name, {}, {}});
  m.graph.nodes[0].attributes["body"] = GraphRef(body);
  const Session session(m);
  const Value inputs[] = {Tensor::of<int64_t>({}, {2}), Tensor::of<float>({}, {5})};
  EXPECT_EQ(tensor_at(session.run(inputs), 0).data<float>()[0], 45);
}

TEST(Session, TimeLimitAndCancelStopALoop) {
  Model m = model("y = Loop(n, , x)", {{"n", tensor(DataType::i64, {}), {}}, {"x", tensor(DataType::f32, {}), {}}}, {"y"});
  auto body = std::make_shared<Graph>(parse_nodes("go = Identity(c)\n out = Add(v, float 1)"));
  body->inputs = {{"i", {}, {}}, {"c", {}, {}}, {"v", {}, {}}};
  body->outputs = {{"go", {}, {}}, {"out", {}, {}}};
  m.graph.nodes[0].attributes["body"] = GraphRef(body);
  const Session session(m);
  const Value few[] = {Tensor::scalar<int64_t>(3), Tensor::scalar<float>(1)}, endless[] = {Tensor::scalar<int64_t>(INT64_MAX), Tensor::scalar<float>(1)};
  EXPECT_EQ(tensor_at(session.run(few), 0).data<float>()[0], 4);
  EXPECT_EQ(error_of([&] { session.run(endless, {.time_limit_seconds = 0.05}); }).code, Code::limit_time);
  std::atomic<bool> cancel{true};
  EXPECT_EQ(error_of([&] { session.run(endless, {.cancel = &cancel}); }).code, Code::cancelled);
}

TEST(Session, TreeCyclesAndMissingNodesAreRefused) {
  const auto tree = [](std::string_view yes) {
    return model("y = ai.onnx.ml.TreeEnsemble(x; nodes_featureids=[0], nodes_modes=uint8 [0], nodes_splits=double [1], nodes_truenodeids=[" + std::string(yes) +
                     "], nodes_trueleafs=[0], nodes_falsenodeids=[0], nodes_falseleafs=[1], leaf_targetids=[0], leaf_weights=double [1], tree_roots=[0], n_targets=1)",
                 {{"x", tensor(DataType::f64, {{{}, ""}, {1, ""}}), {}}}, {"y"});
  };
  EXPECT_EQ(error_of([&] { Session s(tree("0")); }).code, Code::bad_model);       // back to itself
  EXPECT_EQ(error_of([&] { Session s(tree("7")); }).code, Code::bad_model);
}

TEST(Session, ConcurrentRunsDoNotDisturbEachOther) {
  const Session session(scaler());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const int64_t rows = 1 + (i + t) % 5;
        Tensor x(DataType::f64, {rows, 2});
        for (int64_t k = 0; k < x.size(); ++k) x.data<double>()[k] = double(t * 1000 + i);
        const Value in = x;
        const auto out = session.run(std::span(&in, 1));
        if (tensor_at(out, 0).dims() != x.dims() || tensor_at(out, 0).data<double>()[0] != (t * 1000 + i - 1) / 2.0) ++wrong;
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

// A row's answer is the same alone and in any batch, on one thread and on several, on AVX2 and AVX-512.
TEST(Session, AnswersDependOnTheRowAlone) {
  constexpr int64_t features = 700, rows = 37;
  Model m = model("z = MatMul(x, w)\n e = Exp(z)\n s = ReduceSum(e, int64 [1])\n p = Div(e, s)\n m = Softmax(z)\n n = ReduceMean(x, int64 [1])", {{"x", tensor(DataType::f32, {{{}, "batch"}, {features, ""}}), {}}}, {"p", "m", "n"});
  Tensor w(DataType::f32, {features, 5}), x(DataType::f32, {rows, features});
  for (int64_t i = 0; i < w.size(); ++i) w.data<float>()[i] = float(i * 7919 % 1601 - 800) / 9000;
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = float(i * 104729 % 2003 - 1000) / 700;
  m.graph.initializers["w"] = w;
  const auto answers = [&](int threads, int64_t step, simd::Target target) {
    simd::limit(target);
    const Session session(m, {.threads = threads});
    std::vector<std::vector<float>> out(3);
    for (int64_t at = 0; at < rows; at += step) {
      const int64_t n = std::min(step, rows - at);
      const Value in = Tensor::view(DataType::f32, {n, features}, x.data<float>() + at * features);
      const auto results = session.run(std::span(&in, 1));
      for (size_t k = 0; k < 3; ++k) out[k].insert(out[k].end(), tensor_at(results, k).data<float>(), tensor_at(results, k).data<float>() + tensor_at(results, k).size());
    }
    simd::limit(simd::Target::avx512);
    return out;
  };
  const auto reference = answers(1, rows, simd::Target::avx512);
  for (int64_t step : {1, 2, 3, 5, 16}) EXPECT_EQ(answers(1, step, simd::Target::avx512), reference) << "batches of " << step;
  EXPECT_EQ(answers(2, rows, simd::Target::avx512), reference);
  EXPECT_EQ(answers(1, rows, simd::Target::avx2), reference);
  EXPECT_EQ(answers(2, 3, simd::Target::avx2), reference);
}

// Trees give the same bits on every instruction set, the one without fused multiply-add included, alone and in any batch.
TEST(Session, TreesAreTheSameEverywhere) {
  constexpr int64_t rows = 50, trees = 40, features = 6;
  std::string feature, split, yes, no, yes_leaf, no_leaf, modes, missing, roots, targets, weights;
  const auto put = [](std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; };
  int nodes = 0, leaves = 0;
  for (int64_t t = 0; t < trees; ++t) {                   // full trees of three levels
    put(roots, std::to_string(nodes));
    const int first = nodes;
    for (int i = 0; i < 7; ++i, ++nodes) {
      put(feature, std::to_string((t * 5 + i * 3) % features));
      put(split, std::to_string(double((t * 31 + i * 17) % 23 - 11) / 7));
      put(modes, "0"), put(missing, std::to_string(i % 2));
      const bool last = i >= 3;
      put(yes_leaf, last ? "1" : "0"), put(no_leaf, last ? "1" : "0");
      put(yes, std::to_string(last ? leaves : first + 2 * i + 1)), put(no, std::to_string(last ? leaves + 1 : first + 2 * i + 2));
      for (int k = 0; last && k < 2; ++k, ++leaves) put(targets, std::to_string(leaves % 2)), put(weights, std::to_string(1.0 / (3 + leaves % 13)));
    }
  }
  Model m = model("y = ai.onnx.ml.TreeEnsemble(x; nodes_featureids=[" + feature + "], nodes_modes=uint8 [" + modes + "], nodes_splits=double [" + split + "], nodes_truenodeids=[" + yes +
                      "], nodes_trueleafs=[" + yes_leaf + "], nodes_falsenodeids=[" + no + "], nodes_falseleafs=[" + no_leaf + "], nodes_missing_value_tracks_true=[" + missing + "], leaf_targetids=[" + targets +
                      "], leaf_weights=double [" + weights + "], tree_roots=[" + roots + "], n_targets=2)",
                  {{"x", tensor(DataType::f64, {{{}, "batch"}, {features, ""}}), {}}}, {"y"});
  Tensor x(DataType::f64, {rows, features});
  for (int64_t i = 0; i < x.size(); ++i) x.data<double>()[i] = i % 11 == 3 ? NAN : double(i * 7919 % 47 - 23) / 7;
  const auto answers = [&](int threads, int64_t step, simd::Target target) {
    simd::limit(target);
    const Session session(m, {.threads = threads});
    std::vector<double> out;
    for (int64_t at = 0; at < rows; at += step) {
      const Value in = Tensor::view(DataType::f64, {std::min(step, rows - at), features}, x.data<double>() + at * features);
      const auto results = session.run(std::span(&in, 1));
      out.insert(out.end(), tensor_at(results, 0).data<double>(), tensor_at(results, 0).data<double>() + tensor_at(results, 0).size());
    }
    simd::limit(simd::Target::avx512);
    return out;
  };
  const auto reference = answers(1, rows, simd::Target::avx512);
  for (auto target : {simd::Target::baseline, simd::Target::avx2, simd::Target::avx512})
    for (int64_t step : {1, 3, 16, 50})
      for (int threads : {1, 2}) EXPECT_EQ(answers(threads, step, target), reference) << step;
}

// The plan places values over each other; nothing of it may show: repeated runs, changing shapes, and results kept from earlier runs.
TEST(Session, ThePlanOfMemoryDoesNotShow) {
  Model m = model("a = Add(x, float [1])\n b = Mul(a, a)\n c = Reshape(b, int64 [-1])\n d = Sqrt(c)\n e = Sub(d, float [1])\n y = Add(e, float [0])\n z = Reshape(a, int64 [-1])\n s = SequenceConstruct(d, e)\n q = SequenceAt(s, int64 0)\n w = Neg(q)",
                  {{"x", tensor(DataType::f32, {{{}, ""}, {{}, ""}}), {}}}, {"y", "z", "w"});
  const Session session(m);
  std::vector<std::vector<Value>> kept;
  for (int i = 0; i < 12; ++i) {
    const int64_t rows = i < 6 ? 5 : 3 + i % 3;
    Tensor x(DataType::f32, {rows, 4});
    for (int64_t k = 0; k < x.size(); ++k) x.data<float>()[k] = float(i + k);
    const Value in = x;
    kept.push_back(session.run(std::span(&in, 1)));
  }
  for (int i = 0; i < 12; ++i) {
    const int64_t rows = i < 6 ? 5 : 3 + i % 3;
    for (int64_t k = 0; k < rows * 4; ++k) {
      ASSERT_EQ(tensor_at(kept[size_t(i)], 0).data<float>()[k], float(i + k)) << "run " << i;
      ASSERT_EQ(tensor_at(kept[size_t(i)], 1).data<float>()[k], float(i + k + 1));
      ASSERT_EQ(tensor_at(kept[size_t(i)], 2).data<float>()[k], -float(i + k + 1));
    }
  }
}

// An output is made in the place of what goes into it, which therefore belongs to the run and not to the plan.
TEST(Session, AnOutputTakesOverTheMemoryOfItsInput) {
  const Session session(model("a = Mul(x, double 2)\n b = Add(a, x)\n y = Sub(b, double 1)\n z = Neg(a)", {{"x", tensor(DataType::f64, {{{}, "n"}}), {}}}, {"y", "z"}));
  std::vector<std::vector<Value>> kept;
  for (const double start : {1.0, 10.0, 100.0, 1000.0}) {
    std::vector<double> numbers(start > 100 ? 5 : 3, start);
    const Value x = Tensor::of<double>({int64_t(numbers.size())}, numbers);
    kept.push_back(session.run(std::span(&x, 1)));
  }
  const double starts[] = {1, 10, 100, 1000};
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(tensor_at(kept[i], 0).data<double>()[2], 3 * starts[i] - 1);
    EXPECT_EQ(tensor_at(kept[i], 1).data<double>()[2], -2 * starts[i]);
    EXPECT_TRUE(tensor_at(kept[i], 0).unique());
  }
}

TEST(Session, ASubgraphMayReturnWhatItSees) {
  Model m = model("a = Add(x, float [1])\n r = If(c)\n n = Neg(a)\n y = Add(r, n)\n k = Mul(r, float [1])", {{"x", tensor(DataType::f32, {{{}, ""}}), {}}, {"c", tensor(DataType::b8, {}), {}}}, {"y", "k"});
  auto yes = std::make_shared<Graph>(), no = std::make_shared<Graph>(parse_nodes("o = Mul(a, float [2])"));
  yes->outputs = {{"a", {}, {}}};
  no->outputs = {{"o", {}, {}}};
  m.graph.nodes[1].attributes["then_branch"] = GraphRef(yes);
  m.graph.nodes[1].attributes["else_branch"] = GraphRef(no);
  const Session session(m);
  for (int i = 0; i < 4; ++i)
    for (bool c : {true, false}) {
      const Value in[] = {Tensor::of<float>({2}, {float(i), 5}), Tensor::scalar<bool>(c)};
      const auto out = session.run(in);
      EXPECT_EQ(tensor_at(out, 0).data<float>()[0], c ? 0 : float(i + 1));
      EXPECT_EQ(tensor_at(out, 1).data<float>()[1], c ? 6 : 12);
    }
}

TEST(Session, ProfileIsAChromeTrace) {
  const Session session(scaler(), {.profile = true});
  const Value x = Tensor::of<double>({1, 2}, {3, 6});
  session.run(std::span(&x, 1));
  const std::string json = session.profile()->json();
  EXPECT_NE(json.find("\"traceEvents\""), json.npos);
  EXPECT_NE(json.find("by rows: Sub Div"), json.npos) << json;
}

TEST(Session, OptimisedAndPlainAgree) {
  const Session plain(scaler(), {.level = OptimizationLevel::none}), optimised(scaler());
  const Value x = Tensor::of<double>({2, 2}, {3, 6, -1, 0.3});
  const auto a = plain.run(std::span(&x, 1)), b = optimised.run(std::span(&x, 1));
  EXPECT_EQ(std::memcmp(tensor_at(a, 0).raw(), tensor_at(b, 0).raw(), tensor_at(a, 0).bytes()), 0);
}

}  // namespace
}  // namespace onward
