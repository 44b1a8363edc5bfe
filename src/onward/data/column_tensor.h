// Single columns from tensors and back.
#pragma once
#include "onward/data/table.h"

namespace onward {

// Column k of a tensor that is `width` columns wide (1 or more). Throws Error{bad_data} for types that no column holds.
Column column_of(std::string name, const Tensor& tensor, size_t k, size_t width);

// The whole column as a vector: gaps become NaN (whole numbers and booleans that have some become float64), "" in texts.
Tensor tensor_of(const Column& column);

}  // namespace onward
