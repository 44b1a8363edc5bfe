// Linear scores of rows that stand side by side: a vector holds one column of many rows, so that few targets keep all lanes busy.
#pragma once
#include <cstdint>

namespace onward {

inline constexpr int64_t lane_rows = 64;                 // rows in a block

// to[c * lane_rows + r] = x[r * columns + c] of lane_rows rows.
template <class T> void lay_side_by_side(const T* x, int64_t columns, T* to);
// sums[t * lane_rows + r] += the sum over c of side[c * lane_rows + r] weights[c * targets + t]: for each sum one chain of multiply-adds
// over the columns, fused where the processor can, as in matrix_product.h. For the first `rows`; up to fifteen lanes beyond are read.
template <class T> void add_products(const T* side, int64_t columns, const T* weights, int64_t targets, T* sums, int64_t rows = lane_rows);

}  // namespace onward
