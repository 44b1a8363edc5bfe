#include "onward/base/memory.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "onward/base/error.h"

namespace onward {

size_t physical_memory() {
  static const size_t bytes = [] {
    size_t machine = size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGE_SIZE)), group = 0;
    std::ifstream limit("/sys/fs/cgroup/memory.max");
    if (limit >> group && group > 0 && group < machine) machine = group;
    return machine;
  }();
  return bytes;
}

void MemoryBudget::take(size_t bytes) {
  size_t before = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ - before)
      throw Error(Code::limit_memory, text(bytes, " bytes are asked for while ", before, " of ", limit_, " are in use"), "raise the memory limit or feed smaller batches");
  } while (!used_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
}

std::shared_ptr<void> allocate(size_t bytes, const std::shared_ptr<MemoryBudget>& budget) {
  if (bytes > physical_memory()) fail(Code::limit_memory, bytes, " bytes are asked for, the machine has ", physical_memory());
  if (budget) budget->take(bytes);
  void* p = std::aligned_alloc(cache_line, (bytes + cache_line) / cache_line * cache_line);
  if (!p) {
    if (budget) budget->give(bytes);
    fail(Code::limit_memory, "no memory left for ", bytes, " bytes");
  }
  if (!budget) return {p, std::free};
  return {p, [budget, bytes](void* q) { std::free(q), budget->give(bytes); }};
}

}  // namespace onward
