// Opens a fitted-model file of any known format, told by its content, as plain values.
#pragma once
#include "onward/formats/pickle.h"
namespace onward::formats {

plain::Document open(const std::string& path, const Limits& = {});
plain::Document open_bytes(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& = {});

}  // namespace onward::formats
