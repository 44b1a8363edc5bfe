#include "onward/ops/control.h"

namespace onward {

const Tensor& tensor_of(const Value& value, std::string_view what) {
  if (const Tensor* t = value.tensor()) return *t;
  invalid("the ", what, " is not a tensor");
}

static Tensor nothing(const TypeInfo& declared) {
  Dims dims{0};
  if (declared.shape) for (const DimInfo& d : *declared.shape) dims.push_back(d.size.value_or(0));
  return {declared.element == DataType::none ? DataType::f32 : declared.element, dims};
}

Tensor stacked(const Call& call, const std::vector<Value>& items, const TypeInfo& declared) {
  if (items.empty()) return nothing(declared);
  const Tensor& first = tensor_of(items[0], "scan output");
  Dims dims = first.dims();
  dims.insert(dims.begin(), int64_t(items.size()));
  Tensor out = call.scratch(first.type(), dims);
  for_type<every_type>(out.type(), [&]<class T>() {
    T* to = out.data<T>();
    for (const Value& item : items) {
      const Tensor& t = tensor_of(item, "scan output");
      if (t.type() != first.type() || t.dims() != first.dims()) invalid("a scan output is ", shown(t), ", in the first iteration it was ", shown(first));
      to = std::copy_n(t.data<T>(), t.size(), to);
    }
  });
  return out;
}

}  // namespace onward
