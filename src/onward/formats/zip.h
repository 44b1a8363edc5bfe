// Reads zip archives in memory: stored and deflated members, zip64. What the directory claims is checked against what is there.
#pragma once
#include <map>
#include <optional>
#include <string_view>

#include "onward/base/arena.h"

namespace onward::formats {

class ZipReader {
 public:
  // Inflated members live in the arena, stored ones are views of `bytes`.
  ZipReader(std::string_view bytes, Arena& arena);

  bool has(std::string_view name) const { return members_.contains(name); }
  size_t size() const { return members_.size(); }
  std::string_view read(std::string_view name);   // throws Error{bad_file} when it is missing or damaged

 private:
  struct Member {
    uint16_t method = 0, flags = 0;
    uint32_t crc = 0;
    uint64_t packed = 0, size = 0, header = 0;
    std::optional<std::string_view> content{};   // once read
  };
  std::string_view packed_bytes(std::string_view name, const Member&) const;

  std::string_view bytes_;
  Arena& arena_;
  std::map<std::string_view, Member> members_;
};

bool looks_like_zip(std::string_view bytes);

}  // namespace onward::formats
