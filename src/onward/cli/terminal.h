// What is only shown to people: colour and progress.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace onward::cli {

enum class Paint { error, help, bold };
std::string painted(Paint paint, std::string_view text); // as it is unless stderr is a terminal and NO_COLOR is unset

// A line on stderr that is drawn over itself: only on a terminal, and only for work that takes more than a second.
class Progress {
 public:
  Progress(std::string_view unit, bool quiet);
  ~Progress();
  void at(int64_t done);

 private:
  using Clock = std::chrono::steady_clock;
  std::string unit_;
  bool shown_, drawn_ = false;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

}  // namespace onward::cli
