// Opens a fitted-model file of any known format, told by its content, as plain values.
#pragma once
#include <string>

#include "onward/estimators/plain.h"
#include "onward/formats/limits.h"

namespace onward::formats {

// In the state of an object that the pickle names by a persistent id ("onward.live", module, class, number, columns or None, names or
// None): the number by which its writer knows it. ("onward.code", module, name) is a function or class that cannot be pickled, by name.
inline constexpr const char* live_mark = "onward live object";

// Pickle, joblib, skops and the files of boosters, also compressed. Runs nothing of what the file says. Throws Error with
// "reading PATH: " in front.
plain::Document open(const std::string& path, const Limits& = {});
// The document keeps `owner` where it needs the bytes; without one they must outlive it.
plain::Document open_bytes(std::string_view bytes, std::shared_ptr<const void> owner, const Limits& = {});

}  // namespace onward::formats
