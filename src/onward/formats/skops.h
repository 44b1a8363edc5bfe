// skops files (a zip of schema.json and arrays) -> the same plain values that a pickle of the object gives.
#pragma once
#include <memory>

#include "onward/estimators/plain.h"
#include "onward/formats/limits.h"

namespace onward::formats {

plain::Document read_skops(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& = {});

}  // namespace onward::formats
