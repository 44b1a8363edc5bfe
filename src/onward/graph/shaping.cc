// Casts, shapes, columns, tables, and what an input turns out to be.
#include "onward/graph/math.h"

namespace onward {
namespace {

Expr of(const Operand& x) {
  if (!x.graph()) formula_error(x.at, "a formula needs a value of the graph here, not a constant", Code::internal);
  return x.in(*x.graph());
}
Tensor indices(const std::vector<int64_t>& items) { return Tensor::of<int64_t>({int64_t(items.size())}, items); }

}  // namespace

Expr cast(const Operand& x, DataType to) {
  const Expr e = of(x);
  if (e.type() == to) return e;
  return e.graph->add("Cast", {e}, {{"to", int64_t(to)}}, Result{to, e.shape()});
}

Expr reshaped(const Operand& x, Dims shape) {
  const Expr e = of(x);
  const Dims& now = e.shape();
  std::vector<int64_t> wanted;
  Dims result = shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && i >= now.size()) formula_error(x.at, text("reshape of ", shown(e), " to rank ", shape.size()));
    if (shape[i] == 0) result[i] = now[i];
    wanted.push_back(shape[i] == rows ? -1 : shape[i]);
  }
  const auto of_one_row = [](const Dims& dims) {
    int64_t n = 1;
    for (int64_t d : dims)
      if (d != rows) n *= d;
    return n;
  };
  if (of_one_row(now) != of_one_row(result)) formula_error(x.at, text("reshape of ", shown(e), " to ", e.graph->shown(result)));
  if (result == now) return e;
  return e.graph->add("Reshape", {e, e.graph->constant(indices(wanted))}, {}, Result{e.type(), result});
}

Expr concat(const std::vector<Expr>& parts, Location at) {
  if (parts.empty()) formula_error(at, "concat of nothing");
  if (parts.size() == 1) return parts[0];
  Dims shape = parts[0].shape();
  shape.back() = 0;
  for (const Expr& e : parts) {
    if (e.type() != parts[0].type())
      formula_error(at, text("concat of ", shown(parts[0]), " and ", shown(e), ": the types differ"), Code::internal);
    if (e.shape().size() != shape.size()) formula_error(at, text("concat of ", shown(parts[0]), " and ", shown(e), ": the ranks differ"));
    shape.back() += e.shape().back();
  }
  return parts[0].graph->add("Concat", parts, {{"axis", int64_t{-1}}}, Result{parts[0].type(), shape});
}

Expr columns(const Operand& x, const std::vector<int64_t>& which) {
  const Expr e = of(x);
  if (e.shape().size() < 2) formula_error(x.at, text("columns of ", shown(e)));
  bool all = int64_t(which.size()) == e.columns();
  for (size_t i = 0; i < which.size(); ++i) {
    if (which[i] < 0 || which[i] >= e.columns()) formula_error(x.at, text("column ", which[i], " of ", shown(e)));
    all &= which[i] == int64_t(i);
  }
  if (all) return e;
  Dims shape = e.shape();
  shape[1] = int64_t(which.size());
  return e.graph->add("Gather", {e, e.graph->constant(indices(which))}, {{"axis", int64_t{1}}}, Result{e.type(), shape});
}
Expr column(const Operand& x, int64_t which, Location at) {
  const Expr one = columns(Operand(of(x), at), {which});
  return reshaped(Operand(one, at), {rows});
}

Expr pick(const Operand& table, const Operand& row) {
  GraphBuilder& g = *of(row).graph;
  const Expr t = table.in(g), r = row.in(g);
  if (r.type() != DataType::i64) formula_error(row.at, text("pick needs int64 row numbers, not ", shown(r)), Code::internal);
  if (t.shape().empty()) formula_error(table.at, text("pick from ", shown(t)));
  Dims shape = r.shape();
  for (size_t i = 1; i < t.shape().size(); ++i) shape.push_back(t.shape()[i]);
  return g.add("Gather", {t, r}, {{"axis", int64_t{0}}}, Result{t.type(), shape});
}

Expr lookup(const Operand& x, const Tensor& keys, const Array<int64_t>& values, int64_t otherwise) {
  const Expr e = of(x);
  if (e.type() != keys.type())
    formula_error(x.at, text("lookup of ", shown(e), " among keys of type ", name_of(keys.type())), Code::internal);
  if (keys.size() != values.size()) formula_error(x.at, text("lookup with ", keys.size(), " keys and ", values.size(), " values"));
  if (keys.size() == 0) return cast(equal(x, x), DataType::i64) * 0.0 + double(otherwise);
  if (e.type() != DataType::f64)
    return e.graph->add("LabelEncoder", {e},
                        {{"keys_tensor", keys}, {"values_tensor", values}, {"default_tensor", Tensor(Array<int64_t>{otherwise})}},
                        Result{DataType::i64, e.shape()}, "ai.onnx.ml");
  // LabelEncoder has no double -> int64 kernel in ONNX Runtime; double -> double holds the numbers exactly.
  const Tensor reals = Numbers::of(values.shape(), [&](int64_t i) { return double(values[i]); });
  const Expr found = e.graph->add("LabelEncoder", {e},
                                  {{"keys_tensor", keys}, {"values_tensor", reals}, {"default_tensor", Tensor(Numbers{double(otherwise)})}},
                                  Result{DataType::f64, e.shape()}, "ai.onnx.ml");
  return cast(found, DataType::i64);
}

Expr as_type(const Operand& x, DataType type) {
  const Expr e = of(x);
  if (e.graph->open(e)) e.graph->decide(e, type == DataType::f64 ? e.graph->number_type : type);
  return e;
}
Expr as_numbers(const Operand& x) {
  const Expr e = as_type(x, DataType::f64);
  if (e.type() == DataType::str) fail(Code::unsupported_estimator, "'", e.name(), "' holds strings; numbers are needed");
  return cast(Operand(e, x.at), DataType::f64);
}
Expr as_strings(const Operand& x) {
  const Expr e = as_type(x, DataType::str);
  if (e.type() != DataType::str) fail(Code::unsupported_estimator, "'", e.name(), "' holds ", name_of(e.type()), "; strings are needed");
  return e;
}

}  // namespace onward
