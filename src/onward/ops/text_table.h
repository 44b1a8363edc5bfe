// A table from texts to their places in a list: found by a hash of 64 bits, then compared.
#pragma once
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "onward/ops/number_table.h"

namespace onward {

inline uint64_t text_hash(std::string_view s) {
  const auto word = [&]<class T>(size_t at, T) {
    T bytes;
    std::memcpy(&bytes, s.data() + at, sizeof bytes);
    return uint64_t(bytes);
  };
  const size_t n = s.size();
  uint64_t hash = n;
  if (n >= 8) {
    for (size_t i = 0; i + 8 < n; i += 8) hash = mixed_bits(hash ^ word(i, uint64_t())) + n;
    return mixed_bits(hash ^ word(n - 8, uint64_t()));
  }
  if (n >= 4) return mixed_bits((word(0, uint32_t()) << 32 | word(n - 4, uint32_t())) + hash * 0xd6e8feb86659fd93u);
  for (char c : s) hash = hash << 8 | uint8_t(c);
  return mixed_bits(hash);
}

// The list must stay where it is.
class TextTable {
 public:
  TextTable() = default;
  explicit TextTable(std::span<const std::string> list) : list_(list), places_(list.size()) {
    for (size_t i = 0; i < list.size(); ++i)
      if (const int64_t at = places_.emplace(text_hash(list[i]), int64_t(i)); list[size_t(at)] != list[i]) others_.emplace(list[i], int64_t(i));
  }
  // The first place of a text; -1 where it is not in the list.
  int64_t find(const std::string& s) const {
    if (const int64_t at = places_.find(text_hash(s)); at >= 0 && list_[size_t(at)] == s) return at;
    if (others_.empty()) return -1;
    const auto it = others_.find(s);
    return it == others_.end() ? -1 : it->second;
  }

 private:
  std::span<const std::string> list_;
  NumberTable places_;
  std::unordered_map<std::string_view, int64_t> others_;  // texts whose hash another one had before them
};

}  // namespace onward
