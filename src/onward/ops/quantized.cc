#include "onward/ops/quantized.h"

#include "onward/ops/broadcast.h"
#include "onward/ops/typed.h"

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

Tensor dynamically_quantized(const Call& call, const Tensor& x, float& scale) {
  if (x.type() != DataType::f32) invalid("expected float, found ", name_of(x.type()));
  float low = 0, high = 0;
  for (const float v : x.values<float>()) low = std::min(low, v), high = std::max(high, v);
  scale = low == high ? 1.0f : (high - low) / 255.0f;
  const Quantization to{scale, saturated<uint8_t>(std::nearbyint(double(-low / scale)))};
  Tensor out = call.scratch(DataType::i32, x.dims());
  for (int64_t i = 0; i < x.size(); ++i) out.data<int32_t>()[i] = int32_t(to.code<uint8_t>(x.data<float>()[i])) - to.zero;
  return out;
}

static std::shared_ptr<const CodeRows> shared_rows(const Tensor& matrix, const Tensor* zero, bool transpose) {
  if (matrix.rank() != 2) return nullptr;
  auto rows = code_rows(matrix, zero, transpose);
  return rows ? std::make_shared<const CodeRows>(std::move(*rows)) : nullptr;
}

void CodeColumns::prepare(const Preparation& at, size_t matrix, size_t zero, bool transpose) {
  const bool has_zero = zero < at.node.inputs.size() && !at.node.inputs[zero].empty();
  if (at.input(matrix) && (!has_zero || at.input(zero))) packed_ = shared_rows(*at.input(matrix), has_zero ? at.input(zero) : nullptr, transpose);
}

std::shared_ptr<const CodeRows> CodeColumns::rows(const Call& call, size_t matrix, size_t zero, bool transpose) const {
  return packed_ ? packed_ : shared_rows(call.tensor(matrix), input_of(call, zero), transpose);
}

PerColumn::PerColumn(const Tensor& values, int64_t n, const char* what) : values_(as_doubles(values)) {
  if (values_.size() != 1 && int64_t(values_.size()) != n) invalid("expected one ", what, " or ", n, ", found shape ", shown(values.dims()));
}

}  // namespace onward
