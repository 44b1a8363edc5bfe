// LZW as TIFF packs it: codes of 9 to 12 bits, the high bit first, widened one code early; 256 clears, 257 ends.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "onward/base/error.h"

namespace onward::image {

inline void unpack_lzw(std::string_view in, std::span<uint8_t> out) {
  constexpr int clear = 256, end = 257, most = 4096;
  // A string is its last byte after another string; its length tells where its first byte lands.
  struct Entry { int16_t before; uint16_t length; uint8_t first, last; };
  Entry table[most];
  for (int i = 0; i < 256; ++i) table[i] = {-1, 1, uint8_t(i), uint8_t(i)};
  int width = 9, next = end + 1, before = -1;
  uint64_t window = 0, bits = 0;
  size_t written = 0;
  for (size_t at = 0; written < out.size();) {
    while (bits < uint64_t(width) && at < in.size()) window = window << 8 | uint8_t(in[at++]), bits += 8;
    if (bits < uint64_t(width)) break;
    const int code = int(window >> (bits - uint64_t(width)) & ((1u << width) - 1));
    bits -= uint64_t(width);
    if (code == end) break;
    if (code == clear) {
      width = 9, next = end + 1, before = -1;
      continue;
    }
    if (code >= next && !(code == next && before >= 0)) fail(Code::bad_file, "an LZW code that was never made");
    if (before >= 0 && next < most) {
      const Entry& old = table[before];
      table[next] = {int16_t(before), uint16_t(old.length + 1), old.first, code == next ? old.first : table[code].first};
      ++next;
    } else if (code >= next) {
      fail(Code::bad_file, "an LZW code that was never made");
    }
    const size_t length = table[code].length;
    for (size_t i = length, s = size_t(code); i-- > 0; s = size_t(table[s].before))
      if (written + i < out.size()) out[written + i] = table[s].last;
    written += length;
    before = code;
    if (next + 1 >= 1 << width && width < 12) ++width;
  }
  if (written < out.size()) fail(Code::bad_file, "a strip of ", written, " bytes, expected ", out.size());
}

}  // namespace onward::image
