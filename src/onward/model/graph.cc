#include "onward/model/graph.h"

namespace onward {

std::string shown(const TypeInfo& type) {
  const std::string item = type.item ? shown(*type.item) : "?";
  switch (type.kind) {
    case TypeInfo::Kind::none: return "?";
    case TypeInfo::Kind::sequence: return text("seq(", item, ")");
    case TypeInfo::Kind::optional: return text("optional(", item, ")");
    case TypeInfo::Kind::map: return text("map(", name_of(type.element), ", ", item, ")");
    default: break;
  }
  std::string out = (type.kind == TypeInfo::Kind::sparse ? "sparse " : "") + name_of(type.element);
  if (!type.shape) return out;
  out += " [";
  for (size_t i = 0; i < type.shape->size(); ++i) {
    const DimInfo& d = (*type.shape)[i];
    out += text(i ? ", " : "", d.size ? text(*d.size) : d.name.empty() ? std::string("?") : d.name);
  }
  return out + "]";
}

std::string shown(const Node& node) {
  const std::string_view name = !node.name.empty() ? node.name : node.outputs.empty() ? std::string_view("?") : node.outputs[0];
  return text("node '", name, "' (", node.domain, node.domain.empty() ? "" : ".", node.op, ")");
}

Tensor SparseTensor::dense() const {
  Tensor out(values.type(), dims);
  const int64_t nnz = values.size(), rank = out.rank();
  const bool flat = indices.rank() <= 1;
  if (indices.size() != (flat ? nnz : nnz * rank)) fail(Code::bad_model, "a sparse tensor has ", nnz, " values and ", indices.size(), " indices");
  const std::vector<int64_t> at = nnz ? integers(indices) : std::vector<int64_t>{};
  for_type<every_type>(out.type(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, std::string>) std::fill_n(out.data<T>(), out.size(), T{});
    for (int64_t i = 0, before = -1; i < nnz; ++i) {
      int64_t place = flat ? at[size_t(i)] : 0;
      for (int64_t axis = 0; !flat && axis < rank; ++axis) {
        const int64_t index = at[size_t(i * rank + axis)];
        if (index < 0 || index >= dims[size_t(axis)]) fail(Code::bad_model, "a sparse tensor's index ", index, " is outside shape ", shown(dims));
        place = place * dims[size_t(axis)] + index;
      }
      if (place < 0 || place >= out.size()) fail(Code::bad_model, "a sparse tensor's index ", place, " is outside shape ", shown(dims));
      if (place <= before) fail(Code::bad_model, "a sparse tensor's indices must ascend, found place ", place, " after ", before);
      before = place;
      out.data<T>()[place] = values.data<T>()[i];
    }
  });
  return out;
}

}  // namespace onward
