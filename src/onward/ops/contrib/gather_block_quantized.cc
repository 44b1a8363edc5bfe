// GatherBlockQuantized: Gather from a table of 2-, 4- or 8-bit codes, integers or small floats, with a scale for every block.
#include "onward/ops/contrib.h"
#include "onward/ops/convert.h"
#include "onward/ops/packed_rows.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

Dims row_major(std::span<const int64_t> dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

struct GatherBlockQuantized : contrib::GatherBlockQuantized {
  void prepare(const Preparation&) const {
    if (bits != 2 && bits != 4 && bits != 8) fail(Code::bad_model, "bits is ", bits, ", expected 2, 4 or 8");
    if (block_size != 0 && (block_size < 16 || block_size > 1 << 30 || (block_size & (block_size - 1)) != 0)) fail(Code::bad_model, "block_size is ", block_size, ", expected a power of two from 16 on, or 0");
  }

  // Codes of uint8 are packed along the last axis: this is the shape of the table they stand for.
  Dims table(DataType type, Dims dims) const {
    if (dims.empty()) invalid("expected data with axes, found a scalar");
    if (type == DataType::u8 && !is_symbol(dims.back())) {
      if (axis_of(gather_axis, int64_t(dims.size())) != 0) invalid("gather_axis is ", gather_axis, ", packed data have it at 0");
      dims.back() *= 8 / bits;
    }
    return dims;
  }

  void infer(Inference& io) const {
    if (!contains(T1.types, io.type(0))) invalid("data of ", name_of(io.type(0)));
    const Dims x = table(io.type(0), io.dims(0)), &indices = io.dims(1);
    const auto at = size_t(axis_of(gather_axis, int64_t(x.size())));
    if (io.type(0) == DataType::u8 && bits < 8 && x.size() == 1) invalid("packed data of one axis cannot be gathered along it");
    Dims out(x.begin(), x.begin() + at);
    out.insert(out.end(), indices.begin(), indices.end());
    out.insert(out.end(), x.begin() + at + 1, x.end());
    if (io.type(0) == DataType::u8 && is_symbol(io.dims(0).back())) out.back() = io.multiply(io.dims(0).back(), 8 / bits);
    io.output(0, out);
  }

  void run(Call& call) const {
    const Tensor &data = call.tensor(0), &y = call.output(0);
    const Tensor scales = as_type(call, call.tensor(2), DataType::f32), out = y.type() == DataType::f32 ? y : call.scratch(DataType::f32, y.dims());
    const bool packed = data.type() == DataType::u8;
    const Blocks blocks = blocks_of(call, scales);
    // Everything else has a byte for each code; the small floats are read through a table of their 256 codes.
    std::vector<float> meaning(256);
    const DataType as = packed ? DataType::u8 : data.type();
    for (size_t i = 0; i < 256; ++i) {
      const auto code = uint8_t(i);
      convert(as, &code, DataType::f32, &meaning[i], 1);
    }
    const auto* bytes = static_cast<const uint8_t*>(data.raw());
    const auto value = [&](int64_t i) { return packed ? float(packed_code(bytes, i, bits)) : meaning[bytes[i]]; };
    gather(call, blocks, value, scales.data<float>(), out.data<float>());
    store(out, y);
  }

 private:
  struct Blocks {
    Dims table, strides;                                  // of the scales; a stride of 0 where one scale serves a whole axis
    size_t axis;
    int64_t size;
    std::vector<float> zeros;
  };

  Blocks blocks_of(const Call& call, const Tensor& scales) const {
    const Tensor& data = call.tensor(0);
    Blocks b{table(data.type(), data.dims()), row_major(scales.dims()), 0, block_size, {}};
    const bool floats = contains(small_floats, data.type());
    b.axis = size_t(axis_of(quantize_axis, int64_t(b.table.size())));
    if (block_size == 0 && !floats) invalid("block_size is 0, which only data of small floats may have");
    if (block_size == 0) b.size = std::max<int64_t>(b.table[b.axis], 1);
    if (data.type() == DataType::u8 && bits < 8 && int64_t(b.axis) == axis_of(gather_axis, int64_t(b.table.size()))) invalid("packed data have the same gather_axis and quantize_axis, ", gather_axis);
    Dims expected = b.table;
    expected[b.axis] = (expected[b.axis] + b.size - 1) / b.size;
    bool fits = scales.dims().size() == expected.size();
    for (size_t i = 0; fits && i < expected.size(); ++i) {
      if (floats && i != b.axis && scales.dims()[i] == 1) b.strides[i] = 0;
      else fits = scales.dims()[i] == expected[i];
    }
    if (!fits) invalid("scales of shape ", shown(scales.dims()), " for ", shown(data), ", expected ", shown(expected));
    b.zeros = zeros_of(call, expected);
    return b;
  }

  // A zero point for each scale; one value alone where none are given.
  std::vector<float> zeros_of(const Call& call, const Dims& expected) const {
    const Tensor& data = call.tensor(0);
    const bool packed = data.type() == DataType::u8;
    if (!call.has(3)) return {packed ? float(1 << (bits - 1)) : 0.0f};
    if (contains(small_floats, data.type())) invalid("zero points for data of ", name_of(data.type()), ", which have none");
    const Tensor& zeros = call.tensor(3);
    if (zeros.type() != data.type()) invalid("zero points of ", name_of(zeros.type()), " for data of ", name_of(data.type()));
    Dims stored = expected;
    if (packed) stored.back() = (stored.back() * bits + 7) / 8;
    if (zeros.dims() != stored) invalid("zero points of shape ", shown(zeros.dims()), ", expected ", shown(stored));
    if (!packed) {
      const auto codes = as_doubles(zeros);
      return {codes.begin(), codes.end()};
    }
    std::vector<float> out;
    const int64_t n = expected.back(), rows = n ? count(expected) / n : 0;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < n; ++i) out.push_back(float(packed_code(zeros.data<uint8_t>() + r * stored.back(), i, bits)));
    return out;
  }

  template <class V> void gather(const Call& call, const Blocks& b, V&& value, const float* scales, float* y) const {
    const auto at = size_t(axis_of(gather_axis, int64_t(b.table.size())));
    const auto indices = integers(call.tensor(1));
    const int64_t size = b.table[at], outer = product(b.table, 0, int64_t(at)), inner = product(b.table, int64_t(at) + 1, int64_t(b.table.size()));
    const size_t last = b.table.size() - 1;
    const int64_t run = at == last ? 1 : b.table[last], runs = run ? inner / run : 0;
    const auto n = int64_t(indices.size());
    // Whole blocks of packed codes along the last axis are unpacked a row at a time.
    const Tensor& data = call.tensor(0);
    if (data.type() == DataType::u8 && b.axis == last && at != last && run > 0 && run % b.size == 0) {
      const PackedRows rows{run, bits, b.size, run / b.size, data.data<uint8_t>(), scales, nullptr, b.zeros.size() == 1 ? nullptr : b.zeros.data()};
      call.context.parallel(outer * n, 0.3 * double(inner), [&](int64_t begin, int64_t end) {
        for (int64_t k = begin; k < end; ++k) {
          const int64_t index = indices[size_t(k % n)] + (indices[size_t(k % n)] < 0 ? size : 0);
          if (index < 0 || index >= size) { std::fill_n(y + k * inner, inner, 0.0f); continue; }
          for (int64_t r = 0; r < runs; ++r) rows((k / n * size + index) * runs + r, y + k * inner + r * run);
        }
      });
      return;
    }
    if (inner) call.context.parallel(outer * n, 2.0 * double(inner), [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t index = indices[size_t(k % n)] + (indices[size_t(k % n)] < 0 ? size : 0);
        if (index < 0 || index >= size) { std::fill_n(y + k * inner, inner, 0.0f); continue; }          // so the operator says it
        for (int64_t r = 0; r < runs; ++r) line(b, value, scales, ((k / n * size + index) * runs + r) * run, run, y + k * inner + r * run);
      }
    });
  }

  // `n` neighbours along the last axis, from element `first` on.
  template <class V> static void line(const Blocks& b, V&& value, const float* scales, int64_t first, int64_t n, float* y) {
    const size_t last = b.table.size() - 1;
    int64_t scale = 0, rest = first;
    for (size_t i = b.table.size(); i-- > 0; rest /= b.table[i])
      if (i != last || n == 1) scale += (i == b.axis ? rest % b.table[i] / b.size : rest % b.table[i]) * b.strides[i];
    const int64_t across = last == b.axis ? b.size : 1, step = b.strides[last];
    for (int64_t i = 0; i < n; ++i) {
      const int64_t s = scale + (n == 1 ? 0 : i / across * step);
      y[i] = (value(first + i) - (b.zeros.size() == 1 ? b.zeros[0] : b.zeros[size_t(s)])) * scales[s];
    }
  }
};

}  // namespace

Operators contrib_gather_block_quantized() {
  return {define<GatherBlockQuantized>({.examples = {
      "uint8 [[[25, 0, 0, 0, 0, 0, 0, 0]], [[136, 136, 136, 136, 136, 136, 136, 250]]], int64 [[1], [0]], float [[[2]], [[0.5]]]; block_size=16, quantize_axis=2 -> "
      "float [[[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3.5]]], [[[2, -14, -16, -16, -16, -16, -16, -16, -16, -16, -16, -16, -16, -16, -16, -16]]]]",
      "uint8 [[1, 2, 255]], int32 [0, 5, -1], float [[2]], uint8 [[1]]; bits=8, block_size=16 -> float [[0, 2, 508], [0, 0, 0], [0, 2, 508]]"}})};
}

}  // namespace onward::ops
