// QuantizeLinear, DequantizeLinear: y = x / scale + zero point, for the whole tensor, along an axis, or in blocks. DynamicQuantizeLinear:
// the same with a range of the tensor's own; of nothing but zeros the scale is 1, as ONNX Runtime has it.
#include <cmath>
#include "onward/ops/convert.h"
#include "onward/ops/quantized.h"
#include "onward/ops/typed.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// Which element of the scale belongs to element i.
struct ScaleIndex {
  int64_t inner = 1, axis_size = 1, block = 1, per_axis = 1;
  ScaleIndex(std::span<const int64_t> x, std::span<const int64_t> scale, int64_t axis, int64_t block_size) {
    if (count(scale) == 1) return;
    const int64_t at = axis_of(axis, int64_t(x.size()));
    inner = product(x, at + 1, int64_t(x.size())), axis_size = x[at], per_axis = scale.size() == 1 ? scale[0] : size_t(at) < scale.size() ? scale[size_t(at)] : 0;
    by_row = scale.size() > 1;
    bool fits = block_size >= 0 && per_axis > 0 && (!by_row || scale.size() == x.size());
    for (size_t i = 0; fits && by_row && i < x.size(); ++i) fits = int64_t(i) == at || scale[i] == x[i];
    if (fits) block = block_size ? block_size : by_row ? (axis_size + per_axis - 1) / per_axis : 1;
    if (!fits || (axis_size > 0 && (axis_size - 1) / std::max(block, int64_t(1)) >= per_axis)) invalid("a scale of shape ", shown(scale), " for ", shown(x), " along axis ", axis);
    block = std::max(block, int64_t(1));
  }
  int64_t operator()(int64_t i) const {
    if (per_axis == 1 && !by_row) return 0;
    const int64_t along = i / inner % axis_size / block;
    return by_row ? (i / inner / axis_size * per_axis + along) * inner + i % inner : along;
  }

  // run(first, n, index of its scale, whether each element has the next one) for stretches of `size` elements; false where there are none.
  template <class Run> bool stretches(const RunContext& context, int64_t size, Run&& run) const {
    if (by_row || (per_axis > 1 && (block != 1 || size == 0))) return false;
    if (per_axis == 1) context.parallel(size, 0.1, [&](int64_t begin, int64_t end) { run(begin, end - begin, int64_t(0), false); });
    else if (inner == 1) context.parallel(size / axis_size, 0.1 * double(axis_size), [&](int64_t begin, int64_t end) { for (int64_t k = begin; k < end; ++k) run(k * axis_size, axis_size, int64_t(0), true); });
    else context.parallel(size / inner, 0.1 * double(inner), [&](int64_t begin, int64_t end) { for (int64_t k = begin; k < end; ++k) run(k * inner, inner, k % axis_size, false); });
    return true;
  }

 private:
  bool by_row = false;
};

// A NaN becomes 0.
template <class T, bool each> struct QuantizeBody {
  [[gnu::always_inline]] static void run(const float* x, int64_t n, const float* scale, const float* zero, T* y) {
    constexpr float low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    for (int64_t i = 0; i < n; ++i) {
      const float own = zero[each ? i : 0], least = low - own, most = high - own, code = x[i] / scale[each ? i : 0];
      const float above = code > least ? code : least, inside = above < most ? above : most;
      y[i] = T(code == code ? nearest(inside) + int32_t(own) : 0);
    }
  }
};
template <class T, bool each> struct DequantizeBody {
  [[gnu::always_inline]] static void run(const T* x, int64_t n, const float* scale, const float* zero, float* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = (float(x[i]) - zero[each ? i : 0]) * scale[each ? i : 0];
  }
};
// The bodies of codes of 8 bits, over stretches: `From` and `To` are float and T, or T and float.
template <template <class, bool> class Body, class T, class From, class To>
bool in_stretches(const RunContext& context, const ScaleIndex& at, int64_t size, const From* x, const std::vector<double>& scale, const std::vector<double>& zero, To* y) {
  const std::vector<float> scales(scale.begin(), scale.end()), zeros(zero.begin(), zero.end());
  return at.stretches(context, size, [&](int64_t first, int64_t n, int64_t k, bool each) {
    const auto run = each ? simd::Compiled<Body<T, true>, const From*, int64_t, const float*, const float*, To*>::best : simd::Compiled<Body<T, false>, const From*, int64_t, const float*, const float*, To*>::best;
    run(x + first, n, scales.data() + k, zeros.data() + k, y + first);
  });
}

std::pair<double, double> bounds(DataType type) {
  switch (type) {
    case DataType::u4: return {0, 15};
    case DataType::i4: return {-8, 7};
    case DataType::u2: return {0, 3};
    case DataType::i2: return {-2, 1};
    case DataType::u8: return {0, 255};
    case DataType::i8: return {-128, 127};
    case DataType::u16: return {0, 65535};
    case DataType::i16: return {-32768, 32767};
    default: return {-INFINITY, INFINITY};      // float8: saturation is part of the conversion
  }
}

struct QuantizeLinear : standard::QuantizeLinear {
  void prepare(const Preparation&) const { if (output_dtype) element_type(output_dtype, T3.types); }
  void infer(Inference& io) const {
    const DataType type = io.has(2) ? io.inputs[2].type : output_dtype ? DataType(output_dtype) : DataType::u8;
    io.output(0, type, io.dims(0));
  }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const ScaleIndex at(x.dims(), call.tensor(1).dims(), axis, block_size);
    const auto scale = as_doubles(call.tensor(1)), zero = call.has(2) ? as_doubles(call.tensor(2)) : std::vector<double>(scale.size());
    if (zero.size() != scale.size()) invalid(zero.size(), " zero points for ", scale.size(), " scales");
    bool done = false;
    if (x.type() == DataType::f32) for_type<u8 | i8>(y.type(), [&]<class T>() { done = in_stretches<QuantizeBody, T>(call.context, at, x.size(), x.data<float>(), scale, zero, y.data<T>()); });
    if (done) return;
    const auto [low, high] = bounds(y.type());
    auto values = as_doubles(x);
    for (size_t i = 0; i < values.size(); ++i) {
      const double v = float(values[i]) / float(scale[at(int64_t(i))]);
      values[i] = std::isinf(high) ? v + zero[at(int64_t(i))] : std::clamp(std::nearbyint(v) + zero[at(int64_t(i))], low, high);
    }
    convert(DataType::f64, values.data(), y.type(), y.raw(), y.size(), saturate != 0);
  }
};

struct DequantizeLinear : standard::DequantizeLinear {
  void prepare(const Preparation&) const { if (output_dtype) element_type(output_dtype, T3.types); }
  void infer(Inference& io) const { io.output(0, output_dtype ? DataType(output_dtype) : io.inputs[1].type, io.dims(0)); }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const ScaleIndex at(x.dims(), call.tensor(1).dims(), axis, block_size);
    const auto scale = as_doubles(call.tensor(1)), zero = call.has(2) ? as_doubles(call.tensor(2)) : std::vector<double>(scale.size());
    if (zero.size() != scale.size()) invalid(zero.size(), " zero points for ", scale.size(), " scales");
    bool done = false;
    if (y.type() == DataType::f32) for_type<u8 | i8>(x.type(), [&]<class T>() { done = in_stretches<DequantizeBody, T>(call.context, at, x.size(), x.data<T>(), scale, zero, y.data<float>()); });
    if (done) return;
    auto values = as_doubles(x);
    for (size_t i = 0; i < values.size(); ++i) values[i] = float(values[i] - zero[at(int64_t(i))]) * float(scale[at(int64_t(i))]);
    convert(DataType::f64, values.data(), y.type(), y.raw(), y.size());
  }
};

struct DynamicQuantizeLinear : standard::DynamicQuantizeLinear {
  void infer(Inference& io) const {
    io.output(0, DataType::u8, io.dims(0));
    io.output(1, DataType::f32, {}), io.output(2, DataType::u8, {});
  }
  void run(In<float> x, Out<uint8_t> y, Out<float> scale, Out<uint8_t> zero) const {
    const Quantization to = dynamic_range(Tensor::view(DataType::f32, x.dims, x.data));
    if (y) quantize(x.data, x.size, to, y.data);
    if (scale) *scale.data = to.scale;
    if (zero) *zero.data = uint8_t(to.zero);
  }
};

}  // namespace

Operators quantize_quantize_linear() {
  return {define<QuantizeLinear>({.examples = {"float [0, 3, 1000], float 2, uint8 10 -> uint8 [10, 12, 255]"}}),
          define<DynamicQuantizeLinear>({.examples = {"float [0, 2, -3, -2.5, 1.34, 0.5] -> uint8 [153, 255, 0, 26, 221, 179], float 0.019607844, uint8 153"}}),
          define<DequantizeLinear>({.examples = {"uint8 [10, 12], float 2, uint8 10 -> float [0, 4]"}})};
}

}  // namespace onward::ops
