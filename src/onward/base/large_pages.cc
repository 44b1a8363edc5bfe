#include "onward/base/large_pages.h"

#include <sys/mman.h>

namespace onward {

constexpr size_t page = size_t{2} << 20;

void* allocate_in_large_pages(size_t bytes, size_t alignment) {
  if (bytes > SIZE_MAX - page) return nullptr;
  if (bytes < 2 * page) return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  void* const p = std::aligned_alloc(page, (bytes + page - 1) / page * page);
  if (p) prefer_large_pages(p, bytes);                    // what the last one would hold stands in small pages
  return p;
}

void prefer_large_pages(void* memory, size_t bytes) {
  const auto begin = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page, end = (reinterpret_cast<uintptr_t>(memory) + bytes) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);   // a wish: nothing is lost where it is not granted
}

}  // namespace onward
