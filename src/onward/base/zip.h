// Zip archives (stored and deflated entries, zip64): what .npz and .skops files are.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onward {

struct ZipEntry {
  std::string name;
  std::string_view packed;                               // in the archive's bytes; the content itself where it is stored
  bool deflated = false;
  uint64_t size = 0;                                     // unpacked, as the archive claims
  uint32_t crc = 0;
};

bool is_zip(std::string_view bytes);
// From the central directory. Throws Error{bad_file} for what does not lie inside `bytes`, Error{unsupported_format} for encryption and
// other methods, Error{limit_size} for more than `most_entries`.
std::vector<ZipEntry> zip_entries(std::string_view bytes, size_t most_entries = 1 << 20);
// The content, unpacked into `scratch` if it is deflated; its checksum is tested. Throws Error{limit_memory} beyond `most_bytes`, and
// Error{bad_file} for a size that deflate could not have packed so small: a lie costs no memory.
std::string_view unzip(const ZipEntry& entry, std::string& scratch, size_t most_bytes);

// Writes stored entries, the same bytes for the same content.
class ZipWriter {
 public:
  explicit ZipWriter(std::function<void(std::string_view)> out) : out_(std::move(out)) {}
  void add(const std::string& name, std::span<const std::string_view> parts);
  void finish();

 private:
  void emit(std::string_view bytes) { out_(bytes), at_ += bytes.size(); }
  std::function<void(std::string_view)> out_;
  uint64_t at_ = 0, entries_ = 0;
  std::string directory_;
};

}  // namespace onward
