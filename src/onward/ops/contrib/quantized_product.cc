// MatMulIntegerToFloat, DynamicQuantizeMatMul, QGemm, MatMulInteger16: exact integer products, scaled afterwards in float.
#include "onward/ops/contrib.h"
#include "onward/ops/matmul.h"
#include "onward/ops/quantized.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

Tensor product_of(const Call& call, const CodeRows& a, const PackedCodes& b, const Dims& dims, const int32_t* bias = nullptr) {
  Tensor sum = call.scratch(DataType::i32, dims);
  code_product(call.context, a, b, sum.data<int32_t>(), b.columns(), bias);
  return sum;
}
// Of any number of axes and any zero points.
Tensor product_of(const Call& call, const Tensor& a, const Tensor& b, const Dims& dims) {
  Tensor sum = call.scratch(DataType::i32, dims);
  matmul(call.context, MatMulShape(a.dims(), b.dims()), a.data<int32_t>(), b.data<int32_t>(), sum.data<int32_t>());
  return sum;
}

// y = sum * (a_scale * b_scale) + bias. Scales of B stand for all, for its columns, or for the columns of each of its matrices.
void scaled(const Call& call, const Tensor& sum, float a_scale, const Tensor& b_scale, size_t bias_at, const Tensor& y) {
  const Tensor out = y.type() == DataType::f32 ? y : call.scratch(DataType::f32, y.dims()), scales = as_type(call, b_scale, DataType::f32);
  const int64_t columns = y.rank() ? y.dims().back() : 1;
  const Tensor bias = call.has(bias_at) ? as_type(call, call.tensor(bias_at), DataType::f32) : Tensor();
  if (bias && bias.size() != columns) invalid("a bias of shape ", shown(bias.dims()), " for ", columns, " columns");
  if (y.type() == DataType::f32 && y.size() && (scales.size() == 1 || (scales.rank() == 1 && scales.size() == columns))) {
    std::vector<float> ratio(static_cast<size_t>(columns));
    for (int64_t j = 0; j < columns; ++j) ratio[size_t(j)] = a_scale * scales.data<float>()[scales.size() == 1 ? 0 : j];
    return scale_sums(call.context, sum.data<int32_t>(), y.size() / columns, ratio, bias ? std::span<const float>(bias.values<float>()) : std::span<const float>(), y.data<float>());
  }
  const Dims one_each = scales.size() == 1 ? Dims{} : scales.dims();
  if (broadcast(y.dims(), one_each) != y.dims()) invalid("scales of shape ", shown(b_scale.dims()), " for a product of shape ", shown(y.dims()));
  const std::span<const int64_t> operands[] = {one_each};
  const Rows walk(y.dims(), operands);
  const int64_t step = walk.advances(0);
  if (y.size()) walk.each([&](int64_t at, std::span<const int64_t> from) {
    for (int64_t i = 0; i < walk.length(); ++i) {
      const float v = float(sum.data<int32_t>()[at + i]) * (a_scale * scales.data<float>()[from[0] + i * step]);
      out.data<float>()[at + i] = bias ? v + bias.data<float>()[(at + i) % columns] : v;
    }
  });
  store(out, y);
}

struct MatMulIntegerToFloat : contrib::MatMulIntegerToFloat {
  CodeColumns second;
  void prepare(const Preparation& at) { second.prepare(at, 1, 5); }
  void infer(Inference& io) const { io.output(0, MatMulShape(io.dims(0), io.dims(1), io.symbols).output()); }
  void run(Call& call) const {
    const Tensor& y = call.output(0);
    const Tensor* zero = input_of(call, 4);
    const auto b = second.of(call, 1, 5);
    const auto a = b && !(zero && zero->size() != 1) ? code_rows(call.tensor(0), zero, false) : std::nullopt;
    scaled(call, a ? product_of(call, *a, *b, y.dims()) : product_of(call, without_zero(call, 0, 4, true), without_zero(call, 1, 5), y.dims()), quantization(call, 2, SIZE_MAX).scale, call.tensor(3), 6, y);
  }
};

// A is quantized as DynamicQuantizeLinear does it: to uint8, with 0 a code.
struct DynamicQuantizeMatMul : contrib::DynamicQuantizeMatMul {
  CodeColumns second;
  void prepare(const Preparation& at) { second.prepare(at, 1, 3); }
  void infer(Inference& io) const { io.output(0, MatMulShape(io.dims(0), io.dims(1), io.symbols).output()); }
  void run(Call& call) const {
    const Tensor &a = call.tensor(0), &y = call.output(0);
    const Quantization to = dynamic_range(a);
    const auto b = second.of(call, 1, 3);
    scaled(call, b && a.rank() ? product_of(call, dynamic_rows(a, to), *b, y.dims()) : product_of(call, codes(call, a, to), without_zero(call, 1, 3), y.dims()), to.scale, call.tensor(2), 4, y);
  }

 private:
  static Tensor codes(const Call& call, const Tensor& a, Quantization to) {
    const Tensor bytes = call.scratch(DataType::u8, a.dims()), out = call.scratch(DataType::i32, a.dims());
    quantize(a.data<float>(), a.size(), to, bytes.data<uint8_t>());
    for (int64_t i = 0; i < out.size(); ++i) out.data<int32_t>()[i] = bytes.data<uint8_t>()[i] - to.zero;
    return out;
  }
};

struct QGemm : contrib::QGemm {
  CodeColumns second;
  void prepare(const Preparation& at) {
    second.prepare(at, 3, 5, transB != 0);
    const auto given = [&](size_t i) { return i < at.node.inputs.size() && !at.node.inputs[i].empty(); };
    if (given(7) != given(8)) invalid("y_scale and y_zero_point belong together, found one of them");
  }
  void infer(Inference& io) const {
    const Dims &a = io.dims(0), &b = io.dims(3);
    if (a.size() != 2 || b.size() != 2) invalid("expected two matrices, found ", shown(a), " and ", shown(b));
    const int64_t k = a[transA ? 0 : 1], other = b[transB ? 1 : 0];
    if (k >= 0 && other >= 0 && k != other) invalid("cannot multiply ", shown(a), transA ? " transposed by " : " by ", shown(b), transB ? " transposed" : "");
    if (io.has(8) && !contains(u8 | i8, io.type(8))) invalid("expected a zero point of uint8 or int8, found ", name_of(io.type(8)));
    io.output(0, io.has(8) ? io.type(8) : DataType::f32, {a[transA ? 1 : 0], b[transB ? 0 : 1]});
  }
  void run(Call& call) const {
    const Tensor& y = call.output(0);
    const int64_t columns = y.dims()[1];
    const Tensor* c = input_of(call, 6);
    const bool by_column = c && c->type() == DataType::i32 && c->size() == columns && c->rank() > 0 && c->dims().back() == columns && c->rank() <= 2;
    bool added = false;
    const Tensor sum = product(call, y.dims(), by_column ? c->data<int32_t>() : nullptr, added);
    if (c && !added) add(*c, sum);
    const PerColumn b_scale(call.tensor(4), columns, "scale of B");
    const float a_scale = quantization(call, 1, SIZE_MAX).scale;
    const Quantization to = call.has(7) ? quantization(call, 7, 8) : Quantization{};
    std::vector<float> ratio(static_cast<size_t>(columns));
    for (int64_t j = 0; j < columns; ++j) ratio[size_t(j)] = alpha * a_scale * float(b_scale[j]) / to.scale;
    const int32_t* sums = sum.data<int32_t>();
    if (!call.has(7)) scale_sums(call.context, sums, y.dims()[0], ratio, {}, y.data<float>());
    else for_type<u8 | i8>(y.type(), [&]<class T>() { requantize<T>(call.context, sums, y.dims()[0], ratio, to.zero, y.data<T>()); });
  }

 private:
  // With a bias of every column added where there is a way to.
  Tensor product(const Call& call, const Dims& dims, const int32_t* bias, bool& added) const {
    const Tensor* zero = input_of(call, 2);
    const auto packed = second.of(call, 3, 5, transB != 0);
    if (const auto rows = packed && !(zero && zero->size() != 1) ? code_rows(call.tensor(0), zero, transA != 0) : std::nullopt) return added = bias != nullptr, product_of(call, *rows, *packed, dims, bias);
    // Zero points of B belong to columns, which are its rows where it comes transposed.
    const Tensor a = without_zero(call, 0, 2), b = without_zero(call, 3, 5, transB != 0);
    return product_of(call, transA ? transposed(a, {1, 0}) : a, transB ? transposed(b, {1, 0}) : b, dims);
  }
  static void add(const Tensor& c, const Tensor& sum) {
    if (c.type() != DataType::i32) invalid("expected C of int32, found ", name_of(c.type()));
    if (broadcast(sum.dims(), c.dims()) != sum.dims()) invalid("C of shape ", shown(c.dims()), " for a product of shape ", shown(sum.dims()));
    const std::span<const int64_t> operands[] = {c.dims()};
    const Rows walk(sum.dims(), operands);
    const int64_t step = walk.advances(0);
    if (sum.size()) walk.each([&](int64_t at, std::span<const int64_t> from) {
      for (int64_t i = 0; i < walk.length(); ++i) {
        int32_t& s = sum.data<int32_t>()[at + i];
        s = int32_t(uint32_t(s) + uint32_t(c.data<int32_t>()[from[0] + i * step]));
      }
    });
  }
};

// Sums are taken modulo 2^32. The schema leaves their sign open: it is that of the operands if both have none.
struct MatMulInteger16 : contrib::MatMulInteger16 {
  void infer(Inference& io) const {
    const bool both_unsigned = io.type(0) == DataType::u16 && io.type(1) == DataType::u16;
    io.output(0, both_unsigned ? DataType::u32 : DataType::i32, MatMulShape(io.dims(0), io.dims(1), io.symbols).output());
  }
  void run(Call& call) const {
    const Tensor a = as_type(call, call.tensor(0), DataType::i32), b = as_type(call, call.tensor(1), DataType::i32), &y = call.output(0);
    matmul(call.context, MatMulShape(a.dims(), b.dims()), a.data<int32_t>(), b.data<int32_t>(), y.data<int32_t>());
  }
};

}  // namespace

Operators contrib_quantized_product() {
  return {
      define<MatMulIntegerToFloat>({.examples = {"uint8 [[10, 12]], int8 [[1, 3], [2, 4]], float 0.5, float [1, 2], uint8 10, int8 [1, 0], float [1, 0] -> float [[2, 8]]",
                                                 "int8 [2, 3], int8 [4, 5], float 1, float 0.5 -> float 11.5"}}),
      define<DynamicQuantizeMatMul>({.examples = {"float [[0, 255, -255]], int8 [[1, 1], [2, 3], [3, 4]], float [1, 0.5], , float [0, 1] -> float [[-260, -130]]"}}),
      define<QGemm>({.examples = {"uint8 [[10, 12]], float 0.5, uint8 10, uint8 [[1, 2]], float 1, uint8 0, int32 [2]; transB=1 -> float [[3]]",
                                  "uint8 [[10], [12]], float 0.5, uint8 10, int8 [[1], [2]], float [1], int8 [0], , float 0.25, uint8 1; transA=1 -> uint8 [[9]]"}}),
      define<MatMulInteger16>({.examples = {"int16 [[-32768, 2]], int16 [[2], [3]] -> int32 [[-65530]]", "uint16 [[65535]], uint16 [[65535]] -> uint32 [[4294836225]]"}}),
  };
}

}  // namespace onward::ops
