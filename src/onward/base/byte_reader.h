// Reads bytes front to back; asking for more than there is throws, whatever the file claims.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "onward/base/error.h"

namespace onward {

static_assert(std::endian::native == std::endian::little);

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  size_t position() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  uint8_t peek() const { return at_ < bytes_.size() ? static_cast<uint8_t>(bytes_[at_]) : 0; }

  std::string_view take(uint64_t n) {
    if (n > left()) fail(Code::bad_file, "the file ends at byte ", bytes_.size(), ", ", n - left(), " bytes too early");
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  std::string_view line() {
    size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) fail(Code::bad_file, "a line has no end, from byte ", at_);
    std::string_view s = take(end - at_);
    take(1);
    return s;
  }
  template <class T> T little() {
    T v;
    std::memcpy(&v, take(sizeof v).data(), sizeof v);
    return v;
  }
  template <class T> T big() {
    char reversed[sizeof(T)];
    std::string_view s = take(sizeof(T));
    for (size_t i = 0; i < sizeof(T); ++i) reversed[i] = s[sizeof(T) - 1 - i];
    T v;
    std::memcpy(&v, reversed, sizeof v);
    return v;
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace onward
