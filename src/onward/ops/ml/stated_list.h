// An attribute of a node, read where it is: lists of trees may have millions of numbers, and the packed forest is all that is kept.
#pragma once
#include <span>

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

// Whole numbers, in whichever of its two forms an attribute holds them.
class StatedIntegers {
 public:
  StatedIntegers(const Attributes& from, const char* name) {
    const auto it = from.find(name);
    if (auto* small = it == from.end() ? nullptr : std::get_if<std::vector<int32_t>>(&it->second)) small_ = small->data(), size_ = small->size();
    else if (const auto& all = stated<std::vector<int64_t>>(from, name); !all.empty()) large_ = all.data(), size_ = all.size();
  }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t operator[](size_t i) const { return small_ ? small_[i] : large_[i]; }
  // f(numbers): all of them, of either type.
  template <class F> void with(F&& f) const {
    if (small_) f(std::span(small_, size_));
    else f(std::span(large_, size_));
  }

 private:
  const int32_t* small_ = nullptr;
  const int64_t* large_ = nullptr;
  size_t size_ = 0;
};

}  // namespace onward::ops
