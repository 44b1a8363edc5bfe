// Running the source framework: a Python interpreter as another process.
#pragma once
#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace onward {

// `wanted` if given, else $ONWARD_PYTHON, the active virtual environment, the one this program is installed in, build/venv beside a
// build tree, or python3 on the PATH. Nothing if there is none that can be executed; throws Error{usage} if `wanted` cannot.
std::optional<std::string> find_python(const std::string& wanted = {});

// "scikit-learn 1.9.1", …: of the frameworks that validate knows.
std::vector<std::string> python_libraries(const std::string& python);

struct ProcessResult {
  int exit_code;                                         // 128 + the signal if one ended it
  std::string out, err;                                  // the last 64 kB of each
};
// Waits for the end; ends the process when `cancel` is set or the time is over, and then throws Error{cancelled, limit_time}.
ProcessResult run_process(const std::vector<std::string>& command, const std::atomic<bool>* cancel = nullptr, double time_limit_seconds = 0);

}  // namespace onward
