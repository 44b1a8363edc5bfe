// One column of a table into one column of a tensor: types, gaps, categories, ranges.
#pragma once
#include "onward/data/table.h"

namespace onward {

// `tensor` has `width` columns, of which this fills the k-th. Throws Error{bad_data} naming column and row (`first_row` + row + 1).
void fill(const Tensor& tensor, size_t k, size_t width, const Field& field, const Column& column, int64_t first_row);

}  // namespace onward
