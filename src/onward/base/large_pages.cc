#include "onward/base/large_pages.h"

#include <sys/mman.h>

namespace onward {

void* allocate_in_large_pages(size_t bytes) {
  constexpr size_t page = size_t{2} << 20;
  if (bytes < 2 * page || bytes > SIZE_MAX - page) return std::malloc(bytes);
  const size_t whole = (bytes + page - 1) / page * page;
  void* const p = std::aligned_alloc(page, whole);
  if (p) madvise(p, whole, MADV_HUGEPAGE);                // a wish: nothing is lost where it is not granted
  return p;
}

}  // namespace onward
