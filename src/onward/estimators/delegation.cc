#include "onward/estimators/delegation.h"

#include <numeric>

#include "onward/estimators/side_by_side.h"

namespace onward {

Outputs ask(const Estimator& part, const Frame& x, const std::string& name) {
  const GraphBuilder::Scope scope(x.graph(), name);
  try {
    return part(x);
  } catch (Error& e) {
    throw_within(e, text("part '", name.substr(0, 80), "'"));
  }
}

std::vector<Outputs> ask_all(const Parts& parts, const Frame& x) {
  std::vector<Outputs> all;
  SideBySide each;
  for (size_t i = 0; i < parts.size(); ++i) each.attempt([&] { all.push_back(ask(parts[i], x, std::to_string(i))); });
  each.refuse();
  return all;
}

Expr predicted(const Outputs& o) {
  if (!o.predict) fail(Code::unsupported_estimator, "a part does not predict");
  return *o.predict;
}
Expr probabilities_of(const Outputs& o) {
  if (!o.predict_proba) fail(Code::unsupported_estimator, "a part gives no probabilities of its classes");
  return cast(*o.predict_proba, DataType::f64);
}
bool decides(const Outputs& o) { return o.decision_function && !o.margin; }
Expr decision_of(const Outputs& o) {
  if (!decides(o)) fail(Code::unsupported_estimator, "a part has no decision function");
  const Expr z = cast(*o.decision_function, DataType::f64);
  return z.columns() == 1 ? vector_of(z) : z;
}

Response response_of(const Outputs& o, const std::vector<Method>& methods) {
  if (o.role == Outputs::Role::regressor) return {Method::predict, predicted(o)};
  for (const Method m : methods) {
    if (m == Method::predict_proba && o.predict_proba) {
      const Expr p = probabilities_of(o);
      return {m, p.columns() == 2 ? column(p, 1) : p};
    }
    if (m == Method::decision_function && decides(o)) return {m, decision_of(o)};
    if (m == Method::predict && o.predict) return {m, *o.predict};
  }
  fail(Code::unsupported_estimator, "a part has none of the methods that it is asked for");
}

Expr vector_of(Expr e) { return e.shape().size() == 1 ? e : reshaped(e, {rows}); }
Expr column_of(Expr e) { return e.shape().size() == 2 ? e : reshaped(e, {rows, 1}); }

std::vector<Expr> of_one_type(std::vector<Expr> all) {
  const bool narrow = std::ranges::all_of(all, [](const Expr& e) { return e.type() == DataType::f32; });
  for (Expr& e : all) e = cast(e, narrow ? DataType::f32 : DataType::f64);
  return all;
}
Expr sum_in_order(const std::vector<Expr>& all) {
  if (all.empty()) fail(Code::bad_file, "there are no parts to add up");
  return std::accumulate(all.begin() + 1, all.end(), all[0], [](Expr a, Expr b) { return a + b; });
}

namespace {

Tensor whole(const Tensor& t) {  // bools as integers
  if (t.type() != DataType::b8) return t;
  const Array<bool> b(t);
  return Array<int64_t>::of(b.shape(), [&](int64_t i) { return int64_t(b[i]); });
}
Array<int64_t> counting(int64_t n) {
  return Array<int64_t>::of({n}, [](int64_t i) { return i; });
}
template <class F>
void with_items(const Tensor& t, F f) {
  const Tensor w = whole(t);
  if (w.type() == DataType::str) f(Array<std::string>(w));
  else if (w.type() == DataType::i64) f(Array<int64_t>(w));
  else f(Numbers(w));
}

}  // namespace

Expr class_index(Expr labels, const Tensor& classes) {
  const Tensor keys = whole(classes);
  if (keys.type() == DataType::i64) {
    labels = cast(labels, DataType::i64);
    const Array<int64_t> k(keys);
    if (std::ranges::equal(k, counting(k.size()))) return labels;
  }
  if (keys.type() == DataType::f64) labels = cast(labels, DataType::f64);
  return lookup(labels, keys, counting(keys.size()), keys.size());
}

Expr one_hot(Expr index, int64_t width) {
  return pick(Numbers::of({width + 1, width}, [&](int64_t i) { return i / width == i % width ? 1.0 : 0.0; }), index);
}

std::vector<int64_t> places_among(const Tensor& some, const Tensor& all) {
  std::vector<int64_t> places;
  const auto missing = [] { fail(Code::bad_file, "a part knows a class that the whole does not have"); };
  if (whole(some).type() != whole(all).type()) missing();
  with_items(some, [&](const auto& items) {
    const std::decay_t<decltype(items)> among(whole(all));
    for (const auto& item : items) {
      const auto at = std::find(among.begin(), among.end(), item);
      if (at == among.end()) missing();
      places.push_back(at - among.begin());
    }
  });
  return places;
}

std::optional<Label> label_of(const plain::Value& v) {
  if (v.is(plain::Kind::text)) return Label(std::string(v.str()));
  if (v.is(plain::Kind::integer)) return Label(double(v.integer));
  if (v.is(plain::Kind::boolean)) return Label(double(v.boolean));
  if (v.is(plain::Kind::real)) return Label(v.real);
  return {};
}

std::optional<int64_t> place_of(const Label& label, const Tensor& classes) {
  std::optional<int64_t> place;
  with_items(classes, [&](const auto& items) {
    const auto same = [&](const auto& item) {
      if constexpr (std::is_same_v<std::decay_t<decltype(item)>, std::string>) return label == Label(item);
      else return label == Label(double(item));
    };
    const auto at = std::find_if(items.begin(), items.end(), same);
    if (at != items.end()) place = at - items.begin();
  });
  return place;
}

Expr spread(Expr values, const std::vector<int64_t>& places, int64_t width, double otherwise) {
  if (int64_t(places.size()) != values.columns())
    fail(Code::bad_file, "a part has ", places.size(), " classes and gives ", values.columns());
  if (int64_t(places.size()) == width && std::ranges::is_sorted(places)) return values;
  std::vector<int64_t> from(size_t(width), int64_t(places.size()));  // behind the last: the column of what is missing
  for (size_t k = 0; k < places.size(); ++k) from[size_t(places[k])] = int64_t(k);
  const Expr none = where(equal(columns(values, {0}), 0.0), otherwise, Numbers{otherwise});
  return columns(concat({values, none}), from);
}

Expr row_zeros(const Frame& x) {
  GraphBuilder& g = x.graph();
  Expr known = x.column(0);
  for (int64_t i = 0; i < x.size() && g.open(known); ++i) known = x.column(i);
  if (g.open(known)) known = as_numbers(known);
  const Expr count = g.add("Shape", {known}, {{"start", int64_t{0}}, {"end", int64_t{1}}}, Result{DataType::i64, {1}});
  return g.add("ConstantOfShape", {count}, {{"value", Tensor(Array<int64_t>{0})}}, Result{DataType::i64, {rows}});
}

void takes_what_its_parts_take(Fields& f, const Parts& parts) {
  if (f.facts().n_features_in < 0 && !parts.empty()) f.same_input_as(parts[0].facts());
}

Numbers numbers_of(Fields& f, std::string_view name) {
  const auto v = f.get(name);
  if (!v || v->is(plain::Kind::none)) return {};
  if (v->is(plain::Kind::array) && v->array->type->kind != 'O') {
    Numbers all;
    f.assign(name, *v, all, {});
    return all && all.shape().size() == 1 ? all : all.reshaped({all.size()});
  }
  std::vector<double> all;
  f.assign(name, *v, all, {});
  return Numbers({int64_t(all.size())}, all);
}

}  // namespace onward
