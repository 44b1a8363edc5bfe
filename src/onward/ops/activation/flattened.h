// How Softmax, LogSoftmax and Hardmax read before opset 13: over the input flattened to two dimensions at `axis`.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

inline constexpr Upgrade flattened_before_13{13, R"(
    shape = Shape(input)
    rows = Flatten(input; axis=@axis)
    y = Self(rows; axis=-1)
    output = Reshape(y, shape))"};

}  // namespace onward
