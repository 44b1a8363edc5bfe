// QLinearSigmoid, QLinearLeakyRelu, QLinearSoftmax, QLinearConcat: functions of single 8-bit codes, as tables.
#include "onward/ops/contrib.h"
#include "onward/ops/quantized.h"

namespace onward::ops {
namespace {

// quantize(f(dequantize(x))), f in float as the formula has it.
template <class T, class F> void through_table(In<T> x, Quantization from, Quantization to, Out<T> y, F&& f) {
  const CodeTable<T> table([&](int32_t code) { return to.code<T>(f(from.real(code))); });
  for (int64_t i = 0; i < y.size; ++i) y[i] = table[x[i]];
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

// Of opset 13 and later along one axis, before that over all axes from it on.
struct QLinearSoftmax : contrib::QLinearSoftmax {
  void prepare(const Preparation&) const {
    if (opset < 1) fail(Code::bad_model, "opset is ", opset, ", expected 1 or more");
  }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  template <class T> void run(const RunContext& context, In<T> x, In<float> x_scale, In<T>, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    const Quantization to = quantization(y_scale, y_zero);
    const double scale = single(x_scale, "scale");
    double powers[256];
    for (int below = 0; below < 256; ++below) powers[below] = std::exp(-scale * below);
    const int64_t rank = x.rank(), at = rank ? axis_of(axis, rank) : 0, n = rank == 0 ? 1 : opset >= 13 ? x.dims[size_t(at)] : product(x.dims, at, rank);
    const int64_t inner = opset >= 13 && rank ? product(x.dims, at + 1, rank) : 1, lines = n ? x.size / n : 0;
    context.parallel(lines, 2.0 * double(n), [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const T* from = x.data + line / inner * n * inner + line % inner;
        T *into = y.data + (from - x.data), largest = *from;
        for (int64_t i = 1; i < n; ++i) largest = std::max(largest, from[i * inner]);
        double sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += powers[largest - from[i * inner]];
        for (int64_t i = 0; i < n; ++i) into[i * inner] = to.code<T>(float(powers[largest - from[i * inner]] / sum));
      }
    });
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
      for (int64_t i = 0; i < outer; ++i) for (int64_t j = 0; j < n; ++j) y.data<T>()[i * row + before + j] = table[x[i * n + j]];
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
