// Memory of vectors that are read here and there: with pages of 4 KiB most reads of a large one wait for the page's address.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

namespace onward {

// Uninitialised, to be freed with std::free; null if there is no memory. From 4 MiB on in pages of 2 MiB, where the system has them.
void* allocate_in_large_pages(size_t bytes, size_t alignment = alignof(std::max_align_t));

// Asks for large pages where whole ones lie in this memory, which nothing has been written to yet.
void prefer_large_pages(void* memory, size_t bytes);

// Room in a vector that is filled once and read in order: to come by memory in pages of 4 KiB takes longer than to fill it.
template <class T> void reserve_in_large_pages(std::vector<T>& list, size_t n) {
  if (n <= list.capacity()) return;
  list.reserve(n);
  prefer_large_pages(list.data() + list.size(), (list.capacity() - list.size()) * sizeof(T));
}

template <class T> struct LargePages {
  using value_type = T;
  LargePages() = default;
  template <class U> LargePages(const LargePages<U>&) {}
  T* allocate(size_t n) {
    if (n <= SIZE_MAX / sizeof(T)) if (void* p = allocate_in_large_pages(n * sizeof(T), alignof(T))) return static_cast<T*>(p);
    throw std::bad_alloc();
  }
  void deallocate(T* p, size_t) { std::free(p); }
  bool operator==(const LargePages&) const = default;
};

}  // namespace onward
