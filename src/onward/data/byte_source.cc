#include "onward/data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "onward/base/error.h"

namespace onward {
namespace {

class FileSource : public ByteSource {
 public:
  FileSource(int file, bool close, std::string path) : file_(file), close_(close) { name = std::move(path); }
  ~FileSource() override { if (close_) ::close(file_); }
  bool is_file() const override {
    struct stat info {};
    return fstat(file_, &info) == 0 && S_ISREG(info.st_mode);
  }
  size_t read(char* into, size_t n) override {
    size_t got = 0;
    while (got < n) {
      const ssize_t k = ::read(file_, into + got, n - got);
      if (k == 0) break;
      if (k < 0 && errno != EINTR) fail(Code::io, name, ": cannot be read: ", std::strerror(errno));
      if (k > 0) got += size_t(k);
    }
    return got;
  }

 private:
  int file_;
  bool close_;
};

class MemorySource : public ByteSource {
 public:
  MemorySource(std::string_view bytes, std::string called) : bytes_(bytes) { name = std::move(called); }
  size_t read(char* into, size_t n) override {
    n = bytes_.copy(into, n);
    bytes_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view bytes_;
};

// Gives back the bytes that were read to look at them.
class Prefixed : public ByteSource {
 public:
  Prefixed(std::string first, std::unique_ptr<ByteSource> rest) : first_(std::move(first)), rest_(std::move(rest)) { name = rest_->name; }
  bool is_file() const override { return rest_->is_file(); }
  size_t read(char* into, size_t n) override {
    const size_t k = std::string_view(first_).substr(at_).copy(into, n);
    at_ += k;
    return k + (k < n ? rest_->read(into + k, n - k) : 0);
  }

 private:
  std::string first_;
  size_t at_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

class GzipSource : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)), buffer_(1 << 16) {
    name = packed_->name;
    constexpr int gzip_window = 15 + 16;
    if (inflateInit2(&stream_, gzip_window) != Z_OK) fail(Code::limit_memory, name, ": no memory to unpack gzip");
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  size_t read(char* into, size_t n) override {
    size_t got = 0;
    while (got < n && !done_) {
      if (stream_.avail_in == 0) refill();
      stream_.next_out = reinterpret_cast<Bytef*>(into + got), stream_.avail_out = uInt(std::min<size_t>(n - got, 1 << 30));
      const uInt room = stream_.avail_out;
      const int state = inflate(&stream_, Z_NO_FLUSH);
      got += room - stream_.avail_out;
      if (state == Z_STREAM_END) next_member();
      else if (state == Z_BUF_ERROR && stream_.avail_in == 0 && ended_) fail(Code::bad_file, name, ": the gzip stream is cut short");
      else if (state != Z_OK && state != Z_BUF_ERROR) fail(Code::bad_file, name, ": the gzip stream is damaged");
    }
    return got;
  }

 private:
  void refill() {
    const size_t n = packed_->read(buffer_.data(), buffer_.size());
    ended_ = n < buffer_.size();
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data()), stream_.avail_in = uInt(n);
  }
  void next_member() {
    if (stream_.avail_in == 0) refill();
    done_ = stream_.avail_in == 0;
    if (!done_) inflateReset(&stream_);
  }

  std::unique_ptr<ByteSource> packed_;
  std::vector<char> buffer_;
  z_stream stream_{};
  bool ended_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> open_source(const std::string& path) {
  if (path == "-") return std::make_unique<FileSource>(STDIN_FILENO, false, "standard input");
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(Code::io, path, ": cannot be opened: ", std::strerror(errno));
  auto source = std::make_unique<FileSource>(file, true, path);
  struct stat info {};
  if (fstat(file, &info) == 0 && S_ISDIR(info.st_mode)) fail(Code::io, path, ": is a folder, expected a file");
  return source;
}

std::unique_ptr<ByteSource> memory_source(std::string_view bytes, std::string name) { return std::make_unique<MemorySource>(bytes, std::move(name)); }

std::pair<std::string, std::unique_ptr<ByteSource>> peeked(std::unique_ptr<ByteSource> source, size_t n) {
  std::string first(n, '\0');
  first.resize(source->read(first.data(), n));
  return {first, std::make_unique<Prefixed>(first, std::move(source))};
}

std::string read_whole(ByteSource& source, size_t most_bytes) {
  constexpr size_t block = 1 << 20;
  std::string out;
  for (;;) {
    const size_t before = out.size(), wanted = std::max(block, before);
    if (before > most_bytes) fail(Code::limit_memory, source.name, ": more than ", most_bytes, " bytes");
    out.resize(before + wanted);
    const size_t got = source.read(out.data() + before, wanted);
    out.resize(before + got);
    if (got < wanted) return out;
  }
}

std::unique_ptr<ByteSource> unpacked(std::unique_ptr<ByteSource> source) {
  auto [first, whole] = peeked(std::move(source), 2);
  if (first != "\x1f\x8b") return std::move(whole);
  return std::make_unique<GzipSource>(std::move(whole));
}

}  // namespace onward
