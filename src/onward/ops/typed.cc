#include "onward/ops/typed.h"

#include "onward/ops/convert.h"

namespace onward {

std::vector<double> as_doubles(const Tensor& t) {
  std::vector<double> out(size_t(t.size()));
  convert(t.type(), t.raw(), DataType::f64, out.data(), t.size());
  return out;
}

Tensor as_type(const Call& call, const Tensor& t, DataType type) {
  if (t.type() == type) return t;
  Tensor out = call.scratch(type, t.dims());
  convert(t.type(), t.raw(), type, out.raw(), t.size());
  return out;
}

Tensor as_output(const Call& call, const Tensor& t, DataType type) { return t.type() == type ? t : call.scratch(type, t.dims()); }

DataType element_type(int64_t number, Types allowed) {
  if (number < 0 || number >= int64_t(DataType::count) || !contains(allowed, DataType(number))) unsupported("element type number ", number);
  return DataType(number);
}

void store(const Tensor& from, const Tensor& to) {
  if (from.raw() != to.raw()) convert(from.type(), from.raw(), to.type(), to.raw(), to.size());
}

}  // namespace onward
