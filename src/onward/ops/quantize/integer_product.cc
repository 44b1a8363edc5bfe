// MatMulInteger, QLinearMatMul, ConvInteger, QLinearConv: products of quantized tensors, zero points taken away first.
#include <cmath>
#include "onward/ops/convolution.h"
#include "onward/ops/matmul.h"
#include "onward/ops/quantized.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// A vector beside matrices belongs to their rows (of A) or columns (of B); anything else broadcasts as it is.
Dims beside(const Tensor& parameter, bool rows) {
  Dims dims = parameter.dims();
  if (rows && dims.size() == 1) dims.push_back(1);
  return dims;
}

// (x - zero) * scale, each parameter broadcast to x; a missing one is neutral.
template <class C> Tensor dequantized(const Call& call, size_t x, size_t zero, size_t scale, bool rows) {
  const Tensor out = as_type(call, call.tensor(x), type_of<C>);
  Tensor own = call.scratch(type_of<C>, out.dims());
  std::copy_n(out.data<C>(), out.size(), own.data<C>());
  const auto apply = [&](size_t i, auto&& f) {
    if (i == SIZE_MAX || !call.has(i)) return;
    const Tensor p = as_type(call, call.tensor(i), type_of<C>).reshaped(beside(call.tensor(i), rows));
    if (p.size() == 1) return std::for_each_n(own.data<C>(), own.size(), [&](C& v) { v = f(v, *p.data<C>()); }), void();
    if (broadcast(own.dims(), p.dims()) != own.dims()) invalid("a scale or zero point ", shown(call.tensor(i)), " for ", shown(call.tensor(x)));
    const std::span<const int64_t> operands[] = {p.dims()};
    const Rows walk(own.dims(), operands);
    const int64_t step = walk.advances(0);
    if (own.size()) walk.each([&](int64_t at, std::span<const int64_t> from) {
      for (int64_t k = 0; k < walk.length(); ++k) own.data<C>()[at + k] = f(own.data<C>()[at + k], p.data<C>()[from[0] + k * step]);
    });
  };
  apply(zero, [](C v, C z) { return C(v - z); });
  apply(scale, [](C v, C s) { return C(v * s); });
  return own;
}

// x / scale + zero, rounded to even and brought into the range of y's type.
void requantize(const Call& call, const Tensor& x, size_t scale, size_t zero, const Tensor& y) {
  const auto scales = as_doubles(call.tensor(scale)), zeros = as_doubles(call.tensor(zero));
  if (scales.size() != 1 || zeros.size() != 1) unsupported("more than one scale or zero point of the output");
  double* v = x.data<double>();
  const bool whole = contains(u8 | i8, y.type());
  for (int64_t i = 0; i < x.size(); ++i) {
    v[i] = v[i] / scales[0];
    if (whole) v[i] = std::clamp(std::nearbyint(v[i]) + zeros[0], y.type() == DataType::u8 ? 0.0 : -128.0, y.type() == DataType::u8 ? 255.0 : 127.0);
    else v[i] += zeros[0];
  }
  store(x, y);
}

struct MatMulInteger : standard::MatMulInteger {
  CodeColumns second;
  void prepare(const Preparation& at) { second.prepare(at, 1, 3, true); }
  void infer(Inference& io) const { io.output(0, DataType::i32, MatMulShape(io.dims(0), io.dims(1), io.symbols).output()); }
  void run(Call& call) const {
    const auto columns = second.rows(call, 1, 3, true);
    if (const auto rows = columns ? code_rows(call.tensor(0), input_of(call, 2), false) : std::nullopt)
      return code_product(call.context, rows->values.data(), rows->rows, columns->values.data(), columns->rows, rows->k, call.output(0).data<int32_t>(), columns->rows);
    const Tensor a = dequantized<int32_t>(call, 0, 2, SIZE_MAX, true), b = dequantized<int32_t>(call, 1, 3, SIZE_MAX, false);
    matmul(call.context, MatMulShape(a.dims(), b.dims()), a.data<int32_t>(), b.data<int32_t>(), call.output(0).data<int32_t>());
  }
};

struct QLinearMatMul : standard::QLinearMatMul {
  void infer(Inference& io) const { io.output(0, io.inputs[std::min<size_t>(7, io.inputs.size() - 1)].type, MatMulShape(io.dims(0), io.dims(3), io.symbols).output()); }
  void run(Call& call) const {
    const Tensor a = dequantized<double>(call, 0, 2, 1, true), b = dequantized<double>(call, 3, 5, 4, false), y = call.scratch(DataType::f64, call.output(0).dims());
    matmul(call.context, MatMulShape(a.dims(), b.dims()), a.data<double>(), b.data<double>(), y.data<double>());
    requantize(call, y, 6, 7, call.output(0));
  }
};

// A zero point (or scale) per filter stands beside the weights' first axis.
Tensor of_filters(const Call& call, size_t i, const Tensor& w) {
  const Tensor p = as_type(call, call.tensor(i), DataType::f64);
  if (p.size() != 1 && p.size() != w.dims()[0]) invalid("a scale or zero point of ", p.size(), " elements for ", w.dims()[0], " filters");
  return p;
}

struct ConvInteger : standard::ConvInteger {
  void prepare(const Preparation&) const { convolution(*this).check(); }
  void infer(Inference& io) const { io.output(0, DataType::i32, convolution(*this).output(io, 0, 1)); }
  void run(Call& call) const {
    const Tensor x = dequantized<int32_t>(call, 0, 2, SIZE_MAX, false);
    Tensor w = dequantized<int32_t>(call, 1, SIZE_MAX, SIZE_MAX, false);
    if (call.has(3)) {
      const Tensor zero = of_filters(call, 3, w);
      for (int64_t i = 0; i < w.size(); ++i) w.data<int32_t>()[i] -= int32_t(zero.data<double>()[zero.size() == 1 ? 0 : i / (w.size() / w.dims()[0])]);
    }
    convolution(*this).run(call.context, x.dims(), x.data<int32_t>(), w.dims(), w.data<int32_t>(), static_cast<const int32_t*>(nullptr), call.output(0).data<int32_t>());
  }
};

struct QLinearConv : standard::QLinearConv {
  void prepare(const Preparation&) const { convolution(*this).check(); }
  void infer(Inference& io) const { io.output(0, io.inputs[std::min<size_t>(7, io.inputs.size() - 1)].type, convolution(*this).output(io, 0, 3)); }
  void run(Call& call) const {
    const Tensor x = dequantized<double>(call, 0, 2, SIZE_MAX, false), w = dequantized<double>(call, 3, SIZE_MAX, SIZE_MAX, false);
    const Tensor zero = of_filters(call, 5, w), scale = of_filters(call, 4, w), bias = call.has(8) ? of_filters(call, 8, w) : Tensor();
    const int64_t filters = w.dims()[0], each = filters ? w.size() / filters : 0;
    const auto of = [](const Tensor& p, int64_t filter) { return p.data<double>()[p.size() == 1 ? 0 : filter]; };
    for (int64_t i = 0; i < w.size(); ++i) w.data<double>()[i] -= of(zero, i / each);
    const Tensor y = call.scratch(DataType::f64, call.output(0).dims());
    convolution(*this).run(call.context, x.dims(), x.data<double>(), w.dims(), w.data<double>(), static_cast<const double*>(nullptr), y.data<double>());
    const double x_scale = as_doubles(call.tensor(1)).at(0);
    const int64_t pixels = product(y.dims(), 2, y.rank());
    for (int64_t i = 0; i < y.size(); ++i) {
      const int64_t filter = i / pixels % filters;
      y.data<double>()[i] = (y.data<double>()[i] + (bias ? of(bias, filter) : 0)) * x_scale * of(scale, filter);
    }
    requantize(call, y, 6, 7, call.output(0));
  }
};

}  // namespace

Operators quantize_integer_product() {
  return {
      define<MatMulInteger>({.examples = {"uint8 [[10, 12]], uint8 [[1], [2]], uint8 10 -> int32 [[4]]"}}),
      define<QLinearMatMul>({.examples = {"uint8 [[10, 12]], float 0.5, uint8 10, uint8 [[1], [2]], float 1, uint8 0, float 1, uint8 100 -> uint8 [[102]]"}}),
      define<ConvInteger>({.examples = {"uint8 [[[2, 3, 4]]], uint8 [[[1, 1]]], uint8 1 -> int32 [[[3, 5]]]"}}),
      define<QLinearConv>({.examples = {"uint8 [[[2, 3, 4]]], float 1, uint8 1, uint8 [[[1, 1]]], float 0.5, uint8 0, float 1, uint8 10, int32 [1] -> uint8 [[[12, 13]]]"}}),
  };
}

}  // namespace onward::ops
