#include "onward/base/city_hash.h"

#include <bit>
#include <cstring>
#include <utility>

namespace onward {
namespace {

// The primes of the function's definition.
constexpr uint64_t k0 = 0xc3a5c85c97cb3127, k1 = 0xb492b66fbe98f273, k2 = 0x9ae16a3b2f90404f, k3 = 0xc949d7c7509e6557;

template <class T>
uint64_t word(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
uint64_t wide(const char* at) { return word<uint64_t>(at); }
uint64_t half(const char* at) { return word<uint32_t>(at); }
uint64_t folded(uint64_t x) { return x ^ x >> 47; }

uint64_t mixed(uint64_t low, uint64_t high) {
  constexpr uint64_t prime = 0x9ddfea08eb382d69;
  const uint64_t a = folded((low ^ high) * prime);
  return folded((high ^ a) * prime) * prime;
}

uint64_t up_to_16(const char* s, size_t n) {
  if (n > 8) {
    const uint64_t last = wide(s + n - 8);
    return mixed(wide(s), std::rotr(last + n, int(n))) ^ last;
  }
  if (n >= 4) return mixed(n + (half(s) << 3), half(s + n - 4));
  if (n == 0) return k2;
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(s[i])); };
  const uint32_t y = byte(0) + (byte(n / 2) << 8), z = uint32_t(n) + (byte(n - 1) << 2);
  return folded(y * k2 ^ z * k3) * k2;
}

uint64_t up_to_32(const char* s, size_t n) {
  const uint64_t a = wide(s) * k1, b = wide(s + 8), c = wide(s + n - 8) * k2, d = wide(s + n - 16) * k0;
  return mixed(std::rotr(a - b, 43) + std::rotr(c, 30) + d, a + std::rotr(b ^ k3, 20) - c + n);
}

// Half of the 33 to 64 bytes: `a` has begun with the half's first word, `end` is its last.
std::pair<uint64_t, uint64_t> of_half(uint64_t a, uint64_t second, uint64_t third, uint64_t end) {
  uint64_t b = std::rotr(a + end, 52), c = std::rotr(a, 37);
  a += second, c += std::rotr(a, 7), a += third;
  return {a + end, b + std::rotr(a, 31) + c};
}
uint64_t up_to_64(const char* s, size_t n) {
  const auto [first, first_rest] = of_half(wide(s) + (n + wide(s + n - 16)) * k0, wide(s + 8), wide(s + 16), wide(s + 24));
  const auto [last, last_rest] = of_half(wide(s + 16) + wide(s + n - 32), wide(s + n - 24), wide(s + n - 16), wide(s + n - 8));
  const uint64_t r = folded((first + last_rest) * k2 + (last + first_rest) * k0);
  return folded(r * k0 + first_rest) * k2;
}

struct Pair {
  uint64_t first, second;
};
Pair of_32(const char* s, uint64_t a, uint64_t b) {
  a += wide(s);
  b = std::rotr(b + a + wide(s + 24), 21);
  const uint64_t start = a;
  a += wide(s + 8);
  a += wide(s + 16);
  return {a + wide(s + 24), b + std::rotr(a, 44) + start};
}

uint64_t longer(const char* s, size_t n) {
  uint64_t x = wide(s), y = wide(s + n - 16) ^ k1, z = wide(s + n - 56) ^ k0;
  Pair v = of_32(s + n - 64, n, y), w = of_32(s + n - 32, n * k1, k0);
  z += folded(v.second) * k1;
  x = std::rotr(z + x, 39) * k1;
  y = std::rotr(y, 33) * k1;
  for (size_t left = (n - 1) / 64; left > 0; --left, s += 64) {
    x = std::rotr(x + y + v.first + wide(s + 16), 37) * k1;
    y = std::rotr(y + v.second + wide(s + 48), 42) * k1;
    x ^= w.second, y ^= v.first;
    z = std::rotr(z ^ w.first, 33);
    v = of_32(s, v.second * k1, x + w.first);
    w = of_32(s + 32, z + w.second, y);
    std::swap(z, x);
  }
  return mixed(mixed(v.first, w.first) + folded(y) * k1 + z, mixed(v.second, w.second) + x);
}

}  // namespace

uint64_t city_hash(std::string_view text) {
  const size_t n = text.size();
  const char* s = text.data();
  return n <= 16 ? up_to_16(s, n) : n <= 32 ? up_to_32(s, n) : n <= 64 ? up_to_64(s, n) : longer(s, n);
}

}  // namespace onward
