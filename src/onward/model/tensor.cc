#include "onward/model/tensor.h"

#include "onward/base/error.h"

namespace onward {

Tensor::Tensor(DataType type, Dims dims, const std::shared_ptr<MemoryBudget>& budget) : type_(type), dims_(std::move(dims)), size_(count(dims_)) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(size_t(size_), size_of(type), &bytes)) fail(Code::limit_size, "a tensor of shape ", shown(dims_), " is larger than any memory");
  if (type != DataType::str) {
    storage_ = allocate(bytes, budget);
    return;
  }
  const std::shared_ptr<void> memory = allocate(bytes, budget);
  auto* strings = static_cast<std::string*>(memory.get());
  std::uninitialized_default_construct_n(strings, size_);
  storage_ = std::shared_ptr<void>(strings, [memory, n = size_](void* p) { std::destroy_n(static_cast<std::string*>(p), n); });
}

Tensor Tensor::view(DataType type, Dims dims, const void* data, std::shared_ptr<const void> owner) {
  Tensor t;
  t.type_ = type;
  t.dims_ = std::move(dims);
  t.size_ = count(t.dims_);
  t.storage_ = std::shared_ptr<void>(std::const_pointer_cast<void>(std::move(owner)), const_cast<void*>(data));
  return t;
}

Tensor Tensor::reshaped(Dims dims) const {
  ONWARD_CHECK(count(dims) == size_);
  Tensor t = *this;
  t.dims_ = std::move(dims);
  return t;
}

Tensor Tensor::copy() const {
  Tensor t(type_, dims_);
  for_type<every_type>(type_, [&]<class T>() { std::copy_n(data<T>(), size_, t.data<T>()); });
  return t;
}

std::vector<int64_t> integers(const Tensor& tensor) {
  std::vector<int64_t> out;
  const bool ok = for_type<i32 | i64>(tensor.type(), [&]<class T>() { out.assign(tensor.data<T>(), tensor.data<T>() + tensor.size()); });
  if (!ok) invalid("expected int32 or int64 values, found ", name_of(tensor.type()));
  return out;
}

std::string shown(const Tensor& tensor) { return text(name_of(tensor.type()), " ", shown(tensor.dims())); }

}  // namespace onward
