// JSON text -> plain values in an arena: objects are dicts, arrays lists, numbers integers or reals.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

// Integers beyond 64 bits are their digits as text. Also takes Python's NaN, Infinity and -Infinity where they stand alone.
plain::Value read_json_values(Arena&, std::string_view json);

}  // namespace onward::formats
