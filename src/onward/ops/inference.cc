#include "onward/ops/inference.h"

#include "onward/base/error.h"

namespace onward {

const Dims& Inference::dims(size_t i) const {
  if (!has(i)) {
    if (symbols) throw NothingKnown{};
    invalid("input ", i, " is missing");
  }
  if (!inputs[i].dims) {
    if (symbols) throw NothingKnown{};
    invalid("input ", i, " is not a tensor");
  }
  return *inputs[i].dims;
}

const Tensor* Inference::value(size_t i) {
  reads_values = reads_values || i >= 64 || !(constants >> i & 1);
  return has(i) ? inputs[i].value : nullptr;
}

std::optional<Dims> Inference::values(size_t i) {
  reads_values = reads_values || i >= 64 || !(constants >> i & 1);
  if (!has(i)) return std::nullopt;
  if (inputs[i].value) {
    Dims out;
    const Tensor& t = *inputs[i].value;
    const bool ok = for_type<i32 | i64>(t.type(), [&]<class T>() { out.assign(t.data<T>(), t.data<T>() + t.size()); });
    if (!ok) invalid("input ", i, ": expected int32 or int64 values, found ", name_of(t.type()));
    for (int64_t& v : out) v = std::max(v, first_symbol);  // "before everything" stays that, and reads as no symbol
    return out;
  }
  if (!inputs[i].sizes || std::any_of(inputs[i].sizes->begin(), inputs[i].sizes->end(), is_symbol)) return std::nullopt;
  return inputs[i].sizes;
}

std::optional<Dims> Inference::sizes(size_t i) {
  if (symbols && !contains(i32 | i64, type(i))) return std::nullopt;
  if (auto known = values(i)) return known;
  return has(i) ? inputs[i].sizes : std::nullopt;
}

int64_t Inference::unknown() {
  if (!symbols) invalid("an input that decides the shape is missing, has the wrong type or another number of elements");
  return symbols->fresh();
}

int64_t Inference::add(int64_t a, int64_t b) { return is_symbol(a) || is_symbol(b) ? symbols->add(a, b) : a + b; }
int64_t Inference::subtract(int64_t a, int64_t b) { return is_symbol(a) || is_symbol(b) ? symbols->subtract(a, b) : a - b; }
int64_t Inference::multiply(int64_t a, int64_t b) {
  if (is_symbol(a) || is_symbol(b)) return symbols->multiply(a, b);
  int64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) fail(Code::limit_size, "a size of ", a, " times ", b);
  return out;
}
int64_t Inference::divide(int64_t a, int64_t b) {
  if (is_symbol(a) || is_symbol(b)) return symbols->divide(a, b);
  if (b == 0) invalid("a size of ", a, " divided by 0");
  return a / b;
}
int64_t Inference::divide_up(int64_t a, int64_t b) {
  if (is_symbol(a) || is_symbol(b)) return symbols->divide_up(a, b);
  if (b == 0) invalid("a size of ", a, " divided by 0");
  return a / b + (a % b > 0);
}
int64_t Inference::product(std::span<const int64_t> dims) {
  int64_t out = 1;
  for (int64_t d : dims) out = multiply(out, d);
  return out;
}

void Inference::output_of(size_t i, TypeInfo::Kind kind, Fact item) {
  output_fact(i, {.kind = kind, .item = std::make_shared<const Fact>(std::move(item))});
}

Dims Inference::unknown_dims(size_t rank) {
  Dims out;
  while (out.size() < rank) out.push_back(unknown());
  return out;
}

Fact joined(const Fact& a, const Fact& b, Symbols* symbols) {
  if (a.kind != b.kind || a.type != b.type) return {};
  Fact out{.type = a.type, .value = a.value == b.value ? a.value : nullptr, .kind = a.kind};
  if (a.item && b.item) out.item = a.item == b.item ? a.item : std::make_shared<const Fact>(joined(*a.item, *b.item, a.kind == TypeInfo::Kind::optional ? symbols : nullptr));
  if (a.sizes && b.sizes && *a.sizes == *b.sizes) out.sizes = a.sizes;
  if (!a.dims || !b.dims || a.dims->size() != b.dims->size()) return out;
  out.dims = a.dims;
  for (size_t axis = 0; axis < out.dims->size(); ++axis)
    if ((*out.dims)[axis] != (*b.dims)[axis]) (*out.dims)[axis] = symbols ? symbols->fresh() : differs;
  return out;
}

Fact one_item(Fact item, Symbols& symbols) {
  if (item.dims) for (int64_t& size : *item.dims) if (size == differs) size = symbols.fresh();
  return item;
}

Fact every_item(Fact one, const Symbols& symbols) {
  if (one.dims) for (int64_t& size : *one.dims) if (symbols.is_fresh(size)) size = differs;
  one.value = nullptr, one.sizes = std::nullopt;
  return one;
}

}  // namespace onward
