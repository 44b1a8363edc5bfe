#include "onward/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "onward/base/error.h"

namespace onward {

namespace {
struct Unmap {
  size_t size;
  void operator()(void* start) const { if (start) munmap(start, size); }
};
}  // namespace

static MappedFile mapped(int file, const std::string& path) {
  struct stat info {};
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
    fail(Code::io, path, S_ISDIR(info.st_mode) ? ": is a folder, expected a file" : ": is not a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  void* p = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : nullptr;
  if (p == MAP_FAILED) fail(Code::io, path, ": cannot be mapped: ", std::strerror(errno));
  return {std::shared_ptr<const void>(p, Unmap{size}), {static_cast<const char*>(p), size}};
}

MappedFile map_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) fail(Code::io, path, ": cannot be opened: ", std::strerror(errno));
  const std::unique_ptr<const int, void (*)(const int*)> closing(&file, [](const int* f) { close(*f); });
  return mapped(file, path);
}

void let_go(const std::shared_ptr<const void>& owner, std::string_view bytes) {
  if (!std::get_deleter<Unmap>(owner)) return;           // the pages of other memory would lose what they hold
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)), start = reinterpret_cast<uintptr_t>(bytes.data());
  const uintptr_t first = (start + page - 1) / page * page, end = (start + bytes.size()) / page * page;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

// Renaming onto a device would replace it.
bool FileWriter::writes_aside(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode);
}

// Without a name where the file system can: then nothing is left of it however the process ends.
static int open_aside(const std::string& path, const std::string& temporary) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
  const int unnamed = access("/proc/self/fd", X_OK) == 0 ? open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;
  return unnamed >= 0 ? unnamed : open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static bool give_name(int file, const std::string& name) {
  struct stat info {};
  if (fstat(file, &info) != 0) return false;
  if (info.st_nlink > 0) return true;
  unlink(name.c_str());                                  // of a process that had this one's number
  return linkat(AT_FDCWD, text("/proc/self/fd/", file).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

FileWriter::FileWriter(std::string path) : path_(std::move(path)) {
  if (writes_aside(path_)) temporary_ = text(path_, ".", getpid(), ".part");
  file_ = temporary_.empty() ? open(path_.c_str(), O_WRONLY | O_CLOEXEC) : open_aside(path_, temporary_);
  if (file_ < 0) failed("cannot be written");
}

FileWriter::~FileWriter() {
  if (file_ < 0) return;
  close(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void FileWriter::failed(const char* doing) const { fail(Code::io, path_, ": ", doing, ": ", std::strerror(errno)); }

static bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

void FileWriter::write(std::string_view bytes) {
  constexpr size_t large = 1 << 20;
  size_ += bytes.size();
  if (bytes.size() < large) buffer_ += bytes;
  if (bytes.size() >= large || buffer_.size() >= large) flush();
  if (bytes.size() >= large && !write_all(file_, bytes)) failed("cannot be written");
}

void FileWriter::flush() {
  if (!write_all(file_, buffer_)) failed("cannot be written");
  buffer_.clear();
}

MappedFile FileWriter::so_far() {
  ONWARD_CHECK(!temporary_.empty());
  flush();
  return mapped(file_, path_);
}

void FileWriter::commit() {
  flush();
  const bool named = temporary_.empty() || give_name(file_, temporary_);
  const int file = std::exchange(file_, -1);
  const bool ok = close(file) == 0 && named && (temporary_.empty() || rename(temporary_.c_str(), path_.c_str()) == 0);
  if (ok) return;
  const int why = errno;
  unlink(temporary_.c_str());
  errno = why;
  failed("cannot be written");
}

void write_file(const std::string& path, std::string_view bytes) {
  FileWriter file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace onward
