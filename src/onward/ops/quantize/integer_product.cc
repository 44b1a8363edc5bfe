// MatMulInteger, QLinearMatMul, ConvInteger, QLinearConv: products of quantized tensors, zero points taken away first.
#include <cmath>
#include "onward/ops/code_convolution.h"
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
  void prepare(const Preparation& at) { second.prepare(at, 1, 3); }
  void infer(Inference& io) const { io.output(0, DataType::i32, MatMulShape(io.dims(0), io.dims(1), io.symbols).output()); }
  void run(Call& call) const {
    const auto columns = second.of(call, 1, 3);
    if (const auto rows = columns ? code_rows(call.tensor(0), input_of(call, 2), false) : std::nullopt)
      return code_product(call.context, *rows, *columns, call.output(0).data<int32_t>(), columns->columns());
    const Tensor a = dequantized<int32_t>(call, 0, 2, SIZE_MAX, true), b = dequantized<int32_t>(call, 1, 3, SIZE_MAX, false);
    matmul(call.context, MatMulShape(a.dims(), b.dims()), a.data<int32_t>(), b.data<int32_t>(), call.output(0).data<int32_t>());
  }
};

// Of two matrices of 8-bit codes the sums are exact and scaled once, in float; anything else goes through double.
struct QLinearMatMul : standard::QLinearMatMul {
  CodeColumns second;
  void prepare(const Preparation& at) { second.prepare(at, 3, 5); }
  void infer(Inference& io) const { io.output(0, io.inputs[std::min<size_t>(7, io.inputs.size() - 1)].type, MatMulShape(io.dims(0), io.dims(3), io.symbols).output()); }
  void run(Call& call) const {
    const auto columns = second.of(call, 3, 5);
    const Tensor& out = call.output(0);
    const bool plain = columns && call.tensor(1).size() == 1 && call.tensor(6).size() == 1 && call.tensor(7).size() == 1 && (call.tensor(4).size() == 1 || (call.tensor(4).rank() == 1 && call.tensor(4).size() == columns->columns()));
    if (const auto rows = plain && contains(u8 | i8, out.type()) ? code_rows(call.tensor(0), input_of(call, 2), false) : std::nullopt) return exactly(call, *rows, *columns);
    const Tensor a = dequantized<double>(call, 0, 2, 1, true), b = dequantized<double>(call, 3, 5, 4, false), y = call.scratch(DataType::f64, call.output(0).dims());
    matmul(call.context, MatMulShape(a.dims(), b.dims()), a.data<double>(), b.data<double>(), y.data<double>());
    requantize(call, y, 6, 7, call.output(0));
  }

 private:
  static void exactly(Call& call, const CodeRows& rows, const PackedCodes& columns) {
    const Tensor& y = call.output(0);
    const Tensor sum = call.scratch(DataType::i32, y.dims());
    code_product(call.context, rows, columns, sum.data<int32_t>(), columns.columns());
    const Quantization to = quantization(call, 6, 7);
    const PerColumn scale(call.tensor(4), columns.columns(), "scale of B");
    const float a_scale = quantization(call, 1, SIZE_MAX).scale;
    std::vector<float> ratio;
    for (int64_t j = 0; j < columns.columns(); ++j) ratio.push_back(a_scale * float(scale[j]) / to.scale);
    for_type<u8 | i8>(y.type(), [&]<class T>() { onward::requantize<T>(call.context, sum.data<int32_t>(), rows.rows, ratio, to.zero, y.data<T>()); });
  }
};


struct ConvInteger : standard::ConvInteger {
  std::shared_ptr<const CodeFilters> filters;             // of constant weights

  void prepare(const Preparation& at) { convolution(*this).check(), filters = CodeFilters::constant(at, 1, 3, group); }
  void infer(Inference& io) const { io.output(0, DataType::i32, convolution(*this).output(io, 0, 1)); }
  void run(Call& call) const {
    const Tensor &y = call.output(0), &w = call.tensor(1), *zero = input_of(call, 2);
    if (y.size() == 0) return;
    const auto own = filters ? filters : CodeFilters::of(w, input_of(call, 3), group);
    if (!own || (zero && zero->size() != 1)) invalid("codes ", shown(call.tensor(0)), " and ", shown(w), " do not fit their zero points");
    const Dims dims = channels_last(y.dims());
    const Tensor sum = call.scratch(DataType::i32, dims);
    const Convolution form = convolution(*this);
    code_convolution(call.context, {form, call.tensor(0), w, input_of(call, 3), false, zero ? int32_t(as_doubles(*zero)[0]) : 0, nullptr}, *own, dims, sum.data<int32_t>());
    const Tensor out = with_channels_first(sum);
    std::copy_n(out.data<int32_t>(), y.size(), y.data<int32_t>());
  }
};

struct QLinearConv : standard::QLinearConv {
  std::shared_ptr<const CodeFilters> filters;             // of constant weights

  void prepare(const Preparation& at) { convolution(*this).check(), filters = CodeFilters::constant(at, 3, 5, group); }
  void infer(Inference& io) const { io.output(0, io.inputs[std::min<size_t>(7, io.inputs.size() - 1)].type, convolution(*this).output(io, 0, 3)); }
  void run(Call& call) const { quantized_convolution(call, convolution(*this), false, filters); }
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
