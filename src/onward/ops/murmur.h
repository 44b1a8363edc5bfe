// MurmurHash3 by Austin Appleby: the 32-bit hash of some bytes.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

namespace onward {

inline uint32_t murmur3(const void* key, size_t size, uint32_t seed) {
  const auto mixed = [](uint32_t block) { return std::rotl(block * 0xcc9e2d51u, 15) * 0x1b873593u; };
  const auto* bytes = static_cast<const unsigned char*>(key);
  uint32_t h = seed;
  for (size_t at = 0; at + 4 <= size; at += 4) {
    uint32_t block;
    std::memcpy(&block, bytes + at, 4);
    h = std::rotl(h ^ mixed(block), 13) * 5 + 0xe6546b64u;
  }
  uint32_t rest = 0;
  for (size_t i = size % 4; i-- > 0;) rest = rest << 8 | bytes[size - size % 4 + i];
  h ^= mixed(rest) ^ uint32_t(size);  // nothing left is 0, which mixes to 0
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

}  // namespace onward
