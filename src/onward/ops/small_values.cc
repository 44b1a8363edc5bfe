#include "onward/ops/small_values.h"

namespace onward {
namespace {

constexpr int64_t most_items = 1024;
constexpr Types followed = i32 | i64 | b8;

// Elements of a shape without symbols; -1 where that is not known, or more than is followed.
int64_t few(const std::optional<Dims>& dims) {
  if (!dims) return -1;
  int64_t n = 1;
  for (int64_t d : *dims) if (is_symbol(d) || d > most_items || (n *= d) > most_items) return -1;
  return n;
}

// Kernels of constants: what they answer is what every run would compute. A body does not run here, it says so by an error.
bool run_small(const Operator& op, const void* self, std::span<const Fact> inputs, std::span<Fact> outputs, std::deque<Tensor>& values) {
  if (op.facts.random) return false;
  std::vector<Value> arguments, results(outputs.size());
  for (const Fact& in : inputs) {
    const bool left_out = in.kind == TypeInfo::Kind::none;
    if (!left_out && (!in.is_tensor() || !in.value || in.value->size() > most_items)) return false;
    arguments.push_back(left_out ? Value() : Value(*in.value));
  }
  std::vector<Fact> facts(inputs.begin(), inputs.end()), exact;
  for (const Fact& out : outputs) exact.push_back({.type = out.type});
  Inference io{facts, exact};
  constexpr size_t most_bytes = 1 << 20;
  RunContext context;
  context.budget = std::make_shared<MemoryBudget>(most_bytes);
  try {
    op.infer(self, io);
    for (size_t k = 0; k < exact.size(); ++k) {
      if (!exact[k].dims) continue;
      if (exact[k].type == DataType::none || few(exact[k].dims) < 0) return false;
      results[k] = Tensor(exact[k].type, *exact[k].dims, context.budget);
    }
    std::vector<const Value*> pointers;
    for (const Value& v : arguments) pointers.push_back(v.empty() ? nullptr : &v);
    Call call{pointers, results, context};
    op.run(self, call);
  } catch (const Error&) {
    return false;                                         // it belongs to the run that reaches it
  }
  for (size_t k = 0; k < outputs.size(); ++k)
    if (const Tensor* t = results[k].tensor(); t && t->type() != DataType::str) outputs[k] = {.type = t->type(), .dims = t->dims(), .value = &values.emplace_back(t->copy())};
  return true;
}

// An input left out makes no sense in arithmetic.
bool follow(const Operator& op, std::span<const Fact> inputs, Fact& out, Symbols& symbols) {
  const int64_t n = few(out.dims);
  if (!op.facts.on_sizes || n < 0 || !contains(followed, out.type)) return false;
  std::vector<Dims> operands;
  for (const Fact& in : inputs) {
    auto items = items_of(in);
    if (!items || (int64_t(items->size()) != n && items->size() != 1)) return false;
    operands.push_back(std::move(*items));
  }
  if (operands.empty()) return false;
  Dims answer, row(operands.size());
  for (int64_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < operands.size(); ++k) row[k] = operands[k][operands[k].size() == 1 ? 0 : size_t(i)];
    int64_t item = op.facts.on_sizes(symbols, row);
    constexpr int64_t most = int64_t(1) << 62;
    if (!is_symbol(item) && (item > most || item < -most || (out.type == DataType::i32 && item != int32_t(item)))) item = symbols.fresh_item();
    answer.push_back(item);
  }
  out.sizes = std::move(answer);
  return true;
}

}  // namespace

std::optional<Dims> items_of(const Fact& fact) {
  if (!fact.is_tensor() || !contains(followed, fact.type)) return std::nullopt;
  if (!fact.value) return fact.sizes;
  if (fact.value->size() > most_items) return std::nullopt;
  Dims out;
  for_type<followed>(fact.type, [&]<class T>() { out.assign(fact.value->data<T>(), fact.value->data<T>() + fact.value->size()); });
  for (int64_t& item : out) item = std::max(item, first_symbol);
  return out;
}

void infer_items(const Operator& op, const void* self, std::span<Fact> inputs, std::span<Fact> outputs, Symbols& symbols, std::deque<Tensor>& values) {
  if (run_small(op, self, inputs, outputs, values)) return;
  if (outputs.size() == 1 && !outputs[0].sizes) follow(op, inputs, outputs[0], symbols);
  for (Fact& out : outputs)                               // all known after all: a value like any other
    if (out.sizes && contains(i32 | i64, out.type) && few(out.dims) == int64_t(out.sizes->size()) && std::none_of(out.sizes->begin(), out.sizes->end(), is_symbol)) {
      Tensor t(out.type, *out.dims);
      for_type<i32 | i64>(out.type, [&]<class T>() { std::copy(out.sizes->begin(), out.sizes->end(), t.data<T>()); });
      out.value = &values.emplace_back(std::move(t));
    }
}

}  // namespace onward
