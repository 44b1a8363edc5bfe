// Products of rows that stand side by side with a constant matrix.
#pragma once
#include "onward/ops/matrix_product.h"
#include "onward/ops/side_by_side.h"

namespace onward {

// The first input by `weights` [k][n], finished: + bias (of n numbers), then a rectifier. The chains of sums are those of matrix_product.h.
// None where there are too many weights.
LaneStep product_side_by_side(const LaneSite& site, const Tensor& weights, const Tensor* bias, Rectifier rectifier);

}  // namespace onward
