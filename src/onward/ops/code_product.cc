// The sum of (a - za)(b - zb) is that of a b, less za times the sum of b's column, less zb times what is left of a's row.
#include "onward/ops/code_product.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "onward/ops/code_kernels.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int32_t half = 128;                             // between a signed code and the unsigned one of the same order

template <class T> struct Requantize {
  [[gnu::always_inline]] static void run(const int32_t* sums, const float* ratio, int64_t n, int32_t zero, T* y) {
    const float low = float(std::numeric_limits<T>::min() - zero), high = float(std::numeric_limits<T>::max() - zero);
    for (int64_t i = 0; i < n; ++i) {
      float v = float(sums[i]) * ratio[i];
      v = v > low ? v : low;                              // a NaN is the lowest
      y[i] = T(nearest(v < high ? v : high) + zero);
    }
  }
};
struct ScaleSums {
  [[gnu::always_inline]] static void run(const int32_t* sums, const float* scale, const float* bias, int64_t n, float* y) {
    if (bias) for (int64_t i = 0; i < n; ++i) y[i] = float(sums[i]) * scale[i] + bias[i];
    else for (int64_t i = 0; i < n; ++i) y[i] = float(sums[i]) * scale[i];
  }
};
struct SumBytes {
  [[gnu::always_inline]] static void run(const uint8_t* codes, int64_t n, uint32_t* sum) {
    uint32_t total = 0;
    for (int64_t i = 0; i < n; ++i) total += codes[i];
    *sum = total;
  }
};

std::vector<int32_t> zeros_of(const Tensor* zero) {
  std::vector<int32_t> out;
  if (zero) for_type<u8 | i8>(zero->type(), [&]<class T>() { out.assign(zero->data<T>(), zero->data<T>() + zero->size()); });
  return out;
}
bool has_codes(const Tensor& matrix, const Tensor* zero, int64_t each) {
  return (matrix.type() == DataType::u8 || matrix.type() == DataType::i8) &&
         (!zero || (zero->type() == matrix.type() && (zero->size() == 1 || (zero->rank() == 1 && zero->size() == each))));
}

}  // namespace

std::optional<CodeRows> code_rows(const Tensor& matrix, const Tensor* zero, bool transpose) {
  if (matrix.rank() == 0 || (transpose && matrix.rank() != 2) || matrix.size() == 0) return std::nullopt;
  CodeRows out;
  out.rows = transpose ? matrix.dims()[1] : matrix.size() / matrix.dims().back(), out.k = transpose ? matrix.dims()[0] : matrix.dims().back();
  if (!has_codes(matrix, zero, out.rows)) return std::nullopt;
  const bool is_signed = matrix.type() == DataType::i8;
  const uint8_t* codes = static_cast<const uint8_t*>(matrix.raw());
  const uint8_t flip = is_signed ? half : 0;
  out.zeros = zeros_of(zero);
  if (out.zeros.empty()) out.zeros = {0};
  for (int32_t& z : out.zeros) z += is_signed ? half : 0;
  out.stride = padded_k(out.k);
  if (!is_signed && !transpose && out.k == out.stride) {
    out.codes = codes;
    return out;
  }
  out.own.resize(size_t(out.rows * out.stride));
  for (int64_t i = 0; i < out.rows; ++i) {
    uint8_t* to = out.own.data() + i * out.stride;
    if (transpose) for (int64_t k = 0; k < out.k; ++k) to[k] = uint8_t(codes[k * out.rows + i] ^ flip);
    else if (!is_signed) std::memcpy(to, codes + i * out.k, size_t(out.k));
    else for (int64_t k = 0; k < out.k; ++k) to[k] = uint8_t(codes[i * out.k + k] ^ flip);
  }
  out.codes = out.own.data();
  return out;
}

PackedCodes::PackedCodes(const uint8_t* codes, bool is_signed, int64_t k, int64_t n, bool by_columns, std::vector<int32_t> zeros) : k_(k), n_(n), zeros_(std::move(zeros)) {
  const int64_t panels = (n + panel_columns - 1) / panel_columns, panel = padded_k(k) * panel_columns;
  const auto flip = uint8_t(is_signed ? 0 : half);
  panels_.resize(size_t(panels * panel)), sums_.resize(size_t(panels * panel_columns));
  for (int64_t j = 0; j < n; j += panel_columns) {
    int8_t* const to = panels_.data() + j / panel_columns * panel;
    int32_t* const sums = sums_.data() + j;
    const int64_t width = std::min(panel_columns, n - j);
    const auto put = [&](int64_t p, int64_t q, uint8_t code) __attribute__((always_inline)) {
      const auto v = int8_t(code ^ flip);
      to[p / 4 * 64 + q * 4 + p % 4] = v, sums[q] = int32_t(uint32_t(sums[q]) + uint32_t(int32_t(v)));
    };
    if (by_columns) for (int64_t q = 0; q < width; ++q) for (int64_t p = 0; p < k; ++p) put(p, q, codes[(j + q) * k + p]);
    else if (width == panel_columns) for (int64_t p = 0; p < k; ++p) for (int64_t q = 0; q < panel_columns; ++q) put(p, q, codes[p * n + j + q]);
    else for (int64_t p = 0; p < k; ++p) for (int64_t q = 0; q < width; ++q) put(p, q, codes[p * n + j + q]);
  }
  if (zeros_.empty()) zeros_ = {0};
  for (int32_t& z : zeros_) z -= is_signed ? 0 : half;
  if (std::all_of(zeros_.begin(), zeros_.end(), [](int32_t z) { return z == 0; })) zeros_.clear();
  else if (zeros_.size() == 1) zeros_.assign(size_t(n), zeros_[0]);
}

std::shared_ptr<const PackedCodes> packed_codes(const Tensor& matrix, const Tensor* zero, bool by_columns) {
  if (matrix.rank() != 2 || matrix.size() == 0) return nullptr;
  const int64_t k = matrix.dims()[by_columns ? 1 : 0], n = matrix.dims()[by_columns ? 0 : 1];
  if (!has_codes(matrix, zero, n)) return nullptr;
  return std::make_shared<const PackedCodes>(static_cast<const uint8_t*>(matrix.raw()), matrix.type() == DataType::i8, k, n, by_columns, zeros_of(zero));
}

void code_product(const RunContext& context, const CodeRows& a, const PackedCodes& b, int32_t* c, int64_t stride, const int32_t* bias) {
  const bool one_zero = a.zeros.size() == 1;
  std::vector<int32_t> offset(b.sums_.size());
  if (bias) std::copy_n(bias, b.n_, offset.data());
  if (one_zero) for (size_t j = 0; j < offset.size(); ++j) offset[j] = int32_t(uint32_t(offset[j]) - uint32_t(a.zeros[0]) * uint32_t(b.sums_[j]));
  context.parallel(a.rows, 0.003 * double(b.n_ * b.k_) + 1, [&](int64_t begin, int64_t end) {
    code_kernel({a.codes + begin * a.stride, a.stride, b.panels_.data(), b.n_, b.k_, offset.data(), c + begin * stride, stride}, end - begin);
    if (one_zero && b.zeros_.empty()) return;
    for (int64_t i = begin; i < end; ++i) {
      const auto zero = uint32_t(a.zeros[one_zero ? 0 : size_t(i)]);
      uint32_t left = 0;                                  // of the row, its zero points taken away
      if (!b.zeros_.empty()) simd::Compiled<SumBytes, const uint8_t*, int64_t, uint32_t*>::best(a.codes + i * a.stride, b.k_, &left), left -= zero * uint32_t(b.k_);
      int32_t* row = c + i * stride;
      if (!one_zero) for (int64_t j = 0; j < b.n_; ++j) row[j] = int32_t(uint32_t(row[j]) - zero * uint32_t(b.sums_[size_t(j)]));
      if (left) for (int64_t j = 0; j < b.n_; ++j) row[j] = int32_t(uint32_t(row[j]) - left * uint32_t(b.zeros_[size_t(j)]));
    }
  });
}

// Short rows go together: what belongs to a column, as often as there are rows in a stretch.
namespace {
struct Stretch {
  std::vector<float> values;
  int64_t rows;                                           // of a stretch
  Stretch(std::span<const float> each, int64_t all_rows) : rows(std::clamp<int64_t>(each.empty() ? 1 : 512 / int64_t(each.size()), 1, std::max<int64_t>(all_rows, 1))) {
    for (int64_t i = 0; i < rows; ++i) values.insert(values.end(), each.begin(), each.end());
  }
};
// f(first element, elements) for stretches of rows of n elements.
template <class F> void each_stretch(const RunContext& context, int64_t rows, int64_t n, const Stretch& s, F&& f) {
  context.parallel((rows + s.rows - 1) / s.rows, double(n * s.rows) * 0.3, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) f(k * s.rows * n, std::min(s.rows, rows - k * s.rows) * n);
  });
}
}  // namespace

template <class T> void requantize(const RunContext& context, const int32_t* sums, int64_t rows, std::span<const float> ratio, int32_t zero, T* y) {
  const Stretch of_ratio(ratio, rows);
  each_stretch(context, rows, int64_t(ratio.size()), of_ratio, [&](int64_t at, int64_t n) {
    simd::Compiled<Requantize<T>, const int32_t*, const float*, int64_t, int32_t, T*>::best(sums + at, of_ratio.values.data(), n, zero, y + at);
  });
}

void scale_sums(const RunContext& context, const int32_t* sums, int64_t rows, std::span<const float> scale, std::span<const float> bias, float* y) {
  const Stretch of_scale(scale, rows), of_bias(bias, rows);
  each_stretch(context, rows, int64_t(scale.size()), of_scale, [&](int64_t at, int64_t n) {
    simd::Compiled<ScaleSums, const int32_t*, const float*, const float*, int64_t, float*>::best(sums + at, of_scale.values.data(), bias.empty() ? nullptr : of_bias.values.data(), n, y + at);
  });
}

template void requantize(const RunContext&, const int32_t*, int64_t, std::span<const float>, int32_t, uint8_t*);
template void requantize(const RunContext&, const int32_t*, int64_t, std::span<const float>, int32_t, int8_t*);

}  // namespace onward
