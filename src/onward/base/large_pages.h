// Memory of vectors that are read here and there: with pages of 4 KiB most reads of a large one wait for the page's address.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace onward {

// Uninitialised, to be freed with std::free; null if there is no memory. From 4 MiB on in pages of 2 MiB, where the system has them.
void* allocate_in_large_pages(size_t bytes);

template <class T> struct LargePages {
  using value_type = T;
  LargePages() = default;
  template <class U> LargePages(const LargePages<U>&) {}
  T* allocate(size_t n) {
    if (n <= SIZE_MAX / sizeof(T)) if (void* p = allocate_in_large_pages(n * sizeof(T))) return static_cast<T*>(p);
    throw std::bad_alloc();
  }
  void deallocate(T* p, size_t) { std::free(p); }
  bool operator==(const LargePages&) const = default;
};

}  // namespace onward
