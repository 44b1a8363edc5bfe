#include "onward/ops/quantized.h"

#include "onward/ops/broadcast.h"
#include "onward/ops/code_kernels.h"
#include "onward/ops/typed.h"
#include "onward/simd/targets.h"

namespace onward {

Quantization quantization(const Call& call, size_t scale, size_t zero) {
  const auto only = [&](size_t i, const char* what) {
    const Tensor& t = call.tensor(i);
    if (t.size() != 1) invalid("input ", i, ": expected one ", what, ", found shape ", shown(t.dims()));
    return as_doubles(t)[0];
  };
  return {float(only(scale, "scale")), call.has(zero) ? saturated<int32_t>(only(zero, "zero point")) : 0};
}

// Codes of at most 16 bits, so that their differences are int32.
static Tensor codes(const Call& call, size_t i) {
  const DataType type = call.tensor(i).type();
  if (!contains(u8 | i8 | u16 | i16 | small_ints, type)) invalid("expected codes of 16 bits or fewer, found ", name_of(type));
  return as_type(call, call.tensor(i), DataType::i32);
}

Tensor without_zero(const Call& call, size_t x, size_t zero, bool of_rows) {
  const Tensor from = codes(call, x);
  if (zero == SIZE_MAX || !call.has(zero)) return from;
  Tensor out = call.scratch(DataType::i32, from.dims());
  const Tensor z = codes(call, zero);
  const int32_t* code = from.data<int32_t>();
  int32_t* to = out.data<int32_t>();
  if (z.size() == 1) {
    const int32_t only = *z.data<int32_t>();
    for (int64_t i = 0; i < out.size(); ++i) to[i] = code[i] - only;
    return out;
  }
  Dims dims = z.dims();
  if (of_rows && dims.size() == 1) dims.push_back(1);
  if (broadcast(out.dims(), dims) != out.dims()) invalid("zero points of shape ", shown(z.dims()), " for ", shown(call.tensor(x)));
  const std::span<const int64_t> operands[] = {dims};
  const Rows walk(out.dims(), operands);
  const int64_t step = walk.advances(0);
  if (out.size()) walk.each([&](int64_t at, std::span<const int64_t> offset) {
    for (int64_t k = 0; k < walk.length(); ++k) to[at + k] = code[at + k] - z.data<int32_t>()[offset[0] + k * step];
  });
  return out;
}

namespace {

// A NaN is neither less nor more than what was there.
struct RangeBody {
  [[gnu::always_inline]] static void run(const float* x, int64_t n, float* low, float* high) {
    constexpr int64_t lanes = 64;
    float least[lanes] = {}, most[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
      for (int64_t l = 0; l < lanes; ++l) least[l] = x[i + l] < least[l] ? x[i + l] : least[l], most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
    for (; i < n; ++i) least[0] = std::min(least[0], x[i]), most[0] = std::max(most[0], x[i]);
    *low = *std::min_element(least, least + lanes), *high = *std::max_element(most, most + lanes);
  }
};
struct QuantizeBody {
  [[gnu::always_inline]] static void run(const float* x, int64_t n, float scale, float zero, uint8_t* codes) {
    for (int64_t i = 0; i < n; ++i) {
      float v = x[i] / scale;
      v = v > -zero ? v : -zero;                          // a NaN is the lowest
      codes[i] = uint8_t(nearest(v < 255 - zero ? v : 255 - zero) + int32_t(zero));
    }
  }
};

}  // namespace

Quantization dynamic_range(const Tensor& x) {
  if (x.type() != DataType::f32) invalid("expected float, found ", name_of(x.type()));
  float low = 0, high = 0;
  simd::Compiled<RangeBody, const float*, int64_t, float*, float*>::best(x.data<float>(), x.size(), &low, &high);
  const float scale = low == high ? 1.0f : (high - low) / 255.0f;
  return {scale, saturated<uint8_t>(std::nearbyint(double(-low / scale)))};
}

void quantize(const float* x, int64_t n, Quantization to, uint8_t* codes) {
  simd::Compiled<QuantizeBody, const float*, int64_t, float, float, uint8_t*>::best(x, n, to.scale, float(to.zero), codes);
}

CodeRows dynamic_rows(const Tensor& x, Quantization to) {
  CodeRows out;
  out.k = x.dims().back(), out.rows = out.k ? x.size() / out.k : 0, out.stride = padded_k(out.k);
  out.own.resize(size_t(out.rows * out.stride)), out.zeros = {to.zero};
  for (int64_t i = 0; i < out.rows; ++i) quantize(x.data<float>() + i * out.k, out.k, to, out.own.data() + i * out.stride);
  out.codes = out.own.data();
  return out;
}

void CodeColumns::prepare(const Preparation& at, size_t matrix, size_t zero, bool by_columns) {
  const bool has_zero = zero < at.node.inputs.size() && !at.node.inputs[zero].empty();
  if (at.input(matrix) && (!has_zero || at.input(zero))) packed_ = packed_codes(*at.input(matrix), has_zero ? at.input(zero) : nullptr, by_columns);
}

std::shared_ptr<const PackedCodes> CodeColumns::of(const Call& call, size_t matrix, size_t zero, bool by_columns) const {
  return packed_ ? packed_ : packed_codes(call.tensor(matrix), input_of(call, zero), by_columns);
}

PerColumn::PerColumn(const Tensor& values, int64_t n, const char* what) : values_(as_doubles(values)) {
  if (values_.size() != 1 && int64_t(values_.size()) != n) invalid("expected one ", what, " or ", n, ", found shape ", shown(values.dims()));
}

}  // namespace onward
