// Files of gradient boosting libraries, told by their content, as the objects that the libraries' pickles hold.
#pragma once
#include "onward/estimators/plain.h"
#include "onward/formats/limits.h"

namespace onward::formats {

bool looks_like_booster(std::string_view bytes);

// The root is an object of the library's class Booster, whose state is the model. Throws Error{unsupported_format} for formats that
// the libraries have given up.
plain::Document read_booster(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& limits);

}  // namespace onward::formats
