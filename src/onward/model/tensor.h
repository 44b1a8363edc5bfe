// Values that flow along a graph's edges: dense tensors, sequences, maps, or nothing (an empty optional).
#pragma once
#include <cstring>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "onward/base/memory.h"
#include "onward/model/dims.h"
#include "onward/model/types.h"

namespace onward {

// A dense, row-major array. Copies share the bytes; only the one who allocated them writes, before anyone else reads.
class Tensor {
 public:
  Tensor() = default;
  // Uninitialised, except for strings. Throws Error{limit_memory, limit_size} before anything is touched.
  Tensor(DataType type, Dims dims, const std::shared_ptr<MemoryBudget>& budget = {});
  template <class T> static Tensor of(Dims dims, std::span<const T> values) {
    Tensor t(type_of<T>, std::move(dims));
    std::copy_n(values.begin(), t.size(), t.data<T>());
    return t;
  }
  template <class T> static Tensor of(Dims dims, std::initializer_list<T> values) { return of<T>(std::move(dims), std::span(values.begin(), values.size())); }
  template <class T> static Tensor of(Dims dims, const std::vector<T>& values) { return of<T>(std::move(dims), std::span<const T>(values)); }
  template <class T> static Tensor scalar(T value) { return of<T>({}, {value}); }
  // Someone else's bytes, read in place; without an owner the caller keeps them alive.
  static Tensor view(DataType type, Dims dims, const void* data, std::shared_ptr<const void> owner = {});

  DataType type() const { return type_; }
  const Dims& dims() const { return dims_; }
  int64_t rank() const { return int64_t(dims_.size()); }
  int64_t size() const { return size_; }
  size_t bytes() const { return size_t(size_) * size_of(type_); }        // in memory: 4- and 2-bit elements take one byte each
  void* raw() const { return storage_.get(); }
  template <class T> T* data() const { return static_cast<T*>(storage_.get()); }
  template <class T> std::span<T> values() const { return {data<T>(), size_t(size_)}; }
  Tensor reshaped(Dims dims) const;                      // the same number of elements
  Tensor copy() const;                                   // with bytes of its own
  bool unique() const { return storage_.use_count() == 1; }
  bool shares(const Tensor& other) const { return storage_ == other.storage_ && storage_; }
  explicit operator bool() const { return type_ != DataType::none; }

 private:
  DataType type_ = DataType::none;
  Dims dims_;
  int64_t size_ = 1;
  std::shared_ptr<void> storage_;
};

struct Value;
struct Sequence {
  std::vector<Value> items;
  DataType type = DataType::none;                        // of the tensors in it; tells an empty sequence's
};
// One-dimensional keys (int64 or string) and the value of each.
struct Map {
  Tensor keys, values;
};
struct Value : std::variant<std::monostate, Tensor, Sequence, Map> {
  using variant::variant;
  bool empty() const { return index() == 0; }
  const Tensor* tensor() const { return std::get_if<Tensor>(this); }
};

// The integers of an int32 or int64 tensor, as axes, shapes and counts are given.
std::vector<int64_t> integers(const Tensor& tensor);
std::string shown(const Tensor& tensor);                 // "float [2, 3]"

}  // namespace onward
