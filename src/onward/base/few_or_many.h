// Room for numbers of which there are mostly few: on the stack up to `few`, from the heap beyond. Uninitialised where they are few.
#pragma once
#include <cstddef>
#include <vector>

namespace onward {

template <class T, size_t few> class FewOrMany {
 public:
  explicit FewOrMany(size_t n) : many_(n > few ? n : 0) {}
  FewOrMany(const FewOrMany&) = delete;
  T* data() { return many_.empty() ? few_ : many_.data(); }

 private:
  T few_[few];
  std::vector<T> many_;
};

}  // namespace onward
