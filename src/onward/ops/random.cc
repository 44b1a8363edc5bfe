#include "onward/ops/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <utility>

#include "onward/simd/targets.h"

namespace onward {
namespace {

// A whole seed is taken as it is; any other float by its bits.
uint32_t seed_of(std::optional<double> seed) {
  if (!seed) return std::random_device{}();
  if (*seed == std::floor(*seed) && std::fabs(*seed) < 4294967296.0) return uint32_t(int64_t(*seed));
  return std::bit_cast<uint32_t>(float(*seed));
}

// The recurrence of MT19937 over its whole state, and the words that are drawn from it. It looks 397 words ahead, from where that leaves
// the state 227 back: further than any vector is long.
struct TwistBody {
  static constexpr int64_t n = 624, ahead = 397;
  [[gnu::always_inline]] static uint32_t mixed(uint32_t word, uint32_t next) {
    const uint32_t both = (word & 0x80000000u) | (next & 0x7fffffffu);
    return (both >> 1) ^ ((0u - (both & 1)) & 0x9908b0dfu);
  }
  [[gnu::always_inline]] static void run(uint32_t* s, uint32_t* drawn) {
    constexpr int64_t fresh = n - ahead;
#pragma GCC ivdep
    for (int64_t i = 0; i < fresh; ++i) s[i] = s[i + ahead] ^ mixed(s[i], s[i + 1]);
#pragma GCC ivdep
    for (int64_t i = fresh; i < n - 1; ++i) s[i] = s[i - fresh] ^ mixed(s[i], s[i + 1]);
    s[n - 1] = s[ahead - 1] ^ mixed(s[n - 1], s[0]);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      uint32_t w = s[i];
      w ^= w >> 11, w ^= (w << 7) & 0x9d2c5680u, w ^= (w << 15) & 0xefc60000u;
      drawn[i] = w ^ (w >> 18);
    }
  }
};

// 27 and 26 bits of two words, which fit signed numbers: every instruction set can make doubles of those.
struct UniformBody {
  [[gnu::always_inline]] static void run(const uint32_t* drawn, double* to, int64_t n) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) to[i] = (double(int32_t(drawn[2 * i] >> 5)) * 67108864.0 + double(int32_t(drawn[2 * i + 1] >> 6))) * 0x1p-53;
  }
};

}  // namespace

Random::Random(std::optional<double> seed) {
  state_[0] = seed_of(seed);
  for (uint32_t i = 1; i < words; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
}

void Random::refill() {
  simd::Compiled<TwistBody, uint32_t*, uint32_t*>::best(state_, drawn_);
  used_ = 0;
}

void Random::uniform(double* to, size_t n) {
  while (n > 0) {
    if (used_ == words) refill();
    const size_t now = std::min(n, (words - used_) / 2);
    simd::Compiled<UniformBody, const uint32_t*, double*, int64_t>::best(drawn_ + used_, to, int64_t(now));
    used_ += 2 * now, to += now, n -= now;
  }
}

// Marsaglia's polar method: a point of the unit disc makes two at a time. No more points are drawn at once than may be needed.
void Random::normal(double* to, size_t n) {
  if (n > 0 && spare_) *to++ = *std::exchange(spare_, std::nullopt), --n;
  while (n > 0) {
    constexpr size_t most = 256;
    double drawn[2 * most], x[most], y[most], r[most];
    const size_t points = std::min(most, (n + 1) / 2);
    uniform(drawn, 2 * points);
    size_t inside = 0;
    for (size_t i = 0; i < points; ++i) {
      x[inside] = 2 * drawn[2 * i] - 1, y[inside] = 2 * drawn[2 * i + 1] - 1;
      r[inside] = x[inside] * x[inside] + y[inside] * y[inside];
      inside += r[inside] < 1 && r[inside] != 0;
    }
    for (size_t i = 0; i < inside; ++i) {
      const double f = std::sqrt(-2 * std::log(r[i]) / r[i]);
      *to++ = f * y[i];
      if (n == 1) spare_ = f * x[i];
      else *to++ = f * x[i];
      n -= n == 1 ? 1 : 2;
    }
  }
}

}  // namespace onward
