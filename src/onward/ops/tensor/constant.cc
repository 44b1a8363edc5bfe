// Constant, ConstantOfShape: values written in the model. The constant is made once, at load.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Constant : standard::Constant {
  Tensor made;

  void prepare(const Preparation&) {
    if (sparse_value.values) return void(made = sparse_value.dense());
    if (value.type() != DataType::none) made = value;
    else if (value_float) made = Tensor::of<float>({}, {*value_float});
    else if (value_int) made = Tensor::of<int64_t>({}, {*value_int});
    else if (value_string) made = Tensor::of<std::string>({}, {*value_string});
    else if (!value_floats.empty()) made = Tensor::of<float>({int64_t(value_floats.size())}, value_floats);
    else if (!value_strings.empty()) made = Tensor::of<std::string>({int64_t(value_strings.size())}, value_strings);
    else made = Tensor::of<int64_t>({int64_t(value_ints.size())}, value_ints);
  }
  void run(Call& call) const { call.outputs[0] = made; }
};

struct ConstantOfShape : standard::ConstantOfShape {
  void infer(Inference& io) const {
    const DataType type = value.type() == DataType::none ? DataType::f32 : value.type();
    auto dims = io.sizes(0);
    if (!dims) {
      if (!io.symbols) return;
      io.output_fact(0, {.type = type});
      if (io.dims(0).size() == 1 && !is_symbol(io.dims(0)[0]) && io.dims(0)[0] < 64) io.output(0, type, io.unknown_dims(size_t(io.dims(0)[0])));
      return;
    }
    for (int64_t& d : *dims) d = io.size_of(d);
    for (int64_t d : *dims) if (d < 0 && !is_symbol(d)) invalid("a shape with the size ", d);
    io.output(0, type, *dims);
  }
  template <class T> void run(Integers, Out<T> y) const {
    std::fill(y.begin(), y.end(), value.raw() ? *value.data<T>() : T{});
  }
};

}  // namespace

Operators tensor_constant() {
  return {define<Constant>({.examples = {"; value_ints=[1, 2] -> int64 [1, 2]"}}),
          define<ConstantOfShape, by_width(ConstantOfShape::T2)>({.examples = {"int64 [2]; value=int8 [7] -> int8 [7, 7]"}})};
}

}  // namespace onward::ops
