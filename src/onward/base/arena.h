// Memory that is given out piece by piece and returned all at once. Holds only trivially destructible things.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include "onward/base/error.h"

namespace onward {

class Arena {
 public:
  explicit Arena(size_t limit) : limit_(limit) {}

  template <class T> T* array(size_t n) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
    if (n > limit_ / sizeof(T)) too_much();
    return static_cast<T*>(bytes(n * sizeof(T)));
  }
  template <class T> T* make(T value) { return new (array<T>(1)) T(value); }
  std::string_view copy(std::string_view s) {
    char* p = array<char>(s.size());
    s.copy(p, s.size());
    return {p, s.size()};
  }

 private:
  [[noreturn]] void too_much() const { fail(Code::limit_memory, "the file asks for more than ", limit_, " bytes of memory"); }
  void* bytes(size_t n) {
    n = (n + 15) & ~size_t{15};
    if (n > limit_ - used_) too_much();
    used_ += n;
    if (n > free_) {
      free_ = n > block_size ? n : block_size;
      blocks_.emplace_back(new char[free_]);
      next_ = blocks_.back().get();
    }
    void* p = next_;
    next_ += n, free_ -= n;
    return p;
  }

  static constexpr size_t block_size = 64 << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t free_ = 0, used_ = 0, limit_;
};

}  // namespace onward
