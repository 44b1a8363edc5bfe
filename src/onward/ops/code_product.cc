#include "onward/ops/code_product.h"

#include <cmath>
#include <limits>

#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t most = 32768;                           // so many products of two values within ±255 fit into an int32

// GCC makes multiply-add instructions of 16-bit pairs of this loop.
template <int rows, int columns> [[gnu::always_inline]] inline void tile(const int16_t* __restrict a, const int16_t* __restrict b, int64_t k, int32_t* __restrict c, int64_t stride) {
  for (int64_t from = 0; from < k || from == 0; from += most) {
    const int64_t n = std::min(most, k - from);
    int32_t sum[rows][columns] = {};
    for (int64_t i = from; i < from + n; ++i)
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
        for (int q = 0; q < columns; ++q) sum[r][q] += int32_t(a[r * k + i]) * int32_t(b[q * k + i]);
    for (int r = 0; r < rows; ++r)
      for (int q = 0; q < columns; ++q) c[r * stride + q] = from ? int32_t(uint32_t(c[r * stride + q]) + uint32_t(sum[r][q])) : sum[r][q];
  }
}

template <int tall, int wide> [[gnu::always_inline]] inline void all(const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride) {
  int64_t j = 0;
  for (; j + wide <= n; j += wide) {
    int64_t i = 0;
    for (; i + tall <= m; i += tall) tile<tall, wide>(a + i * k, b + j * k, k, c + i * stride + j, stride);
    for (; i < m; ++i) tile<1, wide>(a + i * k, b + j * k, k, c + i * stride + j, stride);
  }
  for (; j < n; ++j) for (int64_t i = 0; i < m; ++i) tile<1, 1>(a + i * k, b + j * k, k, c + i * stride + j, stride);
}

using Product = void(const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride);
[[gnu::flatten, gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c,prefer-vector-width=512")]] void vnni(const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride) { all<4, 4>(a, m, b, n, k, c, stride); }
[[gnu::flatten, ONWARD_AVX512]] void avx512(const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride) { all<4, 4>(a, m, b, n, k, c, stride); }
[[gnu::flatten, ONWARD_AVX2]] void avx2(const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride) { all<2, 4>(a, m, b, n, k, c, stride); }
[[gnu::flatten]] void baseline(const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride) { all<2, 2>(a, m, b, n, k, c, stride); }

Product* best_product() {
  constexpr Product* each[] = {baseline, avx2, avx512};
  if (simd::best() == simd::Target::avx512 && __builtin_cpu_supports("avx512vnni")) return vnni;
  return each[size_t(simd::best())];
}

template <class T> struct Requantize {
  [[gnu::always_inline]] static void run(const int32_t* sums, const float* ratio, int64_t n, int32_t zero, T* y) {
    const float low = float(std::numeric_limits<T>::min() - zero), high = float(std::numeric_limits<T>::max() - zero);
    for (int64_t i = 0; i < n; ++i) {
      float v = float(sums[i]) * ratio[i];
      v = v > low ? v : low;                              // a NaN is the lowest
      y[i] = T(int32_t(__builtin_nearbyintf(v < high ? v : high)) + zero);
    }
  }
};

template <class T> void take(const Tensor& from, const std::vector<int16_t>& zero, bool transpose, CodeRows& out) {
  const T* code = from.data<T>();
  for (int64_t i = 0; i < out.rows; ++i) {
    const int16_t z = zero.empty() ? int16_t(0) : zero[zero.size() == 1 ? 0 : size_t(i)];
    int16_t* to = out.values.data() + i * out.k;
    if (transpose) for (int64_t k = 0; k < out.k; ++k) to[k] = int16_t(code[k * out.rows + i] - z);
    else for (int64_t k = 0; k < out.k; ++k) to[k] = int16_t(code[i * out.k + k] - z);
  }
}

}  // namespace

std::optional<CodeRows> code_rows(const Tensor& matrix, const Tensor* zero, bool transpose) {
  if (matrix.rank() == 0 || (transpose && matrix.rank() != 2) || matrix.size() == 0) return std::nullopt;
  CodeRows out{transpose ? matrix.dims()[1] : matrix.size() / matrix.dims().back(), transpose ? matrix.dims()[0] : matrix.dims().back(), {}};
  const bool bytes = matrix.type() == DataType::u8 || matrix.type() == DataType::i8;
  if (!bytes || (zero && (zero->type() != matrix.type() || (zero->size() != 1 && (zero->rank() != 1 || zero->size() != out.rows))))) return std::nullopt;
  out.values.resize(size_t(matrix.size()));
  for_type<u8 | i8>(matrix.type(), [&]<class T>() {
    std::vector<int16_t> zeros;
    if (zero) zeros.assign(zero->data<T>(), zero->data<T>() + zero->size());
    take<T>(matrix, zeros, transpose, out);
  });
  return out;
}

CodeRows narrow_rows(const Tensor& matrix) {
  const int64_t k = matrix.rank() ? matrix.dims().back() : 1;
  return {k ? matrix.size() / k : 0, k, {matrix.data<int32_t>(), matrix.data<int32_t>() + matrix.size()}};
}

void code_product(const RunContext& context, const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride) {
  Product* const product = best_product();
  context.parallel(m, 0.02 * double(n * k), [&](int64_t begin, int64_t end) { product(a + begin * k, end - begin, b, n, k, c + begin * stride, stride); });
}

template <class T> void requantize(const RunContext& context, const int32_t* sums, int64_t rows, std::span<const float> ratio, int32_t zero, T* y) {
  const auto n = int64_t(ratio.size());
  context.parallel(rows, double(n), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) simd::Compiled<Requantize<T>, const int32_t*, const float*, int64_t, int32_t, T*>::best(sums + i * n, ratio.data(), n, zero, y + i * n);
  });
}

template void requantize(const RunContext&, const int32_t*, int64_t, std::span<const float>, int32_t, uint8_t*);
template void requantize(const RunContext&, const int32_t*, int64_t, std::span<const float>, int32_t, int8_t*);

}  // namespace onward
