#include "onward/graph/elementary_functions.h"

#include <cmath>

namespace onward {
namespace {

bool wide(const Expr& x) { return x.type() == DataType::f64; }
Expr sign(const Expr& x) { return unary("Sign", x); }

// Σ cₙ xⁿ, from the last term.
template <class Coefficient>
Expr series(const Expr& x, int last, Coefficient c) {
  Expr y = c(last) * x + c(last - 1);
  for (int n = last - 2; n >= 0; --n) y = y * x + c(n);
  return y;
}

// Where squares would overflow.
constexpr double huge = 1e150;

}  // namespace

// Accurate near 0, where 1 + x would lose x: log(u)·x/(u - 1) with u = 1 + x rounded.
Expr log1p(const Expr& x) {
  const Expr u = 1.0 + x, off = u - 1.0;
  return where(equal(off, 0.0), x, where(equal(u, HUGE_VAL), u, log(u) * (x / off)));
}
Expr expm1(const Expr& x) {
  const Expr u = exp(x), off = u - 1.0;
  return where(equal(off, 0.0), x, where(either(equal(off, -1.0), equal(u, HUGE_VAL)), off, off * (x / log(u))));
}

// Near 0 its power series; further out 1 - exp(-x²)·q(t), where q interpolates exp(x²)·erfc(x) between ½ and 6 in the 17 Chebyshev nodes of
// (x - 3) / (x + 3), which t scales to [-1, 1]. Beyond 6 it is 1.
Expr erf(const Expr& x) {
  if (!wide(x)) return unary("Erf", x);
  constexpr double q[] = {0.25118972650283997,    -0.22957722398080096,   0.095688916796611776,  -0.030773151360250423,  0.0073018805343302695, -0.0011237792325016587,
                          5.600763657080313e-5,   1.7524316031826286e-5,  -3.1799279032096289e-6, -2.6411523532859274e-7, 1.0805516138284908e-7, 6.4740445958426582e-9,
                          -3.7265194206530783e-9, -3.1329021604196019e-10, 1.29278188386366e-10,  1.5808419919948013e-11, -3.6376420180936788e-12};
  const Expr near = x * series(x * x, 13, [](int n) { return (n % 2 ? -M_2_SQRTPI : M_2_SQRTPI) / (std::tgamma(n + 1.0) * (2 * n + 1)); });
  const Expr a = abs(x), c = where(a < 6.0, a, 6.0), t = ((c - 3.0) / (c + 3.0) + 4.0 / 21) / (11.0 / 21);
  const Expr far = sign(x) * (1.0 - exp(negated(c * c)) * series(t, 16, [&](int n) { return q[n]; }));
  return where(a < 0.5, near, where(is_nan(x), x, far));
}

Expr tan(const Expr& x) { return wide(x) ? unary("Sin", x) / unary("Cos", x) : unary("Tan", x); }

// Halving the angle twice brings the tangent below 0.199, where twelve terms of the power series are enough.
Expr atan(const Expr& x) {
  if (!wide(x)) return unary("Atan", x);
  const Expr a = abs(x), outside = a > 1.0;
  Expr b = where(outside, 1.0 / a, a);
  for (int half = 0; half < 2; ++half) b = b / (1.0 + sqrt(1.0 + b * b));
  const Expr angle = 4.0 * (b * series(b * b, 11, [](int n) { return (n % 2 ? -1.0 : 1.0) / (2 * n + 1); }));
  return sign(x) * where(outside, M_PI_2 - angle, angle);
}
Expr asin(const Expr& x) { return wide(x) ? 2.0 * atan(x / (1.0 + sqrt((1.0 - x) * (1.0 + x)))) : unary("Asin", x); }
Expr acos(const Expr& x) { return wide(x) ? 2.0 * atan(sqrt((1.0 - x) / (1.0 + x))) : unary("Acos", x); }

Expr sinh(const Expr& x) {
  if (!wide(x)) return unary("Sinh", x);
  const Expr a = abs(x), e = expm1(a), root = exp(0.5 * a);
  return sign(x) * where(a > 22.0, (0.5 * root) * root, 0.5 * (e + e / (e + 1.0)));
}
Expr cosh(const Expr& x) {
  if (!wide(x)) return unary("Cosh", x);
  const Expr root = exp(0.5 * abs(x));
  return (0.5 * root) * root + 0.5 / (root * root);
}
Expr asinh(const Expr& x) {
  if (!wide(x)) return unary("Asinh", x);
  const Expr a = abs(x), square = a * a;
  return sign(x) * where(a > huge, log(a) + M_LN2, log1p(a + square / (1.0 + sqrt(1.0 + square))));
}
Expr acosh(const Expr& x) {
  if (!wide(x)) return unary("Acosh", x);
  const Expr t = x - 1.0;
  return where(x < 1.0, std::nan(""), where(x > huge, log(x) + M_LN2, log1p(t + sqrt(t * (t + 2.0)))));
}
Expr atanh(const Expr& x) {
  if (!wide(x)) return unary("Atanh", x);
  const Expr a = abs(x);
  return sign(x) * (0.5 * log1p(2.0 * a / (1.0 - a)));
}

}  // namespace onward
