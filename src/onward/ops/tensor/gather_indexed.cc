// GatherElements, GatherND: single elements, or slices, that an index tensor names.
#include "onward/ops/indexed.h"

namespace onward::ops {
namespace {

struct GatherElements : standard::GatherElements {
  void infer(Inference& io) const {
    axis_of(axis, int64_t(io.dims(0).size()));
    if (io.dims(1).size() != io.dims(0).size()) invalid("indices of shape ", shown(io.dims(1)), " for data of shape ", shown(io.dims(0)));
    io.output(0, io.dims(1));
  }
  void run(Call& call) const {
    const Tensor &data = call.tensor(0), &indices = call.tensor(1), &y = call.output(0);
    const ElementRows rows(data.dims(), indices.dims(), axis);
    const auto by = [&]<class I>() {
      for_type<detail::widths>(detail::width_type(data.type()), [&]<class T>() {
        const T* const from = data.data<T>();
        rows.each([&](int64_t first, ElementRows::Row row) {
          const I* index = indices.data<I>() + first;
          T* to = y.data<T>() + first;
          for (int64_t k = 0; k < rows.length; ++k) to[k] = from[row.offset(k, index[k])];
        });
      });
    };
    if (!for_type<i32 | i64>(indices.type(), by)) invalid("expected int32 or int64 indices, found ", name_of(indices.type()));
  }
};

struct GatherND : standard::GatherND {
  void infer(Inference& io) const {
    const Dims &data = io.dims(0), &shape = io.dims(1);
    if (data.empty() || shape.empty()) invalid("data and indices need an axis each, found ", shown(data), " and ", shown(shape));
    const auto common = size_t(batch_dims);
    if (batch_dims < 0 || common >= shape.size() || common >= data.size()) invalid("batch_dims is ", batch_dims, " for data ", shown(data), " and indices ", shown(shape));
    for (size_t i = 0; i < common; ++i) if (data[i] != shape[i] && !is_symbol(data[i]) && !is_symbol(shape[i])) invalid("the first ", common, " axes of data ", shown(data), " and indices ", shown(shape), " differ");
    if (is_symbol(shape.back())) return;
    if (shape.back() < 1 || size_t(shape.back()) > data.size() - common) invalid("indices of shape ", shown(shape), " for data of shape ", shown(data), " with batch_dims ", batch_dims);
    Dims out(shape.begin(), shape.end() - 1);
    out.insert(out.end(), data.begin() + common + shape.back(), data.end());
    io.output(0, out);
  }
  void run(Call& call) const {
    const Tensor &data = call.tensor(0), &indices = call.tensor(1), &y = call.output(0);
    const Slices slices = slice_offsets(data.dims(), indices.dims(), integers(indices), batch_dims);
    for_type<detail::widths>(detail::width_type(data.type()), [&]<class T>() {
      T* to = y.data<T>();
      for (int64_t offset : slices.offsets) to = std::copy_n(data.data<T>() + offset, slices.length, to);
    });
  }
};

}  // namespace

Operators tensor_gather_indexed() {
  return {define<GatherElements>({.examples = {"float [[1, 2], [3, 4]], int64 [[0, -1]]; axis=1 -> float [[1, 2]]"}}),
          define<GatherND>({.examples = {"string [[\"a\", \"b\"], [\"c\", \"d\"]], int64 [[0, -1], [1, 0]] -> string [\"b\", \"c\"]",
                                         "int32 [[[0, 1], [2, 3]], [[4, 5], [6, 7]]], int64 [[1], [0]]; batch_dims=1 -> int32 [[2, 3], [4, 5]]"}})};
}

}  // namespace onward::ops
