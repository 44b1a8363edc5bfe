// numpy arrays as typed ones: a view where layout and type already agree, else a converted copy. Throws when it cannot be.
#pragma once
#include "onward/estimators/plain.h"
#include "onward/graph/array.h"

namespace onward {

template <class T>
Array<T> as_array(const plain::NdArray&, const std::shared_ptr<const void>& owner);
template <class T>
Array<T> record_field(const plain::NdArray&, std::string_view field);  // by name, never by offset
bool has_field(const plain::NdArray&, std::string_view field);
std::string checked_text(std::string_view text);  // throws unless it is UTF-8

}  // namespace onward
