// A linear model that reads its columns in place (optimizer/passes/fuse_columns.cc) answers with the bits of the nodes that it replaces:
// for a row alone and in any batch, for known, unknown and missing values.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "onward/model/text.h"
#include "onward/optimizer/optimizer.h"
#include "onward/runtime/session.h"

namespace onward {
namespace {

template <class T> Tensor numbers(Dims dims, int64_t factor, double scale) {
  Tensor t(type_of<T>, std::move(dims));
  for (int64_t i = 0; i < t.size(); ++i) t.data<T>()[i] = T(double(i * factor % 2003 - 1000) / scale);
  return t;
}

template <class T> Tensor one_hot_table(int64_t words) {
  Tensor t(type_of<T>, {words + 1, words});
  std::fill_n(t.data<T>(), t.size(), T(0));
  for (int64_t k = 0; k < words; ++k) t.data<T>()[k * words + k] = 1;
  return t;
}

std::string word(int64_t k) { return "word " + std::to_string(k); }
std::string list(int64_t words) {
  std::string out;
  for (int64_t k = 0; k < words; ++k) out += (k ? ", \"" : "\"") + word(k) + "\"";
  return "[" + out + "]";
}
std::string numbered(int64_t n) {
  std::string out;
  for (int64_t k = 0; k < n; ++k) out += (k ? ", " : "") + std::to_string(k);
  return "[" + out + "]";
}

constexpr int64_t few = 7, many = 290;

// As our own conversion writes a mixed pipeline: a and b are numbers, s and t words.
Model own_pipeline(int64_t targets, bool answer) {
  const auto encoded = [](const std::string& s, int64_t words) {
    return s + "l = ai.onnx.ml.LabelEncoder(" + s + "; keys_tensor=string " + list(words) + ", values_tensor=int64 " + numbered(words) + ", default_tensor=int64 [" + std::to_string(words) + "])\n " +
           s + "r = Reshape(" + s + "l, int64 [-1])\n " + s + "h = Gather(" + s + "table, " + s + "r; axis=0)\n ";
  };
  Model m;
  m.opsets = {{"", 21}, {"ai.onnx.ml", 5}};
  m.graph = parse_nodes("n = Concat(a, b; axis=-1)\n nan = IsNaN(n)\n w = Where(nan, fill, n)\n c = Sub(w, mean)\n d = Div(c, scale)\n " + encoded("s", few) + encoded("t", many) +
                        "words = Concat(sh, th; axis=-1)\n x = Concat(d, words; axis=-1)\n p = MatMul(x, weights)\n z = Add(p, bias)\n " +
                        (answer ? "flat = Reshape(z, int64 [-1])\n above = Greater(flat, double 0)\n at = Cast(above; to=7)\n label = Gather(int64 [4, 9], at; axis=0)\n"
                                  " m = Neg(z)\n e = Exp(m)\n f = Add(double 1, e)\n q = Div(double 1, f)\n o = Sub(double 1, q)\n both = Concat(o, q; axis=-1)"
                                : "y = Mul(z, double 2)"));
  auto& made = m.graph.initializers;
  made["fill"] = numbers<double>({4}, 31, 700), made["mean"] = numbers<double>({4}, 77, 300), made["scale"] = numbers<double>({1, 4}, 977, 200);
  made["stable"] = one_hot_table<double>(few), made["ttable"] = one_hot_table<double>(many);
  made["weights"] = numbers<double>({4 + few + many, targets}, 7919, 900), made["bias"] = numbers<double>({targets}, 11, 500);
  const auto input = [&](const char* name, DataType type, int64_t width) { m.graph.inputs.push_back({name, TypeInfo::tensor(type, {{{{}, "batch"}, {width, ""}}}), {}}); };
  input("a", DataType::f64, 1), input("b", DataType::f64, 3), input("s", DataType::str, 1), input("t", DataType::str, 1);
  for (const char* name : answer ? std::vector{"label", "both"} : std::vector{"y"}) m.graph.outputs.push_back({name, {}, {}});
  return m;
}

// As skl2onnx writes one.
Model exported_pipeline(const std::string& missing) {
  Model m;
  m.opsets = {{"", 21}, {"ai.onnx.ml", 5}};
  std::string coefficients;
  for (int64_t i = 0; i < 2 * (4 + few + many); ++i) coefficients += (i ? ", " : "") + std::to_string(double(i * 7919 % 2003 - 1000) / 900);
  m.graph = parse_nodes("n = Concat(a, b; axis=1)\n i = ai.onnx.ml.Imputer(n; imputed_value_floats=[1.0, 2.0, 3.0, 4.0], replaced_value_float=" + missing + ")\n"
                        " d = ai.onnx.ml.Scaler(i; offset=[0.5, 0.25, 0.1, 0.0], scale=[1.5, 2.5, 0.3, 1.0])\n sh = ai.onnx.ml.OneHotEncoder(s; cats_strings=" + list(few) + ", zeros=1)\n"
                        " th = ai.onnx.ml.OneHotEncoder(t; cats_strings=" + list(many) + ", zeros=1)\n words = Concat(sh, th; axis=-1)\n flat = Reshape(words, int64 [-1, " + std::to_string(few + many) + "])\n"
                        " x = Concat(d, flat; axis=1)\n label, both = ai.onnx.ml.LinearClassifier(x; classlabels_ints=[4, 9], intercepts=[0.5, -0.5], post_transform=\"LOGISTIC\", coefficients=[" + coefficients + "])");
  const auto input = [&](const char* name, DataType type, int64_t width) { m.graph.inputs.push_back({name, TypeInfo::tensor(type, {{{{}, "batch"}, {width, ""}}}), {}}); };
  input("a", DataType::f32, 1), input("b", DataType::f32, 3), input("s", DataType::str, 1), input("t", DataType::str, 1);
  for (const char* name : {"label", "both"}) m.graph.outputs.push_back({name, {}, {}});
  return m;
}

template <class T> std::vector<Value> rows_of(int64_t rows) {
  Tensor a = numbers<T>({rows, 1}, 17, 300), b = numbers<T>({rows, 3}, 23, 400), s(DataType::str, {rows, 1}), t(DataType::str, {rows, 1});
  for (int64_t r = 0; r < rows; ++r) s.data<std::string>()[r] = word(r % (few + 2)), t.data<std::string>()[r] = word(r * 37 % (many + 20));
  for (int64_t r = 0; r < rows; r += 5) a.data<T>()[r] = T(NAN), b.data<T>()[(r * 3 + 7) % b.size()] = T(NAN);
  for (int64_t r = 3; r < rows; r += 11) b.data<T>()[r] = r % 2 ? T(INFINITY) : T(-1);
  return {a, b, s, t};
}

template <class T> void expect_same_bits(const Model& model) {
  Session plain{Model(model), {.threads = 1, .level = OptimizationLevel::none}}, fast{Model(model), {.threads = 1}};
  for (const int64_t rows : {1, 2, 15, 64, 65, 200, 1000}) {
    const auto in = rows_of<T>(rows);
    const auto expected = plain.run(in), found = fast.run(in);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t k = 0; k < found.size(); ++k) {
      const Tensor &y = *found[k].tensor(), &z = *expected[k].tensor();
      ASSERT_EQ(y.type(), z.type());
      ASSERT_EQ(y.dims(), z.dims());
      ASSERT_EQ(std::memcmp(y.raw(), z.raw(), y.bytes()), 0) << "output " << k << " of " << rows << " rows";
    }
  }
}

std::string operators_of(const Model& model) {
  Graph graph = model.graph;
  optimize_for_session(graph);
  std::string out;
  for (const Node& node : graph.nodes) out += (out.empty() ? "" : " ") + node.op;
  return out;
}

TEST(Columns, OwnPipelinesAnswerWithTheSameBits) {
  EXPECT_EQ(operators_of(own_pipeline(1, true)), "LogisticOfColumns");
  EXPECT_EQ(operators_of(own_pipeline(3, false)), "ProductOfColumns Mul");
  expect_same_bits<double>(own_pipeline(1, true));
  expect_same_bits<double>(own_pipeline(3, false));
}

TEST(Columns, ExportedPipelinesAnswerWithTheSameBits) {
  for (const char* missing : {"nan", "-1.0"}) {
    EXPECT_EQ(operators_of(exported_pipeline(missing)), "ClassifierOfColumns");
    expect_same_bits<float>(exported_pipeline(missing));
  }
}

TEST(Columns, TablesThatAreNotOneHotAndInfiniteWeightsStayAProduct) {
  Model two = own_pipeline(1, true);
  two.graph.initializers["stable"].data<double>()[1] = 1;              // a row with two ones
  EXPECT_NE(operators_of(two).find("Gather"), std::string::npos);
  Model infinite = own_pipeline(1, true);
  infinite.graph.initializers["weights"].data<double>()[20] = INFINITY;
  EXPECT_NE(operators_of(infinite).find("Gather"), std::string::npos);
}

TEST(Columns, InputsOfOtherRowCountsAreRefused) {
  Session session{own_pipeline(1, true)};
  auto in = rows_of<double>(8);
  in[3] = rows_of<double>(7)[3];
  EXPECT_THROW(session.run(in), Error);
}

}  // namespace
}  // namespace onward
