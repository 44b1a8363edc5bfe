// Shared libraries of custom operators (include/onward/onward.h: onward_register_operators).
#pragma once
#include "onward/ops/custom.h"

namespace onward {

// Loads them, which runs code in them. Throws Error{io} for what cannot be loaded, Error{bad_file} for a library without the entry
// symbol, and what that returns.
CustomOperators load_operators(const std::string& path);

}  // namespace onward
