#include "onward/validate/same_answers.h"

#include <cmath>

#include "onward/ops/operator.h"

namespace onward {
namespace {

constexpr int64_t made_up_rows = 7;

// Of the largest number of an output: sums in another order, and functions written out, lose a few roundings.
double tolerance_of(DataType type) {
  return type == DataType::f64 ? 1e-11 : type == DataType::f32 ? 1e-5 : type == DataType::f16 ? 0x1p-8 : 0x1p-5;
}

// Where the two differ, for people; empty where they do not.
std::string difference_of(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type() || !(a.dims() == b.dims())) return text(shown(a), " became ", shown(b));
  std::string out;
  for_type<every_type>(a.type(), [&]<class T>() {
    double largest = 0;
    if constexpr (contains(f32 | f64 | small_floats, type_of<T>))
      for (int64_t i = 0; i < a.size(); ++i) if (const auto x = std::abs(double(compute_t<T>(a.data<T>()[i]))); std::isfinite(x)) largest = std::max(largest, x);
    for (int64_t i = 0; i < a.size() && out.empty(); ++i) {
      const T &x = a.data<T>()[i], &y = b.data<T>()[i];
      if constexpr (contains(f32 | f64 | small_floats, type_of<T>)) {
        const auto p = double(compute_t<T>(x)), q = double(compute_t<T>(y));
        if (p == q || (std::isnan(p) && std::isnan(q)) || std::abs(p - q) <= tolerance_of(type_of<T>) * largest) continue;
        out = text("element ", i, " was ", p, " and is ", q);
      } else if (!(x == y)) {
        out = text("element ", i, " differs");
      }
    }
  });
  return out;
}

std::string difference_of(const Value& a, const Value& b) {
  if (a.index() != b.index()) return "a value became one of another kind";
  if (a.tensor()) return difference_of(*a.tensor(), *b.tensor());
  if (auto* x = std::get_if<Sequence>(&a)) {
    const auto& y = std::get<Sequence>(b);
    if (x->items.size() != y.items.size()) return text("a sequence of ", x->items.size(), " items became one of ", y.items.size());
    for (size_t i = 0; i < x->items.size(); ++i) if (const std::string d = difference_of(x->items[i], y.items[i]); !d.empty()) return text("item ", i, ": ", d);
  }
  if (auto* x = std::get_if<Map>(&a)) {
    const auto& y = std::get<Map>(b);
    for (const auto& [p, q] : {std::pair(x->keys, y.keys), std::pair(x->values, y.values)}) if (const std::string d = difference_of(p, q); !d.empty()) return d;
  }
  return "";
}

int64_t elements_of(const Value& value) {
  if (value.tensor()) return value.tensor()->size();
  int64_t n = 0;
  if (auto* s = std::get_if<Sequence>(&value)) for (const Value& item : s->items) n += elements_of(item);
  if (auto* m = std::get_if<Map>(&value)) n = m->values.size();
  return n;
}

bool draws_random_numbers(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    const Operator* op = find_operator(node.domain, node.op);
    if (op && op->facts.random && !node.attributes.contains("seed")) return true;
    for (const auto& [name, a] : node.attributes) if (auto* g = std::get_if<GraphRef>(&a); g && *g && draws_random_numbers(**g)) return true;
  }
  return false;
}

NamedValues answers(const std::shared_ptr<const Session>& session, const Table* rows, const NamedValues& inputs, const RunOptions& options) {
  if (rows) {
    std::vector<std::string> columns;
    for (const Column& c : rows->columns) columns.push_back(c.name);
    return TableSession(session, columns).run(*rows, options);
  }
  NamedValues out;
  std::vector<Value> values = session->run({}, inputs, options);
  for (size_t i = 0; i < values.size(); ++i) out.emplace_back(session->outputs()[i].name, std::move(values[i]));
  return out;
}

}  // namespace

SameAnswers same_answers(const std::shared_ptr<const Session>& before, const std::shared_ptr<const Session>& after, const Table* rows, const RunOptions& options) {
  SameAnswers out;
  if (draws_random_numbers(before->optimized().graph)) return {"the model draws random numbers", "", 0};
  NamedValues inputs, expected;
  try {
    if (!rows) inputs = made_up_inputs(*before, made_up_rows);
    expected = answers(before, rows, inputs, options);
  } catch (const Error& e) {
    if (rows || int(e.code) / 100 >= 5) throw;
    return {e.message, "", 0};
  }
  const NamedValues given = answers(after, rows, inputs, options);
  for (size_t i = 0; i < expected.size() && i < given.size(); ++i) {
    out.elements += elements_of(expected[i].second);
    const std::string difference = difference_of(expected[i].second, given[i].second);
    if (!difference.empty()) return out.difference = text("output '", expected[i].first, "': ", difference), out;
  }
  if (expected.size() != given.size()) out.difference = text(expected.size(), " outputs became ", given.size());
  return out;
}

}  // namespace onward
