// LightGBM's model file, which is text, to plain values: each line's key and what stands behind it, as text; the trees a list of such.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

bool looks_like_lightgbm(std::string_view bytes);

// {"version": "v4", "objective": "binary sigmoid:1", …, "trees": [{"num_leaves": "31", …}, …], "pandas_categorical": [[…], …]}.
plain::Value read_lightgbm_text(Arena&, std::string_view text);

}  // namespace onward::formats
