// UBJSON, as XGBoost writes it, to plain values: objects are dicts, arrays lists; arrays of one type of number are views of the bytes.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

// The one value that `bytes` are. Throws Error{bad_file} where they are not.
plain::Value read_ubjson_values(Arena&, std::string_view bytes);

}  // namespace onward::formats
