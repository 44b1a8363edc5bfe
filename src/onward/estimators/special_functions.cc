#include "onward/estimators/special_functions.h"

#include <cmath>

namespace onward {

// ψ(x) = ψ(x + 1) - 1/x up to where the asymptotic series (Abramowitz and Stegun 6.3.18) is exact to the last bits.
double digamma(double x) {
  if (!(x > 0)) return std::nan("");
  double below = 0;
  for (; x < 12; ++x) below += 1 / x;
  const double s = 1 / (x * x);
  // B₂ₙ / 2n: 1/12, 1/120, 1/252, 1/240, 1/132, 691/32760, 1/12.
  const double series = s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132 - s * (691.0 / 32760 - s / 12))))));
  return std::log(x) - 0.5 / x - series - below;
}

}  // namespace onward
