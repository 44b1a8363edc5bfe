#include "onward/runtime/memory_plan.h"

#include "onward/base/error.h"
#include "onward/base/memory.h"

namespace onward {

size_t MemoryPlanner::take(size_t bytes) {
  bytes = (bytes + cache_line - 1) / cache_line * cache_line;
  if (bytes == 0) bytes = cache_line;
  size_t offset = total_;
  if (const auto fits = by_size_.lower_bound({bytes, 0}); fits != by_size_.end()) {
    const auto [size, at] = *fits;
    by_size_.erase(fits);
    free_.erase(at);
    offset = at;
    if (size > bytes) insert_free(at + bytes, size - bytes);
  } else {
    total_ += bytes;
  }
  taken_.emplace(offset, bytes);
  return offset;
}

void MemoryPlanner::give_back(size_t offset) {
  const auto it = taken_.find(offset);
  ONWARD_CHECK(it != taken_.end());
  size_t bytes = it->second;
  taken_.erase(it);
  if (const auto next = free_.find(offset + bytes); next != free_.end()) {
    bytes += next->second;
    by_size_.erase({next->second, next->first});
    free_.erase(next);
  }
  if (auto before = free_.lower_bound(offset); before != free_.begin()) {
    --before;
    if (before->first + before->second == offset) {
      offset = before->first, bytes += before->second;
      by_size_.erase({before->second, before->first});
      free_.erase(before);
    }
  }
  insert_free(offset, bytes);
}

void MemoryPlanner::insert_free(size_t offset, size_t bytes) {
  free_.emplace(offset, bytes);
  by_size_.emplace(bytes, offset);
}

}  // namespace onward
