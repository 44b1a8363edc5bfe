// numpy's element types: their codes, their pickled states, and one item as a plain value.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

plain::DType parse_dtype(std::string_view code);   // "<f8", "i4", "U12", "O" ...; the size fits the letter
void build_dtype(Arena&, plain::DType&, const plain::Value& state);
plain::Value scalar(Arena&, const plain::DType&, std::string_view item);

}  // namespace onward::formats
