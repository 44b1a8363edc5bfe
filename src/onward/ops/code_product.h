// Exact products of 8-bit tensors: codes less their zero points as int16, sums as int32, and the way back to codes.
#pragma once
#include <optional>
#include <vector>

#include "onward/ops/context.h"
#include "onward/model/tensor.h"

namespace onward {

// A matrix of codes less their zero points, row by row; every value lies within ±255.
struct CodeRows {
  int64_t rows = 0, k = 0;
  std::vector<int16_t> values;
};
// Of uint8 or int8: all axes but the last are rows, or (transposed) the one before the last is k. Zero points: none, one, or one for each
// row of the answer. Nothing for tensors that are otherwise.
std::optional<CodeRows> code_rows(const Tensor& matrix, const Tensor* zero, bool transpose);
// int32 values within ±255.
CodeRows narrow_rows(const Tensor& matrix);

// c[m][n], in rows of `stride`: the sum over k of a[m][k] b[n][k], modulo 2^32 and the same on every instruction set.
void code_product(const RunContext& context, const int16_t* a, int64_t m, const int16_t* b, int64_t n, int64_t k, int32_t* c, int64_t stride);

// Rounds sums[row][column] * ratio[column] to even, adds the zero point, and brings it into the range of T: uint8_t or int8_t.
template <class T> void requantize(const RunContext& context, const int32_t* sums, int64_t rows, std::span<const float> ratio, int32_t zero, T* y);

}  // namespace onward
