#include "onward/ops/random.h"

#include <bit>
#include <cmath>
#include <utility>

namespace onward {

// A whole seed is taken as it is; any other float by its bits.
static uint32_t seed_of(std::optional<double> seed) {
  if (!seed) return std::random_device{}();
  if (*seed == std::floor(*seed) && std::fabs(*seed) < 4294967296.0) return uint32_t(int64_t(*seed));
  return std::bit_cast<uint32_t>(float(*seed));
}

Random::Random(std::optional<double> seed) : twister_(seed_of(seed)) {}

double Random::uniform() {
  const uint32_t high = twister_() >> 5, low = twister_() >> 6;
  return (double(high) * 67108864.0 + double(low)) / 9007199254740992.0;
}

// Marsaglia's polar method: two at a time.
double Random::normal() {
  if (spare_) return *std::exchange(spare_, std::nullopt);
  double x = 0, y = 0, r = 0;
  do x = 2 * uniform() - 1, y = 2 * uniform() - 1, r = x * x + y * y; while (r >= 1 || r == 0);
  const double f = std::sqrt(-2 * std::log(r) / r);
  spare_ = f * x;
  return f * y;
}

}  // namespace onward
