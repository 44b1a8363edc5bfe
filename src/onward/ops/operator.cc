#include "onward/ops/operator.h"

#include "onward/ops/convert.h"

namespace onward {

const Tensor& Call::tensor(size_t i) const {
  if (!has(i)) invalid("input ", i, " is missing");
  if (const auto* t = inputs[i]->tensor()) return *t;
  invalid("input ", i, " is a sequence or a map, expected a tensor");
}

const Sequence& Call::sequence(size_t i) const {
  if (has(i)) if (const auto* s = std::get_if<Sequence>(inputs[i])) return *s;
  invalid("input ", i, " is not a sequence");
}

const Map& Call::map(size_t i) const {
  if (has(i)) if (const auto* m = std::get_if<Map>(inputs[i])) return *m;
  invalid("input ", i, " is not a map");
}

Tensor& Call::allocate(size_t output, DataType type, Dims dims) {
  ONWARD_CHECK(wants(output));
  outputs[output] = Tensor(type, std::move(dims), context.budget);
  return std::get<Tensor>(outputs[output]);
}

namespace detail {

void wrong_type(DataType expected, DataType found) { invalid("expected ", name_of(expected), ", found ", name_of(found)); }

Integers Binder::take(As<Integers>) {
  if (!call.has(input++)) return {};
  const Tensor& t = call.tensor(input - 1);
  Integers out;
  const bool ok = for_type<i32 | i64>(t.type(), [&]<class T>() { out.assign(t.data<T>(), t.data<T>() + t.size()); });
  if (!ok) invalid("input ", input - 1, ": expected int32 or int64 values, found ", name_of(t.type()));
  out.given = true;
  return out;
}

DataType type_at(const Call& call, int place) {
  if (place >= 0) return call.tensor(size_t(place)).type();
  const Tensor* t = size_t(~place) < call.outputs.size() ? call.outputs[size_t(~place)].tensor() : nullptr;
  return t ? t->type() : DataType::none;
}

static Tensor converted(const Call& call, const Tensor& t, DataType type) {
  Tensor out = call.scratch(type, t.dims());
  convert(t.type(), t.raw(), type, out.raw(), t.size());
  return out;
}

void run_as_float(Call& call, DataType type, FunctionRef<void(Call&)> kernel) {
  std::vector<Value> held(call.inputs.size());
  std::vector<const Value*> inputs(call.inputs.begin(), call.inputs.end());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (const auto* t = inputs[i] ? inputs[i]->tensor() : nullptr; t && t->type() == type) held[i] = converted(call, *t, DataType::f32), inputs[i] = &held[i];
  const auto retype = [&](Value& v, DataType from, auto&& make) { if (auto* t = std::get_if<Tensor>(&v); t && t->type() == from) v = make(*t); };
  std::vector<bool> was_small(call.outputs.size());
  for (size_t k = 0; k < call.outputs.size(); ++k) {
    const Tensor* t = call.outputs[k].tensor();
    was_small[k] = !t || t->type() == type;              // one that the kernel allocates follows its input
    if (t && t->type() == type) call.outputs[k] = call.scratch(DataType::f32, t->dims());
  }
  Call as_float{inputs, call.outputs, call.context, call.scope};
  kernel(as_float);
  for (size_t k = 0; k < call.outputs.size(); ++k)
    if (was_small[k]) retype(call.outputs[k], DataType::f32, [&](const Tensor& t) { return converted(call, t, type); });
}

DataType width_type(DataType type) {
  if (type == DataType::str) return type;
  switch (size_of(type)) {
    case 1: return DataType::u8;
    case 2: return DataType::u16;
    case 4: return DataType::u32;
    case 8: return DataType::u64;
    default: return DataType::c128;
  }
}

}  // namespace detail
}  // namespace onward
