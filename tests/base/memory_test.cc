#include "onward/base/memory.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "onward/base/error.h"

namespace onward {
namespace {

constexpr size_t large = 3 << 20;

TEST(Memory, ALargeBlockThatWasGivenBackServesTheNextRun) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer sees every block come and go";
#endif
  const void* const first = allocate(large).get();        // given back at once
  EXPECT_EQ(allocate(large).get(), first);
  EXPECT_EQ(allocate(large - large / 16).get(), first);
  const auto held = allocate(large);
  EXPECT_NE(allocate(large).get(), held.get());
}

TEST(Memory, ABudgetCountsWhatIsAskedForWhereverItComesFrom) {
  const auto budget = std::make_shared<MemoryBudget>(large);
  for (int run = 0; run < 3; ++run) {
    const auto block = allocate(large, budget);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block.get()) % cache_line, 0u);
    EXPECT_EQ(budget->used(), large);
    EXPECT_THROW(allocate(large, budget), Error);
  }
  EXPECT_EQ(budget->used(), 0u);
}

TEST(Memory, ThreadsNeverShareABlock) {
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) threads.emplace_back([id] {
    for (int round = 0; round < 200; ++round) {
      const auto block = allocate(large / 16 + size_t(round % 3) * 4096);
      auto* const numbers = static_cast<int*>(block.get());
      for (int i = 0; i < 40000; i += 1000) numbers[i] = id;
      for (int i = 0; i < 40000; i += 1000) ASSERT_EQ(numbers[i], id);
    }
  });
  for (std::thread& t : threads) t.join();
}

}  // namespace
}  // namespace onward
