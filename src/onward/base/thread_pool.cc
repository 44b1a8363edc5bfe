#include "onward/base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace onward {
namespace {

// One loop in progress. Whoever holds it takes chunks until there are none: large ones at first and smaller ones towards the end, so that
// nobody waits long for the last.
struct Loop {
  Loop(int64_t n, int64_t grain, int workers, FunctionRef<void(int64_t, int64_t)> body) : n(n), grain(grain), parts(2 * workers), body(body) {}
  const int64_t n, grain, parts;
  FunctionRef<void(int64_t, int64_t)> body;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::atomic<int> helpers{0};          // changed under the pool's mutex

  void work() {
    for (int64_t begin = next.load(std::memory_order_relaxed); begin < n && !failed.load(std::memory_order_relaxed);) {
      // What is left after a chunk is none, or a chunk's worth.
      int64_t end = begin + std::max(grain, (n - begin) / parts);
      if (n - end < grain) end = n;
      if (!next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
      try {
        body(begin, end);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
      begin = next.load(std::memory_order_relaxed);
    }
  }
  // A helper's last chunk takes some microseconds more: less than to fall asleep and be woken.
  void wait_a_little() const {
    constexpr auto longest = std::chrono::microseconds(30);
    if (helpers.load(std::memory_order_acquire) == 0) return;
    for (const auto end = std::chrono::steady_clock::now() + longest; helpers.load(std::memory_order_acquire) > 0 && std::chrono::steady_clock::now() < end;) pause();
  }
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
};

thread_local bool inside_loop = false;

// Waking a thread costs the caller some microseconds, a piece takes twenty, and the thread begins with nothing in its caches. (A piece of
// one item may be much longer than the shortest.)
constexpr int64_t fewest_pieces = 16;

class Pool {
 public:
  void run(Loop& loop, int helpers) {
    {
      std::lock_guard lock(mutex_);
      while (int(threads_.size()) < helpers) threads_.emplace_back([this] { serve(); }).detach();
      waiting_.push_back({&loop, helpers});
    }
    helpers == 1 ? wake_.notify_one() : wake_.notify_all();
    inside_loop = true;
    loop.work();
    inside_loop = false;
    {
      std::lock_guard lock(mutex_);                       // a helper that was not there in time is not waited for
      std::erase_if(waiting_, [&](const Offer& o) { return o.loop == &loop; });
    }
    loop.wait_a_little();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return loop.helpers == 0; });
  }

 private:
  struct Offer { Loop* loop; int places; };

  void serve() {
    inside_loop = true;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return !waiting_.empty(); });
      Offer& offer = waiting_.front();
      Loop& loop = *offer.loop;
      ++loop.helpers;
      if (--offer.places == 0) waiting_.pop_front();
      lock.unlock();
      loop.work();
      lock.lock();
      if (--loop.helpers == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::deque<Offer> waiting_;
  std::vector<std::thread> threads_;
};

std::atomic<Pool*> current{nullptr};

// Never destroyed: its threads live until the process ends. A forked child starts afresh, since threads do not survive a fork.
Pool& pool() {
  static const bool prepared = [] {
    pthread_atfork(nullptr, nullptr, [] { current.store(nullptr), inside_loop = false; });
    return true;
  }();
  (void)prepared;
  Pool* p = current.load(std::memory_order_acquire);
  if (p) return *p;
  auto* fresh = new Pool;
  if (current.compare_exchange_strong(p, fresh)) return *fresh;
  delete fresh;
  return *p;
}

int cgroup_share() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 1 << 20;
  return std::max(1, int(std::ceil(std::atof(quota.c_str()) / period)));
}

}  // namespace

int available_threads() {
  static const int threads = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    const int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : int(std::thread::hardware_concurrency());
    return std::clamp(std::min(allowed, cgroup_share()), 1, 1024);
  }();
  return threads;
}

void parallel_for(int threads, int64_t n, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  if (n <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  const int64_t pieces = n / grain;
  const int workers = int(std::min<int64_t>(threads, pieces));
  if (workers <= 1 || inside_loop || (grain > 1 && pieces < fewest_pieces)) return body(0, n);
  Loop loop(n, grain, workers, body);
  pool().run(loop, workers - 1);
  if (loop.failed) std::rethrow_exception(loop.error);
}

}  // namespace onward
