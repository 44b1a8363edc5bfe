// Whole tensors in the type that a kernel computes in, and its answers in the type that the node has.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

std::vector<double> as_doubles(const Tensor& t);
Tensor as_type(const Call& call, const Tensor& t, DataType type);     // itself where the type is the same
Tensor as_output(const Call& call, const Tensor& t, DataType type);   // room for what will be stored in `t`; itself where the type is the same
void store(const Tensor& from, const Tensor& to);                     // converted; nothing where they are one

// The element type that an attribute gives by its number in the standard.
DataType element_type(int64_t number, Types allowed);

// float, or double for double: the type in which kernels of real numbers compute.
inline DataType computed_as(DataType type) { return type == DataType::f64 ? DataType::f64 : DataType::f32; }

}  // namespace onward
