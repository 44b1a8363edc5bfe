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

// The same for a known number of iterations: each tensor is put where it belongs as soon as it is there.
class Stack {
 public:
  explicit Stack(int64_t n) : n_(n) {}
  void put(const Call& call, int64_t at, const Value& item);
  Tensor all(const TypeInfo& declared) const;

 private:
  int64_t n_;
  Dims each_;
  Tensor all_;
};

// Before a run: carried values, among `arguments` from `first` on, as they are in every iteration; answers what the body then gives.
// Its results from `results` on are the carried values after an iteration. Empty where nothing can be told.
std::vector<Fact> infer_iterations(const Body& body, std::vector<Fact>& arguments, size_t first, size_t results, size_t carried, Symbols& symbols);
// The results of `n` iterations under a new axis.
Fact infer_stacked(const Fact& result, int64_t axis, int64_t n);

}  // namespace onward
