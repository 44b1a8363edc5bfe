// A list of few different texts, in a byte each: the modes of a forest's nodes are millions of a handful of words.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onward {

class FewTexts {
 public:
  size_t size() const { return items_.size(); }
  const std::string& operator[](size_t i) const { return distinct_[items_[i]]; }
  const std::vector<std::string>& distinct() const { return distinct_; }
  const std::vector<uint8_t>& items() const { return items_; }   // of each item, which of the distinct ones it is
  void reserve(size_t n);
  bool add(std::string_view text);       // false: it would be the 257th that differs
  std::vector<std::string> texts() const;

 private:
  std::vector<std::string> distinct_;
  std::vector<uint8_t> items_;
  uint8_t last_[16] = {};                // distinct one that was met last, by the lowest bits of its length
};

}  // namespace onward
