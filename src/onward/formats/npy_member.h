// One .npy file as a plain array, as skops keeps them.
#pragma once
#include "onward/estimators/plain.h"

namespace onward::formats {

plain::Value read_npy(Arena&, std::string_view bytes);   // always an array, of no dimensions for a scalar

}  // namespace onward::formats
