// Linear scores of rows that stand side by side: a vector holds one column of many rows, so that few targets keep all lanes busy.
#pragma once
#include <cstdint>

namespace onward {

inline constexpr int64_t lane_rows = 64;                 // rows in a block

// to[c * lanes + r] = x[r * columns + c] of as many rows as lanes, a multiple of 16. `ahead`: asks for the rows of the next block, for
// callers that do little else.
template <class T> void lay_side_by_side(const T* x, int64_t columns, T* to, int64_t lanes = lane_rows, bool ahead = true);
// sums[t * lanes + r] += the sum over c of side[c * lanes + r] weights[c * targets + t]: for each sum one chain of multiply-adds over the
// columns, fused where the processor can, as in matrix_product.h. For the first `rows`; up to fifteen lanes beyond are read.
template <class T> void add_products(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows = lane_rows, int64_t lanes = lane_rows);

}  // namespace onward
