#include "onward/ops/gradient_rules.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace onward {
namespace {

int64_t integer(const Node& node, std::string_view name, int64_t otherwise) {
  node.attributes.read(name, otherwise);
  return otherwise;
}

float real(const Node& node, std::string_view name, float otherwise) {
  node.attributes.read(name, otherwise);
  return otherwise;
}

std::string list(const std::vector<int64_t>& items) {
  std::string out = "[";
  for (size_t i = 0; i < items.size(); ++i) out += (i ? ", " : "") + std::to_string(items[i]);
  return out + "]";
}

// The gradient of a reduction, where the reduced axes are again of size 1.
std::string kept(const Node& node) {
  const bool all = node.inputs.size() < 2 || node.inputs[1].empty();
  return integer(node, "keepdims", 1) || all ? "g" : "Unsqueeze(g, x1)";
}
bool reduces_nothing(const Node& node) {
  return (node.inputs.size() < 2 || node.inputs[1].empty()) && integer(node, "noop_with_empty_axes", 0);
}

std::string sum(const Node& node, size_t input) {
  return input > 0 ? "" : reduces_nothing(node) ? "Identity(g)" : "Expand(" + kept(node) + ", Shape(x0))";
}
std::string mean(const Node& node, size_t input) {
  if (input > 0 || reduces_nothing(node)) return sum(node, input);
  return "Div(Expand(" + kept(node) + ", Shape(x0)), CastLike(Div(Size(x0), Size(y)), g))";
}
// Equal extremes share what arrives.
std::string extreme(const Node& node, size_t input) {
  if (input > 0) return "";
  if (reduces_nothing(node)) return "Identity(g)";
  std::string y = kept(node);
  y.replace(y.find('g'), 1, "y");
  const std::string axes = node.inputs.size() < 2 || node.inputs[1].empty() ? "" : ", x1", chosen = "CastLike(Equal(x0, " + y + "), g)";
  return "Mul(" + chosen + ", Div(" + kept(node) + ", ReduceSum(" + chosen + axes + "; keepdims=1)))";
}

std::string transpose(const Node& node, size_t) {
  std::vector<int64_t> order;
  node.attributes.read("perm", order);
  if (order.empty()) return "Transpose(g)";
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] < 0 || size_t(order[i]) >= order.size()) invalid("perm holds ", order[i]);
    back[size_t(order[i])] = int64_t(i);
  }
  return "Transpose(g; perm=" + list(back) + ")";
}

std::string gemm(const Node& node, size_t input) {
  const bool a = integer(node, "transA", 0), b = integer(node, "transB", 0);
  const auto product = [&](const char* left, const char* right, bool left_turned, bool right_turned) {
    return text("Gemm(", left, ", ", right, "; alpha=@alpha, transA=", int(left_turned), ", transB=", int(right_turned), ")");
  };
  if (input == 0) return a ? product("x1", "g", b, true) : product("g", "x1", false, !b);
  if (input == 1) return b ? product("g", "x0", true, a) : product("x0", "g", !a, false);
  return "Mul(g, CastLike(float " + std::to_string(real(node, "beta", 1)) + ", g))";
}

// MatMul of any rank: a vector becomes a matrix of one row (left) or one column (right), and its gradient a vector again.
std::string matmul(const Node&, size_t input) {
  const std::string missing_left = "ConstantOfShape(Max(Sub(int64 [2], Size(Shape(x0))), int64 [0]); value=int64 [1])";
  const std::string missing_right = "ConstantOfShape(Max(Sub(int64 [2], Size(Shape(x1))), int64 [0]); value=int64 [1])";
  const std::string column = "Concat(Shape(g), " + missing_right + "; axis=0)";
  const std::string rows = "Slice(" + column + ", int64 [0], int64 [-1])";
  const std::string columns = "Slice(" + column + ", int64 [-1], int64 [9223372036854775807])";
  const std::string shape = "Concat(" + rows + ", " + missing_left + ", " + columns + "; axis=0)";
  const std::string g2 = "Reshape(g, " + shape + "; allowzero=1)";
  if (input == 0) {
    const std::string right = "Reshape(x1, Concat(Shape(x1), " + missing_right + "; axis=0); allowzero=1)";
    return "MatMul(" + g2 + ", Einsum(" + right + "; equation=\"...ij->...ji\"))";
  }
  const std::string left = "Reshape(x0, Concat(" + missing_left + ", Shape(x0); axis=0); allowzero=1)";
  const std::string product = "MatMul(Einsum(" + left + "; equation=\"...ij->...ji\"), " + g2 + ")";
  // A vector on the right: (…, K, 1) loses its last axis.
  return "Reshape(" + product + ", Concat(Slice(Shape(" + product + "), int64 [0], int64 [-1]), Slice(Shape(x1), int64 [-1], "
         "Mul(int64 [9223372036854775807], Min(int64 [1], Sub(Size(Shape(x1)), int64 [1])))); axis=0); allowzero=1)";
}

std::string concat(const Node& node, size_t input) {
  const std::string axis = std::to_string(integer(node, "axis", 0));
  const auto size = [&](size_t k) { return text("Gather(Shape(x", k, "), int64 [", axis, "])"); };
  std::string before = "ReduceSum(Concat(int64 [0]";
  for (size_t k = 0; k < input; ++k) before += text(", ", size(k));
  before += "; axis=0); keepdims=1)";
  return "Slice(g, " + before + ", Add(" + before + ", " + size(input) + "), int64 [" + axis + "])";
}

std::string largest(const Node& node, size_t input) {
  if (node.inputs.size() == 1) return "Identity(g)";
  if (node.inputs.size() > 2) unsupported("the gradient of ", node.op, " with ", node.inputs.size(), " inputs");
  const char* condition[] = {"GreaterOrEqual(x0, x1)", "Greater(x1, x0)", "LessOrEqual(x0, x1)", "Less(x1, x0)"};
  return text("Mul(g, CastLike(", condition[input + (node.op == "Max" ? 0 : 2)], ", g))");
}

std::string softmax(const Node& node, size_t) {
  const std::string axis = "int64 [" + std::to_string(integer(node, "axis", -1)) + "]";
  if (node.op == "Softmax") return "Mul(y, Sub(g, ReduceSum(Mul(g, y), " + axis + "; keepdims=1)))";
  return "Sub(g, Mul(Exp(y), ReduceSum(g, " + axis + "; keepdims=1)))";
}

std::string each(const Node& node, size_t) {
  return node.op == "Sum" ? "Identity(g)" : "Div(g, CastLike(float " + std::to_string(node.inputs.size()) + ", g))";
}

const GradientRule rules[] = {
    {.op = "Abs", .formulas = {"Mul(g, Sign(x0))"}},
    {.op = "Acos", .formulas = {"Neg(Div(g, Sqrt(Sub(CastLike(float 1, x0), Mul(x0, x0)))))"}},
    {.op = "Acosh", .formulas = {"Div(g, Sqrt(Sub(Mul(x0, x0), CastLike(float 1, x0))))"}},
    {.op = "Add", .broadcasts = true, .formulas = {"Identity(g)", "Identity(g)"}},
    {.op = "Asin", .formulas = {"Div(g, Sqrt(Sub(CastLike(float 1, x0), Mul(x0, x0))))"}},
    {.op = "Asinh", .formulas = {"Div(g, Sqrt(Add(Mul(x0, x0), CastLike(float 1, x0))))"}},
    {.op = "Atan", .formulas = {"Div(g, Add(CastLike(float 1, x0), Mul(x0, x0)))"}},
    {.op = "Atanh", .formulas = {"Div(g, Sub(CastLike(float 1, x0), Mul(x0, x0)))"}},
    {.op = "Cast", .formulas = {"CastLike(g, x0)"}},
    {.op = "CastLike", .formulas = {"CastLike(g, x0)"}},
    {.op = "Ceil"},
    {.op = "Concat", .formula = concat},
    {.op = "ConstantOfShape"},
    {.op = "Cos", .formulas = {"Neg(Mul(g, Sin(x0)))"}},
    {.op = "Cosh", .formulas = {"Mul(g, Sinh(x0))"}},
    {.op = "Div", .broadcasts = true, .formulas = {"Div(g, x1)", "Neg(Div(Mul(g, y), x1))"}},
    {.op = "Equal"},
    {.op = "Erf", .formulas = {"Mul(g, Mul(CastLike(double 1.1283791670955126, x0), Exp(Neg(Mul(x0, x0)))))"}},
    {.op = "Exp", .formulas = {"Mul(g, y)"}},
    {.op = "Expand", .broadcasts = true, .formulas = {"Identity(g)"}},
    {.op = "Flatten", .formulas = {"Reshape(g, Shape(x0); allowzero=1)"}},
    {.op = "Floor"},
    {.op = "Gemm", .broadcasts = true, .formula = gemm},
    {.op = "Greater"},
    {.op = "GreaterOrEqual"},
    {.op = "Identity", .formulas = {"Identity(g)"}},
    {.op = "IsInf"},
    {.op = "IsNaN"},
    {.op = "Less"},
    {.op = "LessOrEqual"},
    {.op = "Log", .formulas = {"Div(g, x0)"}},
    {.op = "LogSoftmax", .formula = softmax},
    {.op = "MatMul", .broadcasts = true, .formula = matmul},
    {.op = "Max", .broadcasts = true, .formula = largest},
    {.op = "Mean", .broadcasts = true, .formula = each},
    {.op = "Min", .broadcasts = true, .formula = largest},
    {.op = "Mul", .broadcasts = true, .formulas = {"Mul(g, x1)", "Mul(g, x0)"}},
    {.op = "Neg", .formulas = {"Neg(g)"}},
    {.op = "Not"},
    {.op = "Pow", .broadcasts = true, .formulas = {
        "Mul(g, Mul(CastLike(x1, x0), Pow(x0, Sub(x1, CastLike(float 1, x1)))))",
        "CastLike(Where(Equal(x0, CastLike(float 0, x0)), CastLike(float 0, x0), Mul(Mul(g, y), Log(x0))), x1)"}},
    {.op = "Reciprocal", .formulas = {"Neg(Mul(g, Mul(y, y)))"}},
    {.op = "ReduceMax", .formula = extreme},
    {.op = "ReduceMean", .formula = mean},
    {.op = "ReduceMin", .formula = extreme},
    {.op = "ReduceSum", .formula = sum},
    {.op = "Relu", .formulas = {"Mul(g, CastLike(Greater(x0, CastLike(float 0, x0)), g))"}},
    {.op = "Reshape", .formulas = {"Reshape(g, Shape(x0); allowzero=1)"}},
    {.op = "Round"},
    {.op = "Shape"},
    {.op = "Sigmoid", .formulas = {"Mul(g, Mul(y, Sub(CastLike(float 1, y), y)))"}},
    {.op = "Sign"},
    {.op = "Sin", .formulas = {"Mul(g, Cos(x0))"}},
    {.op = "Sinh", .formulas = {"Mul(g, Cosh(x0))"}},
    {.op = "Size"},
    {.op = "Softmax", .formula = softmax},
    {.op = "Sqrt", .formulas = {"Div(Mul(g, CastLike(float 0.5, g)), y)"}},
    {.op = "Squeeze", .formulas = {"Reshape(g, Shape(x0); allowzero=1)"}},
    {.op = "Sub", .broadcasts = true, .formulas = {"Identity(g)", "Neg(g)"}},
    {.op = "Sum", .broadcasts = true, .formula = each},
    {.op = "Tan", .formulas = {"Mul(g, Add(CastLike(float 1, y), Mul(y, y)))"}},
    {.op = "Tanh", .formulas = {"Mul(g, Sub(CastLike(float 1, y), Mul(y, y)))"}},
    {.op = "Transpose", .formula = transpose},
    {.op = "Unsqueeze", .formulas = {"Reshape(g, Shape(x0); allowzero=1)"}},
    {.op = "Where", .broadcasts = true, .formulas = {"", "Where(x0, g, CastLike(float 0, g))", "Where(x0, CastLike(float 0, g), g)"}},
};

}  // namespace

std::span<const GradientRule> gradient_rules() { return rules; }

const GradientRule* gradient_rule(const Node& node) {
  if (!node.domain.empty()) return nullptr;
  const auto it = std::find_if(std::begin(rules), std::end(rules), [&](const GradientRule& r) { return r.op == node.op; });
  return it == std::end(rules) ? nullptr : it;
}

std::string formula_of(const GradientRule& rule, const Node& node, size_t input) {
  if (rule.formula) return rule.formula(node, input);
  return input < rule.formulas.size() ? std::string(rule.formulas[input]) : "";
}

}  // namespace onward
