// A picture's file as pixels: height, width, and red, green and blue bytes.
#pragma once
#include "onward/model/tensor.h"
#include "onward/ops/context.h"

namespace onward::image {

// Throws Error{bad_file} for bytes that are no image, Error{unsupported_format} for images that this build does not read, Error{limit_…}.
Tensor decode(std::string_view bytes, const RunContext& context);

}  // namespace onward::image
