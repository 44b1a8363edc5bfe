// QuantizeLinear, DequantizeLinear: y = x / scale + zero point, for the whole tensor, along an axis, or in blocks.
// DynamicQuantizeLinear has no file: the standard gives its meaning, and it is run as that.
#include <cmath>
#include "onward/ops/convert.h"
#include "onward/ops/typed.h"

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

 private:
  bool by_row = false;
};

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
    auto values = as_doubles(x);
    for (size_t i = 0; i < values.size(); ++i) values[i] = float(values[i] - zero[at(int64_t(i))]) * float(scale[at(int64_t(i))]);
    convert(DataType::f64, values.data(), y.type(), y.raw(), y.size());
  }
};

}  // namespace

Operators quantize_quantize_linear() {
  return {define<QuantizeLinear>({.examples = {"float [0, 3, 1000], float 2, uint8 10 -> uint8 [10, 12, 255]"}}),
          define<DequantizeLinear>({.examples = {"uint8 [10, 12], float 2, uint8 10 -> float [0, 4]"}})};
}

}  // namespace onward::ops
