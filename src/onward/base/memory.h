// Aligned memory that counts against a budget. The size of every tensor goes through here before a byte is touched.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace onward {

size_t physical_memory();              // of the machine or the cgroup, whichever is smaller

// How many bytes may be alive at once. Shared by the tensors that were taken from it; any thread may use it.
class MemoryBudget {
 public:
  explicit MemoryBudget(size_t limit) : limit_(limit) {}
  void take(size_t bytes);             // throws Error{limit_memory}
  void give(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }

 private:
  std::atomic<size_t> used_{0};
  size_t limit_;
};

inline constexpr size_t cache_line = 64;
// 64-byte aligned, uninitialised. Without a budget one block may be as large as the machine's memory.
std::shared_ptr<void> allocate(size_t bytes, const std::shared_ptr<MemoryBudget>& budget = {});

}  // namespace onward
