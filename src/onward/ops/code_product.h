// Exact products of 8-bit tensors: sums of codes less their zero points as int32, and the way back to codes.
#pragma once
#include <bit>
#include <optional>
#include <vector>

#include "onward/model/tensor.h"
#include "onward/ops/context.h"

namespace onward {

// The integer next to v, ties to even, in one addition: |v| below 2^22. It stands in the low bits of the sum.
[[gnu::always_inline]] inline int32_t nearest(float v) {
  constexpr float above = 12582912.0f;                    // 1.5 * 2^23
  return std::bit_cast<int32_t>(v + above) - std::bit_cast<int32_t>(above);
}

// A matrix of codes on the left, row by row. Codes are unsigned here: of int8 each is 128 more, and so is its zero point.
struct CodeRows {
  int64_t rows = 0, k = 0, stride = 0;                    // rows have padded_k(k) readable bytes
  const uint8_t* codes = nullptr;                         // of the tensor itself, which must stay, or `own`
  std::vector<uint8_t> own;
  std::vector<int32_t> zeros;                             // one, or one for each row

  CodeRows() = default;
  CodeRows(CodeRows&&) = default;
};
// Of uint8 or int8: all axes but the last are rows, or (transposed) the one before the last is k. Zero points: none, one, or one for each
// row. Nothing for tensors that are otherwise.
std::optional<CodeRows> code_rows(const Tensor& matrix, const Tensor* zero, bool transpose);

// A matrix of codes on the right, laid out for products. Codes are signed here: of uint8 each is 128 less, and so is its zero point.
class PackedCodes {
 public:
  // [k][n], or (`by_columns`) [n][k]; `zeros` are none, one, or one for each column.
  PackedCodes(const uint8_t* codes, bool is_signed, int64_t k, int64_t n, bool by_columns, std::vector<int32_t> zeros);
  int64_t k() const { return k_; }
  int64_t columns() const { return n_; }

 private:
  friend void code_product(const RunContext& context, const CodeRows& a, const PackedCodes& b, int32_t* c, int64_t stride, const int32_t* bias);
  int64_t k_, n_;
  std::vector<int8_t> panels_;
  std::vector<int32_t> sums_, zeros_;                     // of every column, with those that pad the last panel; zeros are empty where all are 0
};
// A matrix [k][n] or (`by_columns`) [n][k] of uint8 or int8 with zero points of its type, none, one, or one for each column; or nothing.
std::shared_ptr<const PackedCodes> packed_codes(const Tensor& matrix, const Tensor* zero, bool by_columns);

// c[rows of a][columns of b], in rows of `stride`: modulo 2^32, the same on every instruction set. A bias of every column may be null.
void code_product(const RunContext& context, const CodeRows& a, const PackedCodes& b, int32_t* c, int64_t stride, const int32_t* bias = nullptr);

// Rounds sums[row][column] * ratio[column] to even, adds the zero point, and brings it into the range of T: uint8_t or int8_t.
template <class T> void requantize(const RunContext& context, const int32_t* sums, int64_t rows, std::span<const float> ratio, int32_t zero, T* y);

// y = sums[row][column] * scale[column] + bias[column], without the last where it is empty.
void scale_sums(const RunContext& context, const int32_t* sums, int64_t rows, std::span<const float> scale, std::span<const float> bias, float* y);

}  // namespace onward
