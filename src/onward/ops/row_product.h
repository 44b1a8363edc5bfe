// y[m][n] = sum over k of x[m][k] w[n][k], the rows of w written one at a time: weights that are stored packed are unpacked only so.
#pragma once
#include "onward/ops/context.h"

namespace onward {

// `row(n, to)` writes the k values of row n; it is called from several threads. Each sum runs in 16 lanes that are then added pairwise:
// an answer depends on its two rows alone, and on no instruction set among those with fused multiply-add.
void row_product(const RunContext& context, const float* x, int64_t m, int64_t n, int64_t k, FunctionRef<void(int64_t n, float* to)> row, float* y);

}  // namespace onward
