// The same elements with axes in another order, as Transpose does it and as kernels need it for their operands.
#pragma once
#include "onward/model/tensor.h"

namespace onward {

Tensor transposed(const Tensor& x, const Dims& perm);
void transpose(const Tensor& x, std::span<const int64_t> perm, Tensor& out);

}  // namespace onward
