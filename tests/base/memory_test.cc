#include "onward/base/memory.h"

#include <gtest/gtest.h>

#include <cstring>
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

TEST(Memory, ASmallBlockThatWasGivenBackServesTheSameThread) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer sees every block come and go";
#endif
  const auto warm = allocate(100);                        // what stands beside a block comes from the same lists
  const void* const first = allocate(1000).get();
  EXPECT_EQ(allocate(1020).get(), first);
  const auto held = allocate(1000);
  EXPECT_NE(allocate(1000).get(), held.get());
}

TEST(Memory, SmallBlocksOutliveTheThreadThatAskedForThem) {
  std::vector<std::shared_ptr<void>> kept(200);
  std::thread([&] {
    for (size_t i = 0; i < kept.size(); ++i) kept[i] = allocate(1 + i * 40);
    const auto own = allocate(64);
  }).join();
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(kept[i].get()) % cache_line, 0u);
    std::memset(kept[i].get(), int(i), 1 + i * 40);
  }
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(static_cast<unsigned char*>(kept[i].get())[i * 40], i);
  kept.clear();
  EXPECT_NE(allocate(1), nullptr);
}

}  // namespace
}  // namespace onward
