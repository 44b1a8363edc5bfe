#include "onward/base/sha256.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace onward {
namespace {

// The first 32 bits of the fractional parts of the square and cube roots of the first primes.
struct Constants {
  std::array<uint32_t, 8> start{};
  std::array<uint32_t, 64> round{};
  Constants() {
    int prime = 2;
    for (size_t i = 0; i < 64; ++i, prime = next(prime)) {
      round[i] = fraction(std::cbrt(static_cast<long double>(prime)));
      if (i < 8) start[i] = fraction(std::sqrt(static_cast<long double>(prime)));
    }
  }
  static uint32_t fraction(long double x) { return uint32_t((x - std::floor(x)) * 4294967296.0L); }
  static int next(int n) {
    for (++n;; ++n) {
      bool prime = true;
      for (int d = 2; d * d <= n; ++d) prime = prime && n % d;
      if (prime) return n;
    }
  }
};

void add_block(std::array<uint32_t, 8>& state, const char* bytes, const std::array<uint32_t, 64>& k) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i) {
    uint32_t word;
    std::memcpy(&word, bytes + 4 * i, 4);
    w[i] = std::endian::native == std::endian::little ? __builtin_bswap32(word) : word;
  }
  for (int i = 16; i < 64; ++i) {
    const uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) + w[i - 7] + (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t t1 = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
    const uint32_t t2 = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const uint32_t sums[] = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < 8; ++i) state[i] += sums[i];
}

}  // namespace

std::string sha256(std::string_view bytes) {
  static const Constants constants;
  auto state = constants.start;
  const uint64_t bits = uint64_t(bytes.size()) * 8;
  for (; bytes.size() >= 64; bytes.remove_prefix(64)) add_block(state, bytes.data(), constants.round);
  std::string rest(bytes);
  rest += '\x80';
  rest.resize(rest.size() <= 56 ? 56 : 120, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) rest += char(bits >> shift);
  for (size_t at = 0; at < rest.size(); at += 64) add_block(state, rest.data() + at, constants.round);
  std::string out;
  for (uint32_t word : state)
    for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[(word >> shift) & 15];
  return out;
}

}  // namespace onward
