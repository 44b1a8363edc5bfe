// The shapes of a matrix product as numpy's matmul has them, and the product of every pair of matrices.
#pragma once
#include "onward/ops/broadcast.h"
#include "onward/ops/matrix_product.h"

namespace onward {

// The last two axes are matrices, the others broadcast; a vector counts as a row on the left, a column on the right.
struct MatMulShape {
  Dims a, b, batch;
  bool row = false, column = false;
  MatMulShape(std::span<const int64_t> left, std::span<const int64_t> right, Symbols* symbols = nullptr);
  Dims output() const;
};

template <class T> void matmul(const RunContext& context, const MatMulShape& shape, const T* a, const T* b, T* y);

}  // namespace onward
