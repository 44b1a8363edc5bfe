// What one run brings along for every kernel: how much memory it may take, when it must stop, how many threads it may use.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

#include "onward/base/error.h"
#include "onward/base/memory.h"
#include "onward/base/thread_pool.h"

namespace onward {

struct RunContext {
  std::shared_ptr<MemoryBudget> budget = {};             // none: only the machine's memory bounds a tensor
  const std::atomic<bool>* cancel = nullptr;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  int threads = 1;

  // Between nodes, and between the iterations of anything that may take long.
  void check() const {
    if (cancel && cancel->load(std::memory_order_relaxed)) fail(Code::cancelled, "the run was cancelled");
    if (deadline != std::chrono::steady_clock::time_point::max() && std::chrono::steady_clock::now() > deadline) fail(Code::limit_time, "the time limit was reached");
  }

  // body(begin, end) over [0, n), in parallel where the work is worth it: a chunk is at least some 20 microseconds. Chunks must not
  // share what they write, and no sum may cross them: answers do not depend on the number of threads.
  template <class F> void parallel(int64_t n, double nanoseconds_each, F&& body) const {
    const auto grain = int64_t(20000 / std::max(nanoseconds_each, 0.01)) + 1;
    if (threads <= 1 || n <= grain) {
      if (n > 0) body(int64_t(0), n);
    } else {
      parallel_for(threads, n, grain, body);
    }
  }
};

}  // namespace onward
