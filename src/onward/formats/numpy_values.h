// What numpy's constructors and states mean, as data.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

// The value of `callee(*args)` where that is data we know (dtype, scalar, array, bytes, OrderedDict ...); nothing otherwise.
std::optional<plain::Value> known_call(Arena&, const plain::Global& callee, const plain::Value& args);

// A later BUILD on an array.
void build_array(Arena&, plain::NdArray&, const plain::Value& state);

// An array without its items; the product of shape and item size is sane.
plain::NdArray described_array(Arena&, const plain::Value& dtype, const plain::Value& shape, bool fortran);
void set_bytes(plain::NdArray&, std::string_view bytes);   // fails unless they fill the array
void set_objects(plain::NdArray&, std::span<const plain::Value> objects);

plain::Value array_value(Arena&, const plain::NdArray&);

}  // namespace onward::formats
