#include "onward/base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
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

// One loop in progress. Whoever holds it takes chunks until there are none.
struct Loop {
  Loop(int64_t n, int64_t chunk, FunctionRef<void(int64_t, int64_t)> body) : n(n), chunk(chunk), body(body) {}
  const int64_t n, chunk;
  FunctionRef<void(int64_t, int64_t)> body;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  int helpers = 0;                      // guarded by the pool's mutex

  void work() {
    for (int64_t begin; !failed.load(std::memory_order_relaxed) && (begin = next.fetch_add(chunk, std::memory_order_relaxed)) < n;) {
      try {
        body(begin, std::min(n, begin + chunk));
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  }
};

thread_local bool inside_loop = false;

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
    std::unique_lock lock(mutex_);
    std::erase_if(waiting_, [&](const Offer& o) { return o.loop == &loop; });
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
  const int64_t pieces = (n + grain - 1) / grain;
  const int workers = int(std::min<int64_t>(threads, pieces));
  if (workers <= 1 || inside_loop) return body(0, n);
  // Four chunks a thread even out threads that are slower or late.
  Loop loop(n, std::max(grain, (n + 4 * workers - 1) / (4 * workers)), body);
  pool().run(loop, workers - 1);
  if (loop.failed) std::rethrow_exception(loop.error);
}

}  // namespace onward
