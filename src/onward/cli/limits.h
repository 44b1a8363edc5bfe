// What stops the program from outside: Ctrl-C, --time-limit, --memory-limit. The only state that the whole process shares.
#pragma once
#include <atomic>
#include <cstddef>

namespace onward::cli {

// Set by the first SIGINT or SIGTERM. Work that looks at it ends cleanly; what does not look within two seconds is ended.
const std::atomic<bool>& interrupted();
void watch_interrupts();

// Work that looks at its deadline ends by itself; what does not is ended half a second later, with the same message and exit code.
void limit_time(double seconds, bool json);
// Beyond it, allocations fail, which is reported as Error{limit_memory}. Files that are mapped for reading do not count.
void limit_memory(size_t bytes);

}  // namespace onward::cli
