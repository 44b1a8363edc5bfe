// QLinearSigmoid, QLinearLeakyRelu, QLinearSoftmax, QLinearConcat: functions of single 8-bit codes, as tables.
#include "onward/ops/contrib.h"
#include "onward/ops/quantized.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// quantize(f(dequantize(x))), f in float as the formula has it.
template <class T, class F> void through_table(In<T> x, Quantization from, Quantization to, Out<T> y, F&& f) {
  const CodeTable<T> table([&](int32_t code) { return to.code<T>(f(from.real(code))); });
  table.map(x.data, y.size, y.data);
}

struct QLinearSigmoid : contrib::QLinearSigmoid {
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  template <class T> void run(In<T> x, In<float> x_scale, In<T> x_zero, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    through_table(x, quantization(x_scale, x_zero), quantization(y_scale, y_zero), y, [](float v) { return float(1 / (1 + std::exp(-double(v)))); });
  }
};

struct QLinearLeakyRelu : contrib::QLinearLeakyRelu {
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  template <class T> void run(In<T> x, In<float> x_scale, In<T> x_zero, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    through_table(x, quantization(x_scale, x_zero), quantization(y_scale, y_zero), y, [&](float v) { return v >= 0 ? v : alpha * v; });
  }
};

// One line of codes, `step` apart: e^(scale * (code - the largest)) over their sum, as codes.
template <class T> struct SoftmaxLine {
  [[gnu::always_inline]] static void run(const T* x, int64_t n, int64_t step, const double* powers, Quantization to, T* y) {
    int32_t largest = *x;
    if (step == 1) for (int64_t i = 1; i < n; ++i) largest = std::max<int32_t>(largest, x[i]);
    else for (int64_t i = 1; i < n; ++i) largest = std::max<int32_t>(largest, x[i * step]);
    double parts[4] = {};
    for (int64_t i = 0; i < n; ++i) parts[i % 4] += powers[largest - x[i * step]];
    const double sum = (parts[0] + parts[1]) + (parts[2] + parts[3]);
    // The answers of all that may come, or, of a short line, of all that come.
    constexpr int64_t all = 256;
    double value[all];
    T code[all];
    const bool by_code = n >= all;
    if (by_code) std::copy_n(powers, all, value);
    else for (int64_t i = 0; i < n; ++i) value[i] = powers[largest - x[i * step]];
    for (int64_t i = 0; i < std::min(n, all); ++i) code[i] = rounded<T>(__builtin_nearbyintf(float(value[i] / sum) / to.scale) + float(to.zero));
    if (by_code) for (int64_t i = 0; i < n; ++i) y[i * step] = code[largest - x[i * step]];
    else for (int64_t i = 0; i < n; ++i) y[i * step] = code[i];
  }
};

// Of opset 13 and later along one axis, before that over all axes from it on.
struct QLinearSoftmax : contrib::QLinearSoftmax {
  std::vector<double> known;                              // e^(-scale * i), where the scale is a constant

  void prepare(const Preparation& at) {
    if (opset < 1) fail(Code::bad_model, "opset is ", opset, ", expected 1 or more");
    if (const Tensor* scale = at.input(1); scale && scale->type() == DataType::f32 && scale->size() == 1) known = powers(*scale->data<float>());
  }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  template <class T> void run(const RunContext& context, In<T> x, In<float> x_scale, In<T>, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    const Quantization to = quantization(y_scale, y_zero);
    const float scale = single(x_scale, "scale");
    const std::vector<double> table = known.empty() ? powers(scale) : known;
    const int64_t rank = x.rank(), at = rank ? axis_of(axis, rank) : 0, n = rank == 0 ? 1 : opset >= 13 ? x.dims[size_t(at)] : product(x.dims, at, rank);
    const int64_t inner = opset >= 13 && rank ? product(x.dims, at + 1, rank) : 1, lines = n ? x.size / n : 0;
    context.parallel(lines, 2.0 * double(n), [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const T* from = x.data + line / inner * n * inner + line % inner;
        simd::Compiled<SoftmaxLine<T>, const T*, int64_t, int64_t, const double*, Quantization, T*>::best(from, n, inner, table.data(), to, y.data + (from - x.data));
      }
    });
  }

 private:
  static std::vector<double> powers(double scale) {
    std::vector<double> out(256);
    for (int below = 0; below < 256; ++below) out[size_t(below)] = std::exp(-scale * below);
    return out;
  }
};

// Inputs come in threes (codes, scale, zero point) after the output's scale and zero point.
struct QLinearConcat : contrib::QLinearConcat {
  void prepare(const Preparation& at) const {
    const size_t n = at.node.inputs.size();
    if (n < 5 || (n - 2) % 3 != 0) fail(Code::bad_model, "has ", n, " inputs, expected scale and zero point and then three for every tensor");
  }
  void infer(Inference& io) const {
    Dims out = io.dims(2);
    const auto at = size_t(axis_of(axis, int64_t(out.size())));
    for (size_t k = 5; k < io.inputs.size(); k += 3) {
      const Dims& more = io.dims(k);
      if (more.size() != out.size()) invalid("tensors of shapes ", shown(io.dims(2)), " and ", shown(more));
      for (size_t i = 0; i < out.size(); ++i) {
        if (i == at) out[i] = io.add(out[i], more[i]);
        else if (is_symbol(out[i])) out[i] = more[i];
        else if (!is_symbol(more[i]) && out[i] != more[i]) invalid("tensors of shapes ", shown(io.dims(2)), " and ", shown(more), " along axis ", axis);
      }
    }
    io.output(0, out);
  }
  void run(Call& call) const {
    const Tensor& y = call.output(0);
    const Quantization to = quantization(call, 0, 1);
    if (!for_type<u8 | i8>(y.type(), [&]<class T>() { concat<T>(call, to, y); })) unsupported("element type ", name_of(y.type()));
  }

 private:
  template <class T> void concat(const Call& call, Quantization to, const Tensor& y) const {
    const int64_t at = axis_of(axis, y.rank()), outer = product(y.dims(), 0, at), row = product(y.dims(), at, y.rank());
    int64_t before = 0;
    for (size_t k = 2; k < call.inputs.size(); k += 3) {
      if (call.tensor(k).type() != y.type()) invalid("input ", k, " is ", shown(call.tensor(k)), ", expected ", name_of(y.type()), " as the output's zero point");
      const auto x = detail::view<T>(call.tensor(k));
      const Quantization from = quantization(call, k + 1, k + 2);
      const CodeTable<T> table([&](int32_t code) { return to.code<T>(from.real(code)); });
      const int64_t n = product(x.dims, at, x.rank());
      for (int64_t i = 0; i < outer; ++i) table.map(x.data + i * n, n, y.data<T>() + i * row + before);
      before += n;
    }
  }
};

}  // namespace

Operators contrib_qlinear_activation() {
  return {
      define<QLinearSigmoid, QLinearSigmoid::T>({.examples = {"uint8 [0, 128, 255], float 0.1, uint8 128, float 0.00390625, uint8 0 -> uint8 [0, 128, 255]"}}),
      define<QLinearLeakyRelu, QLinearLeakyRelu::T>({.examples = {"int8 [-100, 0, 10], float 1, int8 0, float 0.5, int8 1; alpha=0.1 -> int8 [-19, 1, 21]"}}),
      define<QLinearSoftmax, QLinearSoftmax::T>({.examples = {"uint8 [[1, 1], [0, 255]], float 1, uint8 0, float 0.00390625, uint8 0; opset=13 -> uint8 [[128, 128], [0, 255]]",
                                                              "int8 [[[0], [0]]], float 1, int8 0, float 0.01, int8 -10; opset=12, axis=1 -> int8 [[[40], [40]]]"}}),
      define<QLinearConcat>({.examples = {"float 1, uint8 10, uint8 [[1], [2]], float 2, uint8 0, uint8 [[10, 12], [0, 255]], float 1, uint8 10; axis=1 -> uint8 [[12, 10, 12], [14, 0, 255]]"}}),
  };
}

}  // namespace onward::ops
