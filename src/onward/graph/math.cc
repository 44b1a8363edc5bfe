// Arithmetic, comparison and reductions. Shapes and tables: shaping.cc.
#include "onward/graph/math.h"

namespace onward {
namespace {

Dims broadcast(const Location& at, std::string_view op, const Expr& a, const Expr& b) {
  const Dims &s = a.shape(), &t = b.shape();
  Dims out(std::max(s.size(), t.size()));
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t p = i < s.size() ? s[s.size() - 1 - i] : 1, q = i < t.size() ? t[t.size() - 1 - i] : 1;
    if (p != q && p != 1 && q != 1) formula_error(at, text(op, " of ", shown(a), " and ", shown(b), ": the shapes do not fit"));
    out[out.size() - 1 - i] = p == 1 ? q : p;
  }
  return out;
}

struct Pair {
  Expr a, b;
};
Pair together(const Operand& a, const Operand& b, std::string_view op) {
  GraphBuilder* g = a.graph() ? a.graph() : b.graph();
  if (!g) formula_error(a.at, text(op, " of two constants: compute it with Array::map"), Code::internal);
  Expr p = a.graph() ? a.in(*g) : Expr();
  const Expr q = b.in(*g, a.graph() ? p.type() : DataType::f64);
  if (!a.graph()) p = a.in(*g, q.type());
  if (p.type() != q.type()) formula_error(a.at, text(op, " of ", shown(p), " and ", shown(q), ": the types differ"), Code::internal);
  return {p, q};
}

Expr binary(const char* op, const Operand& a, const Operand& b, std::optional<DataType> result = {}) {
  const auto [p, q] = together(a, b, op);
  return p.graph->add(op, {p, q}, {}, Result{result.value_or(p.type()), broadcast(a.at, op, p, q)});
}

Expr of(const Operand& x) {
  if (!x.graph()) formula_error(x.at, "a formula needs a value of the graph here, not a constant", Code::internal);
  return x.in(*x.graph());
}

Expr reduce(const char* op, const Operand& x, int axis, bool keep) {
  const Expr e = of(x);
  Dims shape = e.shape();
  const size_t at = size_t(axis < 0 ? axis + int(shape.size()) : axis);
  if (at >= shape.size()) formula_error(x.at, text(op, " over axis ", axis, " of ", shown(e)));
  if (keep) shape[at] = 1;
  else shape.erase(shape.begin() + at);
  // Minimum and maximum take their axes as an input since opset 18, sums since 13.
  return e.graph->add(op, {e, e.graph->constant(Array<int64_t>{int64_t(at)})}, {{"keepdims", int64_t{keep}}}, Result{e.type(), shape});
}

Expr arg(const char* op, const Operand& x) {
  const Expr e = of(x);
  if (e.shape().empty()) formula_error(x.at, text(op, " of ", shown(e)));
  return e.graph->add(op, {e}, {{"axis", int64_t{-1}}, {"keepdims", int64_t{0}}},
                      Result{DataType::i64, Dims(e.shape().begin(), e.shape().end() - 1)});
}

}  // namespace

void formula_error(const Location& at, const std::string& message, Code code) {
  std::string_view file = at.file_name();
  file.remove_prefix(std::min(file.size(), file.rfind('/') + 1));
  fail(code, file, ":", at.line(), ": ", message);
}

GraphBuilder* Operand::graph() const { return std::holds_alternative<Expr>(what_) ? std::get<Expr>(what_).graph : nullptr; }

Expr Operand::in(GraphBuilder& g, DataType wanted) const {
  if (auto* e = std::get_if<Expr>(&what_)) return *e;
  if (auto* t = std::get_if<Tensor>(&what_)) return g.constant(*t);
  const double v = std::get<double>(what_);
  Tensor lone;
  const bool ok = for_type<f32 | f64 | i64 | i32>(wanted, [&]<class T>() { lone = Tensor::scalar(T(v)); });
  if (!ok) formula_error(at, text("a number beside a ", name_of(wanted)), Code::internal);
  return g.constant(lone);
}

Expr operator+(const Operand& a, const Operand& b) { return binary("Add", a, b); }
Expr operator-(const Operand& a, const Operand& b) { return binary("Sub", a, b); }
Expr operator*(const Operand& a, const Operand& b) { return binary("Mul", a, b); }
Expr operator/(const Operand& a, const Operand& b) { return binary("Div", a, b); }
Expr operator<(const Operand& a, const Operand& b) { return binary("Less", a, b, DataType::b8); }
Expr operator<=(const Operand& a, const Operand& b) { return binary("LessOrEqual", a, b, DataType::b8); }
Expr operator>(const Operand& a, const Operand& b) { return binary("Greater", a, b, DataType::b8); }
Expr operator>=(const Operand& a, const Operand& b) { return binary("GreaterOrEqual", a, b, DataType::b8); }
Expr equal(const Operand& a, const Operand& b) { return binary("Equal", a, b, DataType::b8); }
Expr either(const Operand& a, const Operand& b) { return binary("Or", a, b); }
Expr both(const Operand& a, const Operand& b) { return binary("And", a, b); }
Expr maximum(const Operand& a, const Operand& b) { return binary("Max", a, b); }
Expr minimum(const Operand& a, const Operand& b) { return binary("Min", a, b); }
Expr power(const Operand& a, const Operand& b) { return binary("Pow", a, b); }

Expr where(const Operand& condition, const Operand& yes, const Operand& no) {
  const Expr c = of(condition);
  if (c.type() != DataType::b8) formula_error(condition.at, text("where needs a bool condition, not ", shown(c)), Code::internal);
  Expr p = yes.graph() ? yes.in(*c.graph) : Expr(), q = no.graph() ? no.in(*c.graph) : Expr();
  if (!yes.graph()) p = yes.in(*c.graph, no.graph() ? q.type() : DataType::f64);
  if (!no.graph()) q = no.in(*c.graph, p.type());
  if (p.type() != q.type())
    formula_error(condition.at, text("where of ", shown(p), " and ", shown(q), ": the types differ"), Code::internal);
  const Dims both = broadcast(condition.at, "where", p, q);
  const Expr widest = p.shape() == both ? p : q;
  return c.graph->add("Where", {c, p, q}, {}, Result{p.type(), broadcast(condition.at, "where", c, widest)});
}

Expr unary(const char* op, const Operand& x) {
  const Expr e = of(x);
  return e.graph->add(op, {e}, {}, Result{e.type(), e.shape()});
}
Expr negation(const Operand& x) { return unary("Not", x); }
Expr is_nan(const Operand& x) {
  const Expr e = of(x);
  return e.graph->add("IsNaN", {e}, {}, Result{DataType::b8, e.shape()});
}
Expr negated(const Operand& x) { return unary("Neg", x); }
Expr exp(const Operand& x) { return unary("Exp", x); }
Expr log(const Operand& x) { return unary("Log", x); }
Expr sqrt(const Operand& x) { return unary("Sqrt", x); }
Expr abs(const Operand& x) { return unary("Abs", x); }
// Not the Sigmoid operator: ONNX Runtime's is accurate to 1e-16 absolutely, not relatively (0 at -40 instead of 4e-18), and
// one-against-rest probabilities divide such numbers by their sum.
Expr sigmoid(const Operand& x) { return 1.0 / (1.0 + exp(negated(x))); }
Expr softmax(const Operand& x) {
  const Expr e = exp(x - max(x));
  return e / sum(e);
}

Expr matmul(const Operand& a, const Operand& b) {
  const auto [p, q] = together(a, b, "MatMul");
  const Dims &s = p.shape(), &t = q.shape();
  if (s.size() != 2 || t.size() != 2) formula_error(a.at, text("matmul of ", shown(p), " and ", shown(q), ": both must be matrices"));
  if (s[1] != t[0]) formula_error(a.at, text("matmul of ", shown(p), " and ", shown(q), ": the inner dimensions differ"));
  return p.graph->add("MatMul", {p, q}, {}, Result{p.type(), {s[0], t[1]}});
}

Expr transposed(const Operand& x) {
  const Expr e = of(x);
  if (e.shape().size() != 2) formula_error(x.at, text("transposed of ", shown(e), ": not a matrix"));
  return e.graph->add("Transpose", {e}, {{"perm", std::vector<int64_t>{1, 0}}}, Result{e.type(), {e.shape()[1], e.shape()[0]}});
}

Expr sum(const Operand& x, int axis, bool keep) { return reduce("ReduceSum", x, axis, keep); }
Expr max(const Operand& x, int axis, bool keep) { return reduce("ReduceMax", x, axis, keep); }
Expr min(const Operand& x, int axis, bool keep) { return reduce("ReduceMin", x, axis, keep); }
Expr argmax(const Operand& x) { return arg("ArgMax", x); }
Expr argmin(const Operand& x) { return arg("ArgMin", x); }

Top smallest(const Operand& x, int64_t k) {
  const Expr e = of(x);
  if (k < 1 || e.shape().empty() || e.shape().back() < k) formula_error(x.at, text("the ", k, " smallest of ", shown(e)));
  Dims shape = e.shape();
  shape.back() = k;
  const auto r = e.graph->add("TopK", {e, e.graph->constant(Array<int64_t>{k})},
                              {{"axis", int64_t{-1}}, {"largest", int64_t{0}}, {"sorted", int64_t{1}}},
                              std::vector<Result>{{e.type(), shape}, {DataType::i64, shape}});
  return {r[0], r[1]};
}

}  // namespace onward
