// The same elements with axes in another order, as Transpose does it and as kernels need it for their operands.
#pragma once
#include "onward/model/tensor.h"

namespace onward {

Tensor transposed(const Tensor& x, const Dims& perm);
void transpose(const Tensor& x, std::span<const int64_t> perm, Tensor& out);

// to[column][row] = from[row][column] of bytes, in rows that far apart.
void transpose_bytes(const uint8_t* from, int64_t from_stride, int64_t rows, int64_t columns, uint8_t* to, int64_t to_stride);

}  // namespace onward
