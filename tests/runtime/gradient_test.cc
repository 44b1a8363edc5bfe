// Gradient against differences: every rule, definitions in simpler operators, broadcasting, values under other names, second order.
#include "onward/ops/gradient_rules.h"

#include <gtest/gtest.h>

#include <cmath>

#include "onward/model/text.h"
#include "onward/runtime/session.h"

namespace onward {
namespace {

struct Case {
  std::string_view op;
  std::vector<std::string_view> inputs;                  // tensors of doubles; they are called a, b, c
  std::string_view formula;                              // what y is
};

constexpr std::string_view matrix = "double [[0.3, -0.7, 1.2], [0.9, 0.4, -1.1]]", positive = "double [[0.3, 0.7, 1.2], [0.9, 0.4, 1.1]]",
                           small = "double [0.3, -0.5, 0.8]", large = "double [1.3, 2.5, 1.8]", square = "double [[0.3, -0.7], [0.9, 0.4]]",
                           vector3 = "double [0.5, -1.5, 2]", scalar = "double 1.7";

const std::vector<Case> cases = {
    {"Abs", {matrix}, "Abs(a)"}, {"Acos", {small}, "Acos(a)"}, {"Acosh", {large}, "Acosh(a)"},
    {"Add", {matrix, vector3}, "Add(a, b)"}, {"Add", {scalar, matrix}, "Add(a, b)"},
    {"Asin", {small}, "Asin(a)"}, {"Asinh", {matrix}, "Asinh(a)"}, {"Atan", {matrix}, "Atan(a)"}, {"Atanh", {small}, "Atanh(a)"},
    {"Cast", {matrix}, "Cast(a; to=11)"}, {"CastLike", {matrix}, "CastLike(a, double 0)"},
    {"Concat", {matrix, square, matrix}, "Concat(a, b, c; axis=-1)"},
    {"Cos", {matrix}, "Cos(a)"}, {"Cosh", {matrix}, "Cosh(a)"}, {"Div", {matrix, vector3}, "Div(a, b)"}, {"Div", {vector3, positive}, "Div(a, b)"},
    {"Erf", {matrix}, "Erf(a)"}, {"Exp", {matrix}, "Exp(a)"}, {"Expand", {vector3}, "Expand(a, int64 [2, 2, 3])"}, {"Flatten", {matrix}, "Flatten(a; axis=0)"},
    {"Gemm", {matrix, matrix, "double [1, 2]"}, "Gemm(a, b, c; alpha=0.5, beta=2.0, transB=1)"}, {"Gemm", {matrix, square, "double [[1], [2], [3]]"}, "Gemm(a, b, c; transA=1)"},
    {"Gemm", {matrix, "double [[1, 2], [3, 4], [5, 6]]"}, "Gemm(a, b; transA=1, transB=1)"}, {"Gemm", {square, matrix, scalar}, "Gemm(a, b, c)"},
    {"Identity", {matrix}, "Identity(a)"}, {"Log", {positive}, "Log(a)"}, {"LogSoftmax", {matrix}, "LogSoftmax(a; axis=0)"},
    {"MatMul", {square, matrix}, "MatMul(a, b)"}, {"MatMul", {vector3, "double [[1, 2], [3, 4], [5, 6]]"}, "MatMul(a, b)"}, {"MatMul", {matrix, vector3}, "MatMul(a, b)"},
    {"MatMul", {vector3, "double [0.1, 0.2, 0.4]"}, "MatMul(a, b)"}, {"MatMul", {"double [[[0.3, -0.7]], [[0.9, 0.4]]]", matrix}, "MatMul(a, b)"},
    {"MatMul", {square, "double [[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[1, 0], [2, 1]]]"}, "MatMul(a, b)"}, {"MatMul", {"double [0.5, 2]", "double [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]"}, "MatMul(a, b)"},
    {"Max", {matrix, vector3}, "Max(a, b)"}, {"Min", {matrix, vector3}, "Min(a, b)"}, {"Mean", {matrix, vector3, scalar}, "Mean(a, b, c)"},
    {"Mul", {matrix, vector3}, "Mul(a, b)"}, {"Mul", {matrix}, "Mul(a, a)"}, {"Neg", {matrix}, "Neg(a)"},
    {"Pow", {positive, vector3}, "Pow(a, b)"}, {"Pow", {matrix}, "Pow(a, int64 3)"}, {"Reciprocal", {matrix}, "Reciprocal(a)"},
    {"ReduceMax", {matrix}, "ReduceMax(a, int64 [1]; keepdims=0)"}, {"ReduceMin", {matrix}, "ReduceMin(a)"}, {"ReduceMin", {matrix}, "ReduceMin(a, int64 [0])"},
    {"ReduceMean", {matrix}, "ReduceMean(a, int64 [-1]; keepdims=0)"}, {"ReduceMean", {matrix}, "ReduceMean(a)"},
    {"ReduceSum", {matrix}, "ReduceSum(a, int64 [0]; keepdims=0)"}, {"ReduceSum", {matrix}, "ReduceSum(a; keepdims=0)"}, {"ReduceSum", {matrix}, "ReduceSum(a; noop_with_empty_axes=1)"},
    {"Relu", {matrix}, "Relu(a)"}, {"Reshape", {matrix}, "Reshape(a, int64 [3, -1])"}, {"Sigmoid", {matrix}, "Sigmoid(a)"}, {"Sin", {matrix}, "Sin(a)"}, {"Sinh", {matrix}, "Sinh(a)"},
    {"Softmax", {matrix}, "Softmax(a)"}, {"Sqrt", {positive}, "Sqrt(a)"}, {"Squeeze", {"double [[[1, 2]]]"}, "Squeeze(a, int64 [0])"}, {"Sub", {vector3, matrix}, "Sub(a, b)"},
    {"Sum", {matrix, vector3, scalar}, "Sum(a, b, c)"}, {"Tan", {small}, "Tan(a)"}, {"Tanh", {matrix}, "Tanh(a)"},
    {"Transpose", {"double [[[1, 2, 3]], [[4, 5, 6]]]"}, "Transpose(a; perm=[1, 2, 0])"}, {"Transpose", {matrix}, "Transpose(a)"}, {"Unsqueeze", {matrix}, "Unsqueeze(a, int64 [1])"},
    {"Where", {matrix, vector3}, "Where(Greater(a, double 0), a, b)"},
    // By their definition in simpler operators.
    {"", {matrix}, "Elu(a; alpha=0.5)"}, {"", {matrix}, "LeakyRelu(a)"}, {"", {matrix}, "Selu(a)"}, {"", {matrix}, "Softplus(a)"}, {"", {matrix}, "Softsign(a)"}, {"", {matrix}, "HardSwish(a)"},
    {"", {matrix}, "Mish(a)"}, {"", {matrix}, "ReduceL2(a, int64 [1])"}, {"", {matrix}, "ReduceLogSumExp(a, int64 [1])"}, {"", {matrix}, "ReduceSumSquare(a)"}, {"", {matrix}, "ThresholdedRelu(a; alpha=0.5)"},
    // Nodes whose gradients meet, and gradients that meet nothing.
    {"", {matrix, vector3}, "Mul(Sigmoid(Add(a, b)), Add(Exp(a), Mul(b, a)))"}, {"", {matrix, small}, "Mul(Floor(b), a)"}, {"", {matrix, scalar}, "Neg(a)"},
    {"", {"double [[]]"}, "Exp(a)"},
};

const std::vector<std::string> names = {"a", "b", "c"};

Model model_of(const Case& c, bool gradients) {
  std::string text = "y = " + std::string(c.formula) + "\n t = Mul(y, Add(y, double 0.3))";
  std::vector<std::string> outputs = {"t"};
  if (gradients) {
    outputs.clear();
    std::string list, quoted, results;
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      list += (i ? ", " : "") + names[i], quoted += (i ? ", \"" : "\"") + names[i] + "\"", results += (i ? ", d" : "d") + names[i];
      outputs.push_back("d" + names[i]);
    }
    text += "\n " + results + " = ai.onnx.preview.training.Gradient(" + list + "; xs=[" + quoted + "], y=\"t\")";
  }
  Model m;
  m.opsets = {{"", 23}, {"ai.onnx.preview.training", 1}};
  m.graph = parse_nodes(text);
  for (size_t i = 0; i < c.inputs.size(); ++i) m.graph.inputs.push_back({names[i], TypeInfo::tensor(DataType::f64), {}});
  for (const auto& name : outputs) m.graph.outputs.push_back({name, {}, {}});
  return m;
}

double total(const Tensor& t) {
  double sum = 0;
  for (double v : t.values<double>()) sum += v;
  return sum;
}

void agrees_with_differences(const Case& c) {
  const Session values(model_of(c, false)), gradients(model_of(c, true));
  std::vector<Value> inputs;
  for (auto text : c.inputs) inputs.push_back(parse_tensor(text));
  const auto found = gradients.run(inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor x = *inputs[i].tensor(), &d = *found[i].tensor();
    ASSERT_EQ(d.dims(), x.dims()) << c.formula;
    ASSERT_EQ(d.type(), DataType::f64) << c.formula;
    for (int64_t k = 0; k < x.size(); ++k) {
      const double step = 1e-6;
      double side[2];
      for (int s : {0, 1}) {
        const Tensor moved = x.copy();
        moved.data<double>()[k] += s ? step : -step;
        inputs[i] = moved;
        side[s] = total(*values.run(inputs)[0].tensor());
      }
      inputs[i] = x;
      const double expected = (side[1] - side[0]) / (2 * step);
      EXPECT_NEAR(d.data<double>()[k], expected, 1e-6 * std::max(1.0, std::fabs(expected))) << c.formula << ", input " << names[i] << ", element " << k;
    }
  }
}

Error error_of(std::string_view text) {
  Model m;
  m.opsets = {{"", 23}, {"ai.onnx.preview.training", 1}};
  m.graph = parse_nodes(text);
  m.graph.inputs.push_back({"a", TypeInfo::tensor(DataType::f64), {}});
  m.graph.outputs.push_back({"d", {}, {}});
  try {
    Session session(std::move(m));
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "no error: " << text;
  return {Code::internal, ""};
}

}  // namespace

TEST(Gradient, AgreesWithDifferences) {
  for (const Case& c : cases) {
    try {
      agrees_with_differences(c);
    } catch (const Error& e) {
      ADD_FAILURE() << c.formula << ": " << e.message;
    }
  }
}

TEST(Gradient, EveryRuleHasACase) {
  for (const GradientRule& rule : gradient_rules()) {
    if (rule.formulas.empty() && !rule.formula) continue;      // nothing flows
    EXPECT_TRUE(std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return c.op == rule.op; })) << rule.op;
  }
}

TEST(Gradient, OfAValueUnderAnotherName) {
  Model m;
  m.opsets = {{"", 23}, {"ai.onnx.preview.training", 1}};
  m.graph = parse_nodes("h = Exp(a)\n y = Mul(h, b)\n d = ai.onnx.preview.training.Gradient(e, b; xs=[\"h\"], zs=[\"b\"], y=\"y\")\n"
                        "f = ai.onnx.preview.training.Gradient(e; xs=[\"a\"], y=\"h\")");
  for (const char* name : {"a", "b", "e"}) m.graph.inputs.push_back({name, TypeInfo::tensor(DataType::f64), {}});
  for (const char* name : {"d", "f"}) m.graph.outputs.push_back({name, {}, {}});
  const auto found = Session(std::move(m)).run(std::vector<Value>{Tensor::scalar(1.0), Tensor::scalar(3.0), Tensor::scalar(2.0)});
  EXPECT_EQ(found[0].tensor()->data<double>()[0], 3);
  EXPECT_NEAR(found[1].tensor()->data<double>()[0], std::exp(2.0), 1e-12);
}

TEST(Gradient, OfAGradient) {
  Model m;
  m.opsets = {{"", 23}, {"ai.onnx.preview.training", 1}};
  m.graph = parse_nodes("y = Mul(Mul(a, a), a)\n d = ai.onnx.preview.training.Gradient(a; xs=[\"a\"], y=\"y\")\n e = ai.onnx.preview.training.Gradient(a; xs=[\"a\"], y=\"d\")");
  m.graph.inputs.push_back({"a", TypeInfo::tensor(DataType::f64), {}});
  for (const char* name : {"d", "e"}) m.graph.outputs.push_back({name, {}, {}});
  const auto found = Session(std::move(m)).run(std::vector<Value>{Tensor::of<double>({2}, {2, 5})});
  EXPECT_NEAR(found[0].tensor()->data<double>()[1], 75, 1e-12);
  EXPECT_NEAR(found[1].tensor()->data<double>()[0], 12, 1e-12);
  EXPECT_NEAR(found[1].tensor()->data<double>()[1], 30, 1e-12);
}

TEST(Gradient, SaysWhatItCannotDo) {
  const std::string gradient = "ai.onnx.preview.training.Gradient";
  const Error e = error_of("y = CumSum(a, int64 0)\n d = " + gradient + "(a; xs=[\"a\"], y=\"y\")");
  EXPECT_EQ(e.code, Code::unsupported_operator);
  EXPECT_NE(e.message.find("there is no derivative of operator CumSum"), std::string::npos) << e.message;
  EXPECT_NE(error_of("y = Exp(a)\n d = " + gradient + "(a; xs=[\"a\"], y=\"z\")").message.find("y is 'z', which no node before it computes"), std::string::npos);
  EXPECT_NE(error_of("y = Exp(a)\n d = " + gradient + "(a, a; xs=[\"a\"], y=\"y\")").message.find("has 2 inputs for 1 xs and 0 zs"), std::string::npos);
  std::string many = "a";
  for (int i = 0; i < 300; ++i) many += ", a";
  EXPECT_NE(error_of("y = Sum(" + many + ")\n d = " + gradient + "(a; xs=[\"a\"], y=\"y\")").message.find("with 301 inputs; the most is 256"), std::string::npos);
  EXPECT_NE(error_of("y = Exp(a)\n d = " + gradient + "(a; y=\"y\")").message.find("xs"), std::string::npos);
}

}  // namespace onward
