// What numpy's constructors and states in a pickle mean, as data.
#pragma once
#include "onward/estimators/plain.h"
namespace onward::formats {

// The value of `callee(*args)` where that is data we know (dtype, scalar, array, bytes, OrderedDict ...); nothing otherwise.
std::optional<plain::Value> known_call(Arena&, const plain::Global& callee, const plain::Value& args);

// A later BUILD on a dtype or an array.
void build_dtype(Arena&, plain::DType&, const plain::Value& state);
void build_array(Arena&, plain::NdArray&, const plain::Value& state);

// An array whose raw items follow in the stream (joblib).
plain::NdArray described_array(Arena&, const plain::Value& dtype, const plain::Value& shape, bool fortran);

plain::DType parse_dtype(std::string_view code);              // "<f8", "i4", "U12", "O" ...
plain::Value scalar(Arena&, const plain::DType&, const char* item);
std::string_view latin1(Arena&, std::string_view utf8);       // the bytes behind a str made with .decode("latin1")

}  // namespace onward::formats
