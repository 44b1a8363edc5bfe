#include "onward/base/memory.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <vector>

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

namespace {

// Large blocks that were given back, for the next run to take. The system would hand out fresh pages instead, and faulting them in takes
// longer than most kernels take to fill them.
class KeptBlocks {
 public:
  static constexpr size_t smallest = 16 << 10;            // smaller ones the C library keeps itself

  static KeptBlocks& all() {
    static auto& blocks = *new KeptBlocks;                // tensors may be given back when the program ends
    return blocks;
  }
  // The latest that fits with little to spare; null if there is none.
  void* take(size_t bytes, size_t& capacity) {
    std::lock_guard lock(mutex_);
    for (auto b = blocks_.rbegin(); b != blocks_.rend(); ++b) {
      if (b->bytes < bytes || b->bytes - bytes > bytes / 8) continue;
      void* const p = b->start;
      capacity = b->bytes, kept_ -= b->bytes;
      blocks_.erase(std::next(b).base());
      return p;
    }
    return nullptr;
  }
  void give(void* p, size_t bytes) {
    std::lock_guard lock(mutex_);
    blocks_.push_back({p, bytes}), kept_ += bytes;
    drop(most_bytes_);
  }
  void clear() {
    std::lock_guard lock(mutex_);
    drop(0);
  }

 private:
  struct Block { void* start; size_t bytes; };
  KeptBlocks() { blocks_.reserve(most_blocks + 1); }      // giving back must not fail
  static constexpr size_t most_blocks = 64;

  void drop(size_t most_bytes) {                          // the ones that nobody has asked for in the longest time
    size_t n = 0;
    for (; n < blocks_.size() && (kept_ > most_bytes || blocks_.size() - n > most_blocks); ++n) std::free(blocks_[n].start), kept_ -= blocks_[n].bytes;
    blocks_.erase(blocks_.begin(), blocks_.begin() + long(n));
  }

  std::mutex mutex_;
  std::vector<Block> blocks_;
  size_t kept_ = 0;
  const size_t most_bytes_ = std::min(physical_memory() / 32, size_t{256} << 20);
};

// A sanitizer must see each block come and go.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool keeps_blocks = false;
#else
constexpr bool keeps_blocks = true;
#endif

void* system_block(size_t bytes) { return std::aligned_alloc(cache_line, bytes); }

// Small blocks that a thread gave back, for its next ones: the C library takes ten times as long to find one that begins a cache line.
// Sizes are powers of two; a thread keeps a few of each and gives them to the system when it ends.
class SmallBlocks {
 public:
  static constexpr size_t largest = KeptBlocks::smallest / 2;
  static size_t capacity(size_t bytes) { return std::bit_ceil(std::max(bytes, cache_line)); }

  // `capacity` as above.
  static void* take(size_t capacity) {
    SmallBlocks* const own = of_this_thread();
    if (own) if (Size& size = own->sizes_[place(capacity)]; size.kept) return size.blocks[--size.kept];
    return system_block(capacity);
  }
  static void give(void* p, size_t capacity) {
    SmallBlocks* const own = of_this_thread();
    if (own) if (Size& size = own->sizes_[place(capacity)]; size.kept < most_of_a_size) return void(size.blocks[size.kept++] = p);
    std::free(p);
  }

 private:
  static constexpr size_t most_of_a_size = 32;
  struct Size { size_t kept = 0; void* blocks[most_of_a_size]; };
  static size_t place(size_t capacity) { return size_t(std::countr_zero(capacity) - std::countr_zero(cache_line)); }

  SmallBlocks() { here = this; }
  ~SmallBlocks() {
    here = nullptr, ended = true;
    for (Size& size : sizes_) while (size.kept) std::free(size.blocks[--size.kept]);
  }
  // Null once the thread's objects are destroyed: tensors may be given back after that.
  static SmallBlocks* of_this_thread() { return here || ended ? here : first_of_this_thread(); }
  static SmallBlocks* first_of_this_thread() {
    thread_local SmallBlocks own;
    return &own;
  }
  // Found without a call, which a library usually has to make for what is each thread's own.
  [[gnu::tls_model("initial-exec")]] static thread_local SmallBlocks* here;
  [[gnu::tls_model("initial-exec")]] static thread_local bool ended;
  Size sizes_[8];
};
thread_local SmallBlocks* SmallBlocks::here = nullptr;
thread_local bool SmallBlocks::ended = false;

// What shared_ptr keeps beside a block: behind it, and both go together.
template <class T> struct BehindBlock {
  using value_type = T;
  BehindBlock(char* block, size_t capacity) : block(block), capacity(capacity) {}
  template <class U> BehindBlock(const BehindBlock<U>& other) : block(other.block), capacity(other.capacity) {}
  T* allocate(size_t) {
    static_assert(sizeof(T) <= cache_line && alignof(T) <= cache_line);
    return reinterpret_cast<T*>(block + capacity - cache_line);
  }
  void deallocate(T*, size_t) { SmallBlocks::give(block, capacity); }
  template <class U> bool operator==(const BehindBlock<U>& other) const { return block == other.block; }
  char* block;
  size_t capacity;
};

std::shared_ptr<void> small_block(size_t bytes) {
  const size_t capacity = SmallBlocks::capacity(bytes + cache_line);
  char* const p = static_cast<char*>(SmallBlocks::take(capacity));
  if (!p) fail(Code::limit_memory, "no memory left for ", bytes, " bytes");
  return {static_cast<void*>(p), [](void*) {}, BehindBlock<char>(p, capacity)};
}

}  // namespace

std::shared_ptr<void> allocate(size_t bytes, const std::shared_ptr<MemoryBudget>& budget) {
  if (bytes > physical_memory()) fail(Code::limit_memory, bytes, " bytes are asked for, the machine has ", physical_memory());
  if (keeps_blocks && !budget && bytes + cache_line <= SmallBlocks::largest) return small_block(bytes);
  if (budget) budget->take(bytes);
  size_t capacity = (bytes + cache_line) / cache_line * cache_line;
  const bool large = keeps_blocks && capacity >= KeptBlocks::smallest;
  void* p = large ? KeptBlocks::all().take(capacity, capacity) : nullptr;
  if (!p) p = system_block(capacity);
  if (!p && large) KeptBlocks::all().clear(), p = system_block(capacity);
  if (!p) {
    if (budget) budget->give(bytes);
    fail(Code::limit_memory, "no memory left for ", bytes, " bytes");
  }
  if (!budget && !large) return {p, std::free};
  return {p, [budget, bytes, capacity, large](void* q) {
            large ? KeptBlocks::all().give(q, capacity) : std::free(q);
            if (budget) budget->give(bytes);
          }};
}

}  // namespace onward
