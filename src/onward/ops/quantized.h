// Quantized tensors: real = scale * (code - zero point).
#pragma once
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "onward/ops/code_product.h"
#include "onward/ops/operator.h"

namespace onward {

// `v` brought into the range of T; it must be whole or a NaN, which becomes the lowest.
template <class T> T saturated(double v) {
  using Limits = std::numeric_limits<T>;
  return v >= double(Limits::max()) ? Limits::max() : v > double(Limits::lowest()) ? T(v) : Limits::lowest();
}

// The code next to v, ties to even; a NaN is the lowest. A loop does best to keep the range as a variable: of constants the compiler makes
// masks of what lies outside, which cost more than to clamp.
template <class T> struct CodeRange {
  float low = float(std::numeric_limits<T>::min()), high = float(std::numeric_limits<T>::max());
  [[gnu::always_inline]] T rounded(float v) const {
    v = v > low ? v : low;
    return T(nearest(v < high ? v : high));
  }
};
template <class T> [[gnu::always_inline]] inline T rounded(float v) { return CodeRange<T>().rounded(v); }

// One scale and one zero point for a whole tensor. Arithmetic is that of QuantizeLinear and DequantizeLinear: in float, rounded to even.
struct Quantization {
  float scale = 1;
  int32_t zero = 0;
  [[gnu::always_inline]] float real(int32_t code) const { return scale * float(code - zero); }
  template <class T> T code(float real) const { return saturated<T>(std::nearbyint(double(real / scale)) + zero); }
  // Rounded with the zero point in it, as ONNX Runtime's pools do it: ties, and what float brings next to them, come out otherwise.
  template <class T> [[gnu::always_inline]] T code_rounded_last(float real) const { return rounded<T>(real / scale + float(zero)); }
};

template <class T> T single(In<T> x, const char* what) {
  if (x.size != 1) invalid("expected one ", what, ", found shape ", shown(x.dims));
  return x[0];
}
template <class T> Quantization quantization(In<float> scale, In<T> zero) {
  return {single(scale, "scale"), zero ? int32_t(single(zero, "zero point")) : 0};
}
// The same of any call: inputs `scale` and `zero`, the latter of 8 bits and perhaps absent.
Quantization quantization(const Call& call, size_t scale, size_t zero);

// A function of 8-bit codes, as a table: `f` is asked once for each of the 256.
template <class T> struct CodeTable {
  std::array<T, 256> of;
  template <class F> explicit CodeTable(F&& f) {
    for (int32_t i = 0; i < 256; ++i) of[size_t(i)] = f(std::is_signed_v<T> ? int32_t(int8_t(i)) : i);
  }
  T operator[](T code) const { return of[uint8_t(code)]; }
  void map(const T* from, int64_t n, T* to) const {
    const T* const table = of.data();
    int64_t i = 0;
    static_assert(std::endian::native == std::endian::little);
    for (; i + 8 <= n; i += 8) {                          // one load for eight codes
      uint64_t codes;
      std::memcpy(&codes, from + i, sizeof codes);
      for (int k = 0; k < 8; ++k, codes >>= 8) to[i + k] = table[uint8_t(codes)];
    }
    for (; i < n; ++i) to[i] = table[uint8_t(from[i])];
  }
};

// x - zero as int32: the zero point is one for all, or broadcasts to x; of rows, a vector of them stands beside the rows.
Tensor without_zero(const Call& call, size_t x, size_t zero, bool of_rows = false);

// A scale and a zero point of uint8 for the numbers of x, 0 among them, and the codes that they give (DynamicQuantizeLinear).
Quantization dynamic_range(const Tensor& x);
void quantize(const float* x, int64_t n, Quantization to, uint8_t* codes);
CodeRows dynamic_rows(const Tensor& x, Quantization to);     // of all axes but the last

// Scales or zero points of which there is one, or one for each of `n` columns or filters.
class PerColumn {
 public:
  PerColumn(const Tensor& values, int64_t n, const char* what);
  double operator[](int64_t i) const { return values_[values_.size() == 1 ? 0 : size_t(i)]; }

 private:
  std::vector<double> values_;
};

inline const Tensor* input_of(const Call& call, size_t i) { return call.has(i) ? &call.tensor(i) : nullptr; }

// The second operand of a product of codes, [k][n] or (`by_columns`) [n][k]; made ready at load where it and its zero point are constants.
class CodeColumns {
 public:
  void prepare(const Preparation& at, size_t matrix, size_t zero, bool by_columns = false);
  std::shared_ptr<const PackedCodes> of(const Call& call, size_t matrix, size_t zero, bool by_columns = false) const;     // null: not a matrix of codes

 private:
  std::shared_ptr<const PackedCodes> packed_;
};

}  // namespace onward
