#include "onward/cli/terminal.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace onward::cli {

static bool has_colour() {
  const char* no = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(no && *no) && !(term && std::string_view(term) == "dumb");
}

std::string painted(Paint paint, std::string_view text) {
  if (!has_colour()) return std::string(text);
  const char* code = paint == Paint::error ? "\033[1;31m" : paint == Paint::help ? "\033[1;36m" : "\033[1m";
  return code + std::string(text) + "\033[0m";
}

Progress::Progress(std::string_view unit, bool quiet) : unit_(unit), shown_(!quiet && isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::at(int64_t done) {
  using namespace std::chrono_literals;
  if (!shown_) return;
  const auto now = Clock::now();
  if (now - start_ < 1s || (drawn_ && now - last_ < 100ms)) return;
  last_ = now, drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "\r\033[K%lld %s, %.0f %s/s", static_cast<long long>(done), unit_.c_str(), double(done) / seconds, unit_.c_str());
  std::fflush(stderr);
}

}  // namespace onward::cli
