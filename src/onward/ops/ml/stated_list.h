// An attribute of a node, read where it is: lists of trees may have millions of numbers, and the packed forest is all that is kept.
#pragma once
#include "onward/model/graph.h"

namespace onward::ops {

// Nothing (an empty list, no tensor) where the node says nothing.
template <class T> const T& stated(const Attributes& from, const char* name) {
  static const T nothing{};
  const auto it = from.find(name);
  if (it == from.end()) return nothing;
  if (const auto* value = std::get_if<T>(&it->second)) return *value;
  T other;
  from.read(name, other);                                 // says what it is instead, unless it is an empty list
  return nothing;
}

}  // namespace onward::ops
