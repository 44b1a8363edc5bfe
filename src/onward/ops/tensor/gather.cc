// Gather: slices of data along an axis, chosen by indices; negative indices count from the end.
#include "onward/ops/side_by_side.h"

namespace onward::ops {
namespace {

struct Gather : standard::Gather {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const int64_t at = axis_of(axis, int64_t(out.size()));
    const Dims& picked = io.dims(1);
    out.erase(out.begin() + at);
    out.insert(out.begin() + at, picked.begin(), picked.end());
    io.output(0, out);
    const auto sizes = io.symbols && io.dims(0).size() == 1 ? io.sizes(0) : std::nullopt;
    const auto where = sizes && picked.size() < 2 ? io.values(1) : std::nullopt;
    if (!where) return;
    Dims found;
    for (int64_t i : *where) {
      if (i < 0) i += int64_t(sizes->size());
      if (i < 0 || i >= int64_t(sizes->size())) return;
      found.push_back((*sizes)[size_t(i)]);
    }
    io.output_sizes(0, found);
  }

  template <class T> void run(In<T> data, Integers indices, Out<T> y) const {
    const int64_t at = axis_of(axis, data.rank()), size = data.dims[at];
    const int64_t outer = product(data.dims, 0, at), inner = product(data.dims, at + 1, data.rank());
    T* to = y.data;
    for (int64_t row = 0; row < outer; ++row)
      for (int64_t index : indices) to = std::copy_n(data.data + (row * size + place(index, size)) * inner, inner, to);
  }
  LaneStep side_by_side(const LaneSite& site) const { return site.constant(0) ? from_table(site) : columns(site); }

 private:
  static int64_t place(int64_t index, int64_t size) {
    if (index < -size || index >= size) invalid("index " + std::to_string(index) + " is outside an axis of " + std::to_string(size));
    return index < 0 ? index + size : index;
  }
  // Columns that constant indices choose.
  LaneStep columns(const LaneSite& site) const {
    const LaneValue& x = site.inputs[0];
    const Tensor* which = site.constant(1);
    const int64_t at = axis_of(axis, int64_t(x.dims.size()));
    if (!which || at == 0 || x.type == DataType::str) return {};
    const int64_t size = x.dims[size_t(at)], outer = product(x.dims, 1, at), bytes = product(x.dims, at + 1, int64_t(x.dims.size())) * site.lanes * int64_t(size_of(x.type));
    std::vector<int64_t> from;
    for (int64_t row = 0; row < outer; ++row) for (int64_t index : integers(*which)) from.push_back(x.at + (row * size + place(index, size)) * bytes);
    return [from, bytes, to = site.output.at](char* block) {
      for (size_t i = 0; i < from.size(); ++i) std::memcpy(block + to + int64_t(i) * bytes, block + from[i], size_t(bytes));
    };
  }
  // What a constant table of one axis has at the places that each row names.
  LaneStep from_table(const LaneSite& site) const {
    const LaneValue &i = site.inputs[1], &y = site.output;
    if (i.at < 0 || i.type != DataType::i64 || site.inputs[0].constant->rank() != 1) return {};
    LaneStep step;
    for_type<f32 | f64 | i64 | b8 | str>(y.type, [&]<class T>() {
      step = [table = *site.inputs[0].constant, n = i.columns() * site.lanes, from = i.at, to = y.at](char* block) {
        const auto* index = reinterpret_cast<const int64_t*>(block + from);
        for (int64_t k = 0; k < n; ++k) {
          const T& found = table.template data<T>()[place(index[k], table.size())];
          if constexpr (std::is_same_v<T, std::string>) reinterpret_cast<const std::string**>(block + to)[k] = &found;
          else reinterpret_cast<T*>(block + to)[k] = found;
        }
      };
    });
    return step;
  }
};

}  // namespace

Operators tensor_gather() {
  return {define<Gather, by_width(Gather::T)>({.examples = {"string [\"a\", \"b\"], int32 [1, -2] -> string [\"b\", \"a\"]",
                                                            "float [[1, 2], [3, 4]], int64 0; axis=1 -> float [1, 3]"}})};
}

LaneForms gather_lanes() { return {{"Gather", member_form<Gather>}}; }

}  // namespace onward::ops
