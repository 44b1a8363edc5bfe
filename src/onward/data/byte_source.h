// Bytes that are read once, front to back: a file of any size, a pipe, standard input, or memory. Gzip is unpacked on the way.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace onward {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual size_t read(char* into, size_t n) = 0;         // fewer than n only at the end; throws Error{io, bad_file}
  virtual bool is_file() const { return false; }         // on a disk, so that it could be mapped
  std::string name;                                      // for errors: the path, "standard input", …
};

std::unique_ptr<ByteSource> open_source(const std::string& path);      // "-" is standard input
std::unique_ptr<ByteSource> memory_source(std::string_view bytes, std::string name = "memory");   // the caller keeps the bytes
// The first bytes, at most n, and a source that still begins with them.
std::pair<std::string, std::unique_ptr<ByteSource>> peeked(std::unique_ptr<ByteSource> source, size_t n);
std::string read_whole(ByteSource& source, size_t most_bytes);         // throws Error{limit_memory} beyond that
// Looks at the first bytes; what is not gzip comes through unchanged.
std::unique_ptr<ByteSource> unpacked(std::unique_ptr<ByteSource> source);

}  // namespace onward
