// A typed, immutable handle on a tensor whose indexing is checked: what a model file says about sizes is never taken on trust.
// Copies share the bytes.
#pragma once
#include "onward/model/tensor.h"

namespace onward {

template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(Tensor tensor) : tensor_(std::move(tensor)) { ONWARD_CHECK(tensor_.type() == type_of<T>); }
  Array(Dims shape, std::span<const T> items) : tensor_(Tensor::of<T>(std::move(shape), items)) {
    ONWARD_CHECK(size() == int64_t(items.size()));
  }
  Array(std::initializer_list<T> items) : Array(Dims{int64_t(items.size())}, std::span<const T>(items.begin(), items.size())) {}
  template <class F>
  static Array of(Dims shape, F item) {  // item(i) for each flat index
    if (count(shape) > most_computed) fail(Code::limit_size, "the file asks for an array of ", shown(shape), " items");
    Array a(Tensor(type_of<T>, std::move(shape)));
    for (int64_t i = 0; i < a.size(); ++i) a.tensor_.template data<T>()[i] = item(i);
    return a;
  }
  static Array scalar(T value) {
    return of({}, [&](int64_t) { return value; });
  }
  static Array view(Dims shape, const T* data, std::shared_ptr<const void> owner) {
    return Array(Tensor::view(type_of<T>, std::move(shape), data, std::move(owner)));
  }

  const Tensor& tensor() const { return tensor_; }
  operator Tensor() const { return tensor_; }
  explicit operator bool() const { return bool(tensor_); }  // false until something was read
  const Dims& shape() const { return tensor_.dims(); }
  int64_t size() const { return tensor_ ? tensor_.size() : 0; }
  int64_t dim(size_t axis) const {
    if (axis >= shape().size()) fail(Code::bad_file, "an array has shape ", shown(shape()), "; expected more dimensions");
    return shape()[axis];
  }
  const T* data() const { return tensor_.data<T>(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  const T& operator[](int64_t i) const {
    if (i < 0 || i >= size()) fail(Code::bad_file, "item ", i, " of an array of ", size());
    return data()[i];
  }
  const T& operator()(int64_t i, int64_t j) const { return (*this)[i * dim(1) + j]; }
  Array reshaped(Dims shape) const {
    if (count(shape) != size()) fail(Code::bad_file, "an array of ", size(), " items cannot have the shape ", shown(shape));
    return Array(tensor_.reshaped(std::move(shape)));
  }
  // A matrix with rows and columns exchanged.
  Array transposed() const {
    const int64_t n = dim(0), m = dim(1);
    return of({m, n}, [&](int64_t i) { return data()[i % n * m + i / n]; });
  }

  // What can be computed at conversion is: f of every item.
  template <class F>
  Array map(F f) const {
    return of(shape(), [&](int64_t i) { return f(data()[i]); });
  }

 private:
  static constexpr int64_t most_computed = int64_t{1} << 30;
  Tensor tensor_;
};

using Numbers = Array<double>;

}  // namespace onward
