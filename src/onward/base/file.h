// Files: mapped for reading; written to a temporary name and renamed, so that readers see all of it or none.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace onward {

struct MappedFile {
  std::shared_ptr<const void> owner;   // the mapping lives as long as this
  std::string_view bytes;
};
// Throws Error{io} naming the path; a folder, socket or device is refused.
MappedFile map_file(const std::string& path);
// These bytes need not stay in memory: whoever looks at them again reads the file again. Does nothing where `owner` is no mapping of a file.
void let_go(const std::shared_ptr<const void>& owner, std::string_view bytes);

// A file under construction. What was not committed leaves no trace. A device or pipe (/dev/null, /dev/stdout) is written directly.
class FileWriter {
 public:
  explicit FileWriter(std::string path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::string_view bytes);  // buffered
  void commit();                       // flush, rename to the path given; throws Error{io} when the disk is full or the folder is gone
  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  MappedFile so_far();                 // what was written, before it is committed; not of a device or pipe
  static bool writes_aside(const std::string& path);   // false: a device or pipe

 private:
  [[noreturn]] void failed(const char* doing) const;
  void flush();
  std::string path_, temporary_, buffer_;                // no temporary: path_ itself is written
  uint64_t size_ = 0;
  int file_ = -1;
};
void write_file(const std::string& path, std::string_view bytes);

}  // namespace onward
