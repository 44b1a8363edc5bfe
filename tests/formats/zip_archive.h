// Writes small zip archives for tests and fuzzing: members as they are given, with right checksums.
#pragma once
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace onward {

class ZipArchive {
 public:
  // `method` and `claimed_size` are what the archive says; the bytes are written as they are.
  void add(std::string_view name, std::string_view content, int method = 0, uint64_t claimed_size = UINT64_MAX) {
    std::string fields;
    put(fields, 20, 2), put(fields, 0, 2), put(fields, method, 2), put(fields, 0, 4);   // version, flags, method, time
    put(fields, crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())), 4);
    put(fields, content.size(), 4), put(fields, claimed_size == UINT64_MAX ? content.size() : claimed_size, 4);
    put(fields, name.size(), 2), put(fields, 0, 2);
    directory_ += std::string_view("PK\1\2\0\0", 6);
    directory_ += fields;
    directory_.append(10, 0), put(directory_, members_.size(), 4);
    directory_ += name;
    members_ += std::string_view("PK\3\4", 4);
    members_.append(fields).append(name).append(content);
  }
  std::string bytes() const {
    std::string out = members_ + directory_;
    out += std::string_view("PK\5\6", 4);
    out.append(8, 0), put(out, directory_.size(), 4), put(out, members_.size(), 4), put(out, 0, 2);
    return out;
  }

 private:
  static void put(std::string& out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
  }
  std::string members_, directory_;
};

}  // namespace onward
