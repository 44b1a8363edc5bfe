#include "onward/runtime/profile.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "onward/base/text.h"

namespace onward {

void Profile::add(std::string_view name, std::string_view op, std::string_view shape, int64_t bytes, Clock::time_point from, Clock::time_point to) {
  using Microseconds = std::chrono::duration<double, std::micro>;
  constexpr size_t most = 1'000'000;
  std::lock_guard lock(mutex_);
  if (events_.size() < most)
    events_.push_back({std::string(name), std::string(op), std::string(shape), bytes, syscall(SYS_gettid), Microseconds(from - start_).count(), Microseconds(to - from).count()});
}

static std::string quoted(std::string_view s) {
  constexpr char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 32) out += text("\\u00", hex[c >> 4], hex[c & 15]);
    else out += c;
  }
  return out + "\"";
}

std::string Profile::json() const {
  std::lock_guard lock(mutex_);
  std::string out = "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  for (size_t i = 0; i < events_.size(); ++i) {
    const Event& e = events_[i];
    out += text(i ? ",\n" : "\n", "{\"ph\": \"X\", \"cat\": \"", e.op == "run" ? "Session" : "Node", "\", \"pid\": ", int64_t(getpid()), ", \"tid\": ", e.thread, ", \"ts\": ", e.at, ", \"dur\": ", e.took,
                ", \"name\": ", quoted(e.name), ", \"args\": {\"op\": ", quoted(e.op), ", \"shape\": ", quoted(e.shape), ", \"bytes\": ", e.bytes, "}}");
  }
  return out + "\n]}\n";
}

}  // namespace onward
