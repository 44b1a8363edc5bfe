// Loops cut into chunks: every number once, on as many threads as are allowed, whatever becomes of the chunks.
#include "onward/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace onward {
namespace {

TEST(ThreadPool, CallsForEveryNumberOnce) {
  for (int threads : {1, 2, 3, 8})
    for (int64_t n : {0, 1, 2, 9, 10, 11, 97, 1000, 4096})
      for (int64_t grain : {1, 2, 3, 64, 5000}) {
        std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
        std::atomic<int64_t> shortest{n};
        parallel_for(threads, n, grain, [&](int64_t begin, int64_t end) {
          int64_t least = shortest;
          while (end - begin < least && !shortest.compare_exchange_weak(least, end - begin)) {}
          for (int64_t i = begin; i < end; ++i) ++seen[size_t(i)];
        });
        for (const auto& times : seen) ASSERT_EQ(times, 1) << threads << " threads, " << n << " by " << grain;
        EXPECT_GE(shortest, std::min(n, grain)) << threads << " threads, " << n << " by " << grain;
      }
}

TEST(ThreadPool, ShortLoopsStayOnTheCallersThread) {
  std::set<std::thread::id> threads;
  std::mutex mutex;
  for (int round = 0; round < 100; ++round)
    parallel_for(4, 9 * 50, 50, [&](int64_t, int64_t) {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    });
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(ThreadPool, ThreadsMeetInOneLoop) {
  std::atomic<int> here{0};
  parallel_for(2, 2, 1, [&](int64_t, int64_t) {           // ends only where both are there
    ++here;
    while (here < 2) std::this_thread::yield();
  });
  EXPECT_EQ(here, 2);
}

TEST(ThreadPool, TheFirstFailureIsThrownAndTheNextLoopRuns) {
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(parallel_for(4, 1000, 1, [&](int64_t begin, int64_t) { if (begin >= 500) throw std::runtime_error("as asked"); }), std::runtime_error);
    std::atomic<int64_t> sum{0};
    parallel_for(4, 1000, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
    EXPECT_EQ(sum, 1000);
  }
}

TEST(ThreadPool, LoopsOfManyCallersAndLoopsInLoops) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round)
        parallel_for(3, 64, 1, [&](int64_t begin, int64_t end) {
          parallel_for(3, end - begin, 1, [&](int64_t from, int64_t to) { sum += to - from; });
        });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 100 * 64);
}

}  // namespace
}  // namespace onward
