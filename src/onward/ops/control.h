// What If, Loop and Scan share: single values out of tensors, and the tensors of every iteration stacked into one.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

const Tensor& tensor_of(const Value& value, std::string_view what);

template <class T> T one(const Tensor& t, std::string_view what) {
  if (t.type() != type_of<T> || t.size() != 1) invalid("the ", what, " is ", shown(t), ", expected one ", name_of(type_of<T>));
  return *t.data<T>();
}

// The tensors of every iteration under a new first axis; of none, an empty tensor of the declared type.
Tensor stacked(const Call& call, const std::vector<Value>& items, const TypeInfo& declared);

}  // namespace onward
