// JSON as XGBoost and CatBoost write it, to plain values: NaN and Infinity are numbers, and a list of numbers is one array.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

// Arrays are int64 where all items are integers, else float64. Throws Error{bad_file, limit_size, limit_memory}.
plain::Value read_booster_json(Arena&, std::string_view json);

}  // namespace onward::formats
