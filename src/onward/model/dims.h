// The sizes of a tensor's axes. Up to six live inside the object: no run of a model allocates memory for shapes.
//
// A size of 0 or more is known. In shape inference a size may also be a symbol: a number below `first_symbol` that stands for
// an expression of the inference's Symbols (model/symbols.h). Equal symbols are equal sizes; nothing else may be concluded.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace onward {

inline constexpr int64_t first_symbol = INT64_MIN / 2;
constexpr bool is_symbol(int64_t size) { return size < first_symbol; }

class Dims {
 public:
  using value_type = int64_t;
  Dims() = default;
  explicit Dims(size_t n, int64_t value = 0) { resize(n, value); }
  Dims(std::initializer_list<int64_t> sizes) { assign(sizes.begin(), sizes.end()); }
  Dims(std::span<const int64_t> sizes) { assign(sizes.begin(), sizes.end()); }
  Dims(const std::vector<int64_t>& sizes) { assign(sizes.begin(), sizes.end()); }
  template <class It> Dims(It first, It last) { assign(first, last); }
  Dims(const Dims& other) { assign(other.begin(), other.end()); }
  Dims(Dims&& other) noexcept : size_(other.size_), capacity_(other.capacity_), more_(std::move(other.more_)) {
    if (!more_) std::copy_n(other.few_, size_, few_);
    other.size_ = 0, other.capacity_ = inline_size;
  }
  Dims& operator=(const Dims& other) {
    if (this != &other) assign(other.begin(), other.end());
    return *this;
  }
  Dims& operator=(Dims&& other) noexcept {
    size_ = other.size_, capacity_ = other.capacity_, more_ = std::move(other.more_);
    if (!more_) std::copy_n(other.few_, size_, few_);
    if (this != &other) other.size_ = 0, other.capacity_ = inline_size;
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t* data() { return more_ ? more_.get() : few_; }
  const int64_t* data() const { return more_ ? more_.get() : few_; }
  int64_t* begin() { return data(); }
  int64_t* end() { return data() + size_; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  int64_t& operator[](size_t i) { return data()[i]; }
  int64_t operator[](size_t i) const { return data()[i]; }
  int64_t& back() { return data()[size_ - 1]; }
  int64_t back() const { return data()[size_ - 1]; }
  int64_t front() const { return data()[0]; }

  void clear() { size_ = 0; }
  void resize(size_t n, int64_t value = 0) {
    reserve(n);
    if (n > size_) std::fill(data() + size_, data() + n, value);
    size_ = uint32_t(n);
  }
  void push_back(int64_t value) {
    reserve(size_ + 1);
    data()[size_++] = value;
  }
  void pop_back() { --size_; }
  template <class It> void assign(It first, It last) {
    size_ = 0;
    for (; first != last; ++first) push_back(*first);
  }
  void insert(const int64_t* where, int64_t value) { insert(where, &value, &value + 1); }
  template <class It> void insert(const int64_t* where, It first, It last) {
    const Dims tail(where, static_cast<const int64_t*>(end()));
    size_ -= uint32_t(tail.size());
    for (; first != last; ++first) push_back(*first);
    for (int64_t size : tail) push_back(size);
  }
  void erase(const int64_t* where) {
    int64_t* at = data() + (where - data());
    std::copy(at + 1, end(), at);
    --size_;
  }
  bool operator==(const Dims& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }
  operator std::span<const int64_t>() const { return {data(), size_}; }

 private:
  static constexpr uint32_t inline_size = 6;
  void reserve(size_t n) {
    if (n <= capacity_) return;
    const size_t grown = std::max<size_t>(n, 2 * capacity_);
    std::unique_ptr<int64_t[]> larger(new int64_t[grown]);
    std::copy_n(data(), size_, larger.get());
    more_ = std::move(larger), capacity_ = uint32_t(grown);
  }
  uint32_t size_ = 0, capacity_ = inline_size;
  int64_t few_[inline_size] = {};
  std::unique_ptr<int64_t[]> more_;
};

// The product of all sizes. Throws Error{limit_size} for a negative size or a product beyond 2^62.
int64_t count(std::span<const int64_t> dims);
inline int64_t product(std::span<const int64_t> dims, int64_t from, int64_t to) { return count(dims.subspan(size_t(from), size_t(to - from))); }
std::string shown(std::span<const int64_t> dims);       // "[2, 3]"; symbols as "?"

}  // namespace onward
