#include "onward/ops/control.h"

namespace onward {

const Tensor& tensor_of(const Value& value, std::string_view what) {
  if (const Tensor* t = value.tensor()) return *t;
  invalid("the ", what, " is not a tensor");
}

namespace {

Fact without_value(Fact fact) {
  fact.value = nullptr, fact.sizes = std::nullopt;
  return fact;
}

// Whether what is said in `before` holds of `after` too; sizes in `open` may be anything.
bool covers(const Fact& before, const Fact& after, const std::vector<int64_t>& open) {
  if (before.kind == TypeInfo::Kind::tensor && before.type == DataType::none) return true;
  if (before.kind != after.kind || before.type != after.type) return false;
  if (before.item) return after.item && covers(*before.item, *after.item, {differs});
  if (!before.dims) return true;
  if (!after.dims || after.dims->size() != before.dims->size()) return false;
  for (size_t i = 0; i < before.dims->size(); ++i)
    if ((*before.dims)[i] != (*after.dims)[i] && std::find(open.begin(), open.end(), (*before.dims)[i]) == open.end()) return false;
  return true;
}

}  // namespace

std::vector<Fact> infer_iterations(const Body& body, std::vector<Fact>& arguments, size_t first, size_t results, size_t carried, Symbols& symbols) {
  for (size_t k = 0; k < carried; ++k) arguments[first + k] = without_value(arguments[first + k]);
  std::vector<int64_t> open;                              // sizes that change from one iteration to the next
  for (int pass = 0;; ++pass) {
    auto found = body.infer(arguments);
    if (found.size() < results + carried) return {};
    bool settled = true;
    for (size_t k = 0; k < carried; ++k) {
      Fact& before = arguments[first + k];
      const Fact after = without_value(found[results + k]);
      if (covers(before, after, open)) continue;
      settled = false;
      Fact wider = joined(before, after, &symbols);
      constexpr int patience = 2;                         // then less and less is claimed, so that this ends
      if (pass >= patience) wider.dims = std::nullopt, wider.item = nullptr;
      if (pass >= patience && wider.kind != TypeInfo::Kind::tensor) wider = {};
      if (pass > patience) wider = {};
      if (wider.dims) for (int64_t size : *wider.dims) if (symbols.is_fresh(size) && (!before.dims || std::find(before.dims->begin(), before.dims->end(), size) == before.dims->end())) open.push_back(size);
      before = std::move(wider);
    }
    if (settled) return found;
  }
}

Fact infer_stacked(const Fact& result, int64_t axis, int64_t n) {
  Fact out{.type = result.type};
  if (!result.is_tensor() || !result.dims) return out;
  out.dims = result.dims;
  out.dims->insert(out.dims->begin() + axis_of(axis, int64_t(out.dims->size()) + 1), n);
  return out;
}

static Tensor nothing(const TypeInfo& declared) {
  Dims dims{0};
  if (declared.shape) for (const DimInfo& d : *declared.shape) dims.push_back(d.size.value_or(0));
  return {declared.element == DataType::none ? DataType::f32 : declared.element, dims};
}

void Stack::put(const Call& call, int64_t at, const Value& item) {
  const Tensor& t = tensor_of(item, "scan output");
  if (!all_) {
    Dims dims = each_ = t.dims();
    dims.insert(dims.begin(), n_);
    all_ = call.scratch(t.type(), dims);
  }
  if (t.type() != all_.type() || t.dims() != each_) invalid("a scan output is ", shown(t), ", in the first iteration it was ", name_of(all_.type()), " ", shown(each_));
  for_type<detail::widths>(detail::width_type(t.type()), [&]<class T>() { std::copy_n(t.data<T>(), t.size(), all_.data<T>() + at * t.size()); });
}

Tensor Stack::all(const TypeInfo& declared) const { return all_ ? all_ : nothing(declared); }

Tensor stacked(const Call& call, const std::vector<Value>& items, const TypeInfo& declared) {
  Stack out(int64_t(items.size()));
  for (size_t i = 0; i < items.size(); ++i) out.put(call, int64_t(i), items[i]);
  return out.all(declared);
}

}  // namespace onward
