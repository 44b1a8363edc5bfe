#include "onward/validate/python.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "onward/base/error.h"

extern char** environ;

namespace onward {
namespace {

bool executable(const std::string& path) {
  std::error_code ignored;
  return access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path, ignored);
}

std::string own_folder() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  const std::string whole(path, n > 0 ? size_t(n) : 0);
  return whole.substr(0, whole.rfind('/'));
}

std::optional<std::string> on_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  const std::string all = path ? path : "/usr/bin:/bin";
  for (size_t at = 0, end; at <= all.size(); at = end + 1) {
    end = std::min(all.find(':', at), all.size());
    const std::string candidate = all.substr(at, end - at) + "/" + name;
    if (executable(candidate)) return candidate;
  }
  return std::nullopt;
}

// One end of a child's output.
struct Pipe {
  int read = -1, write = -1;
  std::string text;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail(Code::io, "a pipe cannot be made: ", std::strerror(errno));
    read = ends[0], write = ends[1];
  }
  ~Pipe() { close_write(), close_read(); }
  Pipe(const Pipe&) = delete;
  void close_write() { if (write >= 0) close(std::exchange(write, -1)); }
  void close_read() { if (read >= 0) close(std::exchange(read, -1)); }
  void take() {
    constexpr size_t kept = 64 << 10;
    char bytes[4096];
    const ssize_t n = ::read(read, bytes, sizeof bytes);
    if (n > 0) text.append(bytes, size_t(n));
    else if (n == 0 || errno != EINTR) close_read();
    if (text.size() > 2 * kept) text.erase(0, text.size() - kept);
  }
};

pid_t spawn(const std::vector<std::string>& command, const Pipe& out, const Pipe& err) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
  pid_t child = 0;
  const int problem = posix_spawn(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem) fail(Code::io, command[0], ": cannot be started: ", std::strerror(problem));
  return child;
}

[[noreturn]] void stop(pid_t child, Code code, const char* why) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  fail(code, why);
}

}  // namespace

std::optional<std::string> find_python(const std::string& wanted) {
  if (!wanted.empty()) {
    if (wanted.find('/') == wanted.npos)
      if (const auto found = on_path(wanted)) return found;
    if (!executable(wanted)) throw Error(Code::usage, text("--python: ", wanted, " cannot be executed"));
    return wanted;
  }
  std::vector<std::string> candidates;
  if (const char* own = std::getenv("ONWARD_PYTHON")) candidates.emplace_back(own);
  if (const char* venv = std::getenv("VIRTUAL_ENV")) candidates.push_back(std::string(venv) + "/bin/python");
  const std::string folder = own_folder();
  candidates.push_back(folder + "/python");
  candidates.push_back(folder + "/../venv/bin/python");
  for (const std::string& candidate : candidates)
    if (executable(candidate)) return candidate;
  return on_path("python3");
}

std::vector<std::string> python_libraries(const std::string& python) {
  static const char* script =
      "from importlib.metadata import version\n"
      "for name in 'scikit-learn', 'numpy', 'pandas', 'joblib', 'skops', 'xgboost', 'lightgbm', 'onnxruntime':\n"
      "    try: print(name, version(name))\n"
      "    except Exception: pass\n";
  std::vector<std::string> lines;
  const std::string out = run_process({python, "-c", script}, nullptr, 20).out;
  for (size_t at = 0, end; at < out.size(); at = end + 1) {
    end = std::min(out.find('\n', at), out.size());
    lines.push_back(out.substr(at, end - at));
  }
  return lines;
}

ProcessResult run_process(const std::vector<std::string>& command, const std::atomic<bool>* cancel, double time_limit_seconds) {
  Pipe out, err;
  const pid_t child = spawn(command, out, err);
  out.close_write(), err.close_write();
  const auto start = std::chrono::steady_clock::now();
  while (out.read >= 0 || err.read >= 0) {
    pollfd ends[] = {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}};
    poll(ends, 2, 100);
    if (ends[0].revents) out.take();
    if (ends[1].revents) err.take();
    if (cancel && *cancel) stop(child, Code::cancelled, "interrupted");
    if (time_limit_seconds > 0 && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > time_limit_seconds)
      stop(child, Code::limit_time, "the time limit was reached");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), std::move(out.text), std::move(err.text)};
}

}  // namespace onward
