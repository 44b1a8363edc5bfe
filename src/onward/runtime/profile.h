// Where the time of runs went, as a Chrome trace (chrome://tracing, ui.perfetto.dev).
#pragma once
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

namespace onward {

class Profile {
 public:
  using Clock = std::chrono::steady_clock;
  Profile() : start_(Clock::now()) {}
  void add(std::string_view name, std::string_view op, std::string_view shape, int64_t bytes, Clock::time_point from, Clock::time_point to);
  std::string json() const;              // {"traceEvents": […]}; times in microseconds

 private:
  struct Event { std::string name, op, shape; int64_t bytes, thread; double at, took; };
  Clock::time_point start_;
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

}  // namespace onward
