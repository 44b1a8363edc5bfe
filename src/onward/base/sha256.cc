#include "onward/base/sha256.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

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

void add_blocks(std::array<uint32_t, 8>& state, const char* bytes, size_t blocks, const std::array<uint32_t, 64>& k) {
  for (; blocks > 0; --blocks, bytes += 64) add_block(state, bytes, k);
}

#ifdef __x86_64__

// The processor's own rounds, two at a time; it wants the words of the state as ABEF and CDGH.
[[gnu::target("sha,sse4.1,ssse3")]] void add_blocks_in_hardware(std::array<uint32_t, 8>& state, const char* bytes, size_t blocks, const std::array<uint32_t, 64>& k) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data())), hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data() + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
  for (; blocks > 0; --blocks, bytes += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4];
    for (int i = 0; i < 4; ++i) w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i)), big_endian);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      const __m128i sum = _mm_add_epi32(w[i % 4], _mm_loadu_si128(reinterpret_cast<const __m128i*>(k.data() + 4 * i)));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
      const __m128i late = w[(i + 3) % 4], between = _mm_alignr_epi8(late, w[(i + 2) % 4], 4);
      w[i % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]), between), late);
    }
    abef = _mm_add_epi32(abef, abef_before), cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}
bool has_instructions() {
  static const bool has = [] {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1) && __builtin_cpu_supports("sse4.1");
  }();
  return has;
}
decltype(&add_blocks) best_add_blocks() { return has_instructions() ? add_blocks_in_hardware : add_blocks; }

#else

decltype(&add_blocks) best_add_blocks() { return add_blocks; }

#endif

}  // namespace

std::string sha256(std::string_view bytes, bool plain) {
  static const Constants constants;
  const auto add = plain ? add_blocks : best_add_blocks();
  auto state = constants.start;
  const uint64_t bits = uint64_t(bytes.size()) * 8;
  add(state, bytes.data(), bytes.size() / 64, constants.round);
  bytes.remove_prefix(bytes.size() / 64 * 64);
  std::string rest(bytes);
  rest += '\x80';
  rest.resize(rest.size() <= 56 ? 56 : 120, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) rest += char(bits >> shift);
  add(state, rest.data(), rest.size() / 64, constants.round);
  std::string out;
  for (uint32_t word : state)
    for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[(word >> shift) & 15];
  return out;
}

}  // namespace onward
