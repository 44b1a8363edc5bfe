#include "onward/cli/limits.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "onward/base/error.h"

namespace onward::cli {
namespace {

std::atomic<bool> interrupt{false};
std::atomic<bool> as_json{false};
static_assert(std::atomic<bool>::is_always_lock_free);   // signal handlers use them

void end_at_once(const char* message, int to, int code) {
  [[maybe_unused]] const ssize_t written = ::write(to, message, std::strlen(message));
  _exit(code);
}

void on_interrupt(int) {
  if (interrupt.exchange(true)) _exit(130);
  itimerval in_two_seconds{{0, 0}, {2, 0}};
  setitimer(ITIMER_REAL, &in_two_seconds, nullptr);
}

void on_alarm(int) {
  if (interrupt) end_at_once("error[E0801]: interrupted\n", STDERR_FILENO, 130);
  if (!as_json) end_at_once("error[E0502]: the time limit was reached\nhelp: raise --time-limit\n", STDERR_FILENO, 5);
  end_at_once("{\"schema_version\": 1, \"error\": {\"code\": \"E0502\", \"name\": \"limit-time\", \"message\": \"the time limit was reached\", "
              "\"hint\": \"raise --time-limit\", \"exit_code\": 5}}\n", STDOUT_FILENO, 5);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

const std::atomic<bool>& interrupted() { return interrupt; }

void watch_interrupts() {
  handle(SIGINT, on_interrupt);
  handle(SIGTERM, on_interrupt);
  handle(SIGALRM, on_alarm);
}

void limit_time(double seconds, bool json) {
  as_json = json;
  const double end = seconds + 0.5;
  itimerval timer{{0, 0}, {time_t(end), suseconds_t((end - double(time_t(end))) * 1e6)}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void limit_memory(size_t bytes) {
  long pages = 0, data = 0;                              // what the process holds before it begins counts in its favour
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%*d %*d %*d %*d %*d %ld", &pages) == 1) data = pages * sysconf(_SC_PAGESIZE);
    std::fclose(f);
  }
  const rlimit limit{bytes + size_t(data), bytes + size_t(data)};
  if (setrlimit(RLIMIT_DATA, &limit) != 0) fail(Code::usage, "--memory-limit: the system refuses a limit of ", bytes, " bytes");
}

}  // namespace onward::cli
