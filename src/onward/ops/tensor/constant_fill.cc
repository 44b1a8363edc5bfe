// ConstantFill: an experimental operator of the first opsets, with which exporters of that time began recurrent states. The standard
// dropped it for ConstantOfShape; what it says is what its last description said.
#include <cstring>

#include "onward/ops/convert.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

constexpr Types filled = f32 | f64 | f16 | bf16 | i8 | i16 | i32 | i64 | u8 | u16 | u32 | u64 | b8;

struct ConstantFill {
  static constexpr Name standard_name{"", "ConstantFill", 1};
  float value = 0;
  int64_t dtype = 1, input_as_shape = 0;
  std::vector<int64_t> shape, extra_shape;
  void read(const Attributes& from) {
    from.read("value", value), from.read("dtype", dtype), from.read("input_as_shape", input_as_shape);
    from.read("shape", shape), from.read("extra_shape", extra_shape);
  }

  void prepare(const Preparation&) const {
    if (dtype < 0 || dtype > 32 || !contains(filled, DataType(dtype))) invalid("dtype is ", dtype, ", expected a type of numbers");
    if (input_as_shape && !shape.empty()) invalid("the shape comes from an input and from an attribute");
  }
  // The sizes that an input holds (or that the input has), else those of the attribute; then the extra ones.
  void infer(Inference& io) const {
    Dims dims(shape.begin(), shape.end());
    if (io.has(0) && input_as_shape) {
      if (io.type(0) != DataType::i64 && io.type(0) != DataType::i32) invalid("a shape of type ", name_of(io.type(0)), ", expected int64");
      const auto sizes = io.sizes(0);
      if (!sizes) return unknown_sizes(io);
      dims = *sizes;
    } else if (io.has(0)) {
      dims = io.dims(0);
    }
    dims.insert(dims.end(), extra_shape.begin(), extra_shape.end());
    for (int64_t& d : dims) d = io.size_of(d);
    for (int64_t d : dims) if (d < 0 && !is_symbol(d)) invalid("a shape with the size ", d);
    io.output(0, DataType(dtype), dims);
  }
  void run(Call& call) const {
    const Tensor& y = call.output(0);
    const size_t bytes = size_of(y.type());
    std::array<std::byte, 8> one;
    convert(DataType::f32, &value, y.type(), one.data(), 1);
    auto* to = static_cast<std::byte*>(y.raw());
    for (int64_t i = 0; i < y.size(); ++i) std::memcpy(to + size_t(i) * bytes, one.data(), bytes);
  }

 private:
  void unknown_sizes(Inference& io) const {
    if (io.symbols) io.output_fact(0, {.type = DataType(dtype)});
  }
};

}  // namespace

Operators tensor_constant_fill() {
  return {define<ConstantFill>({.examples = {"int64 [1, 2]; input_as_shape=1, value=0.5 -> float [[0.5, 0.5]]", "; shape=[2], dtype=7, value=3.0 -> int64 [3, 3]",
                                            "float [1, 2]; extra_shape=[1], value=-1.0 -> float [[-1], [-1]]"}})};
}

}  // namespace onward::ops
