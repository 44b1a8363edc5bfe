// ScatterElements, ScatterND and the older Scatter: a copy of data with updates at the places that indices name, one after the other.
#include "onward/ops/indexed.h"

namespace onward::ops {
namespace {

// The output starts as data; nothing is copied when it already is.
void copy_data(const Call& call) {
  const Tensor &data = call.tensor(0), &y = call.output(0);
  if (data.raw() == y.raw()) return;
  for_type<detail::widths>(detail::width_type(data.type()), [&]<class T>() { std::copy_n(data.data<T>(), data.size(), y.data<T>()); });
}

template <class Standard> struct ByElement : Standard {
  std::string how = "none";

  void prepare(const Preparation&) {
    if constexpr (requires { this->reduction; }) how = this->reduction;
    check_reduction(how);
  }
  void infer(Inference& io) const {
    axis_of(this->axis, int64_t(io.dims(0).size()));
    io.output(0, io.dims(0));
  }
  void run(Call& call) const {
    const Tensor &indices = call.tensor(1), &updates = call.tensor(2);
    if (updates.dims() != indices.dims()) invalid("updates of shape ", shown(updates.dims()), " for indices of shape ", shown(indices.dims()));
    copy_data(call);
    scatter_elements(call.output(0), indices, updates, this->axis, how);
  }
};

struct ScatterND : standard::ScatterND {
  void prepare(const Preparation&) const { check_reduction(reduction); }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  void run(Call& call) const {
    const Tensor &data = call.tensor(0), &indices = call.tensor(1), &updates = call.tensor(2);
    const Dims& shape = indices.dims();
    if (shape.empty() || shape.back() < 0 || shape.back() > data.rank()) invalid("indices of shape ", shown(shape), " for data of shape ", shown(data.dims()));
    Dims expected(shape.begin(), shape.end() - 1);
    expected.insert(expected.end(), data.dims().begin() + shape.back(), data.dims().end());
    if (updates.dims() != expected) invalid("updates of shape ", shown(updates.dims()), ", expected ", shown(expected));
    const Slices slices = slice_offsets(data.dims(), shape, integers(indices));
    copy_data(call);
    scatter(call.output(0), updates, slices.offsets, slices.length, reduction);
  }
};

}  // namespace

Operators tensor_scatter() {
  return {define<ByElement<standard::ScatterElements>>({.examples = {"float [[1, 2, 3]], int64 [[1, 1]], float [[10, 20]]; axis=1, reduction=\"add\" -> float [[1, 32, 3]]",
                                                                     "string [\"a\", \"b\"], int64 [-1], string [\"c\"] -> string [\"a\", \"c\"]"}}),
          define<ByElement<standard::Scatter>>({.examples = {"int8 [1, 2, 3], int32 [0], int8 [9] -> int8 [9, 2, 3]"}}),
          define<ScatterND>({.examples = {"float [[1, 2], [3, 4]], int64 [[-1]], float [[7, 8]] -> float [[1, 2], [7, 8]]",
                                          "float16 [1, 5], int64 [[0], [1]], float16 [3, nan]; reduction=\"max\" -> float16 [3, nan]"}})};
}

}  // namespace onward::ops
