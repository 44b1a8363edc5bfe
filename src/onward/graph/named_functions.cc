#include "onward/graph/named_functions.h"

#include <cmath>

#include "onward/graph/elementary_functions.h"

namespace onward {
namespace {

using Given = std::span<const Expr>;

Expr sign(Expr x) { return unary("Sign", x); }
Expr is_infinite(Expr x) { return equal(abs(x), HUGE_VAL); }
// log(exp(a) + exp(b)) without overflow; equal infinities are their own sum.
Expr logaddexp(Expr a, Expr b) {
  const Expr larger = maximum(a, b), off = negated(abs(a - b));
  return where(equal(a, b), a + M_LN2, larger + log1p(exp(off)));
}
// The larger in front: no square overflows that the answer does not.
Expr hypot(Expr a, Expr b) {
  const Expr large = maximum(abs(a), abs(b)), small = minimum(abs(a), abs(b)), ratio = where(equal(large, 0.0), large, small / large);
  return where(either(is_infinite(a), is_infinite(b)), HUGE_VAL, large * sqrt(1.0 + ratio * ratio));
}

Expr polynomial(Expr x, std::initializer_list<double> coefficients) {  // the highest power's first
  const double* c = coefficients.begin();
  Expr y = *c * x + c[1];
  for (c += 2; c != coefficients.end(); ++c) y = y * x + *c;
  return y;
}
// The inverse of the normal distribution by Cephes' rational approximations: of p - ½ in the middle, of the root of -2 log p outside.
Expr ndtri(Expr p) {
  constexpr double outside = 0.13533528323661269189, root_of_2pi = 2.50662827463100050242;
  const Expr high = p > 1.0 - outside, tail = where(high, 1.0 - p, p);
  const Expr y = tail - 0.5, square = y * y;
  const Expr middle = (y + y * (square *
                                polynomial(square, {-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1,
                                                    1.39312609387279679503e1, -1.23916583867381258016e0}) /
                                polynomial(square, {1, 1.95448858338141759834e0, 4.67627912898881538453e0, 8.63602421390890590575e1,
                                                    -2.25462687854119370527e2, 2.00260212380060660359e2, -8.20372256168333339912e1,
                                                    1.59056225126211695515e1, -1.18331621121330003142e0}))) *
                      root_of_2pi;
  const Expr x = sqrt(-2.0 * log(tail)), z = 1.0 / x;
  const Expr near = z *
                    polynomial(z, {4.05544892305962419923e0, 3.15251094599893866154e1, 5.71628192246421288162e1, 4.40805073893200834700e1,
                                   1.46849561928858024014e1, 2.18663306850790267539e0, -1.40256079171354495875e-1,
                                   -3.50424626827848203418e-2, -8.57456785154685413611e-4}) /
                    polynomial(z, {1, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1,
                                   1.50425385692907503408e1, 2.50464946208309415979e0, -1.42182922854787788574e-1,
                                   -3.80806407691578277194e-2, -9.33259480895457427372e-4});
  const Expr far = z *
                   polynomial(z, {3.23774891776946035970e0, 6.91522889068984211695e0, 3.93881025292474443415e0, 1.33303460815807542389e0,
                                  2.01485389549179081538e-1, 1.23716634817820021358e-2, 3.01581553508235416007e-4, 2.65806974686737550832e-6,
                                  6.23974539184983293730e-9}) /
                   polynomial(z, {1, 6.02427039364742014255e0, 3.67983563856160859403e0, 1.37702099489081330271e0, 2.16236993594496635890e-1,
                                  1.34204006088543189037e-2, 3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9});
  const Expr beyond = where(equal(tail, 0.0), HUGE_VAL, x - log(x) / x - where(x < 8.0, near, far));
  return where(tail > outside, middle, where(high, beyond, negated(beyond)));
}

constexpr NamedFunction all[] = {
    {"abs", 1, [](Given x) { return abs(x[0]); }},
    {"absolute", 1, [](Given x) { return abs(x[0]); }},
    {"fabs", 1, [](Given x) { return abs(x[0]); }},
    {"negative", 1, [](Given x) { return negated(x[0]); }},
    {"positive", 1, [](Given x) { return x[0]; }},
    {"reciprocal", 1, [](Given x) { return 1.0 / x[0]; }},
    {"square", 1, [](Given x) { return x[0] * x[0]; }},
    {"sqrt", 1, [](Given x) { return sqrt(x[0]); }},
    {"cbrt", 1, [](Given x) { return sign(x[0]) * power(abs(x[0]), 1.0 / 3); }},
    {"sign", 1, [](Given x) { return sign(x[0]); }},
    {"exp", 1, [](Given x) { return exp(x[0]); }},
    {"exp2", 1, [](Given x) { return power(2.0, x[0]); }},
    {"expm1", 1, [](Given x) { return expm1(x[0]); }},
    {"log", 1, [](Given x) { return log(x[0]); }},
    {"log2", 1, [](Given x) { return log(x[0]) / M_LN2; }},
    {"log10", 1, [](Given x) { return log(x[0]) / M_LN10; }},
    {"log1p", 1, [](Given x) { return log1p(x[0]); }},
    {"floor", 1, [](Given x) { return unary("Floor", x[0]); }},
    {"ceil", 1, [](Given x) { return unary("Ceil", x[0]); }},
    {"rint", 1, [](Given x) { return unary("Round", x[0]); }},
    {"trunc", 1, [](Given x) { return sign(x[0]) * unary("Floor", abs(x[0])); }},
    {"fix", 1, [](Given x) { return sign(x[0]) * unary("Floor", abs(x[0])); }},
    {"sin", 1, [](Given x) { return unary("Sin", x[0]); }},
    {"cos", 1, [](Given x) { return unary("Cos", x[0]); }},
    {"tan", 1, [](Given x) { return tan(x[0]); }},
    {"arcsin", 1, [](Given x) { return asin(x[0]); }},
    {"arccos", 1, [](Given x) { return acos(x[0]); }},
    {"arctan", 1, [](Given x) { return atan(x[0]); }},
    {"sinh", 1, [](Given x) { return sinh(x[0]); }},
    {"cosh", 1, [](Given x) { return cosh(x[0]); }},
    {"tanh", 1, [](Given x) { return unary("Tanh", x[0]); }},
    {"arcsinh", 1, [](Given x) { return asinh(x[0]); }},
    {"arccosh", 1, [](Given x) { return acosh(x[0]); }},
    {"arctanh", 1, [](Given x) { return atanh(x[0]); }},
    {"deg2rad", 1, [](Given x) { return x[0] * (M_PI / 180); }},
    {"radians", 1, [](Given x) { return x[0] * (M_PI / 180); }},
    {"rad2deg", 1, [](Given x) { return x[0] * (180 / M_PI); }},
    {"degrees", 1, [](Given x) { return x[0] * (180 / M_PI); }},
    {"isnan", 1, [](Given x) { return is_nan(x[0]); }},
    {"isinf", 1, [](Given x) { return is_infinite(x[0]); }},
    {"isfinite", 1, [](Given x) { return negation(either(is_nan(x[0]), is_infinite(x[0]))); }},
    {"add", 2, [](Given x) { return x[0] + x[1]; }},
    {"subtract", 2, [](Given x) { return x[0] - x[1]; }},
    {"multiply", 2, [](Given x) { return x[0] * x[1]; }},
    {"divide", 2, [](Given x) { return x[0] / x[1]; }},
    {"power", 2, [](Given x) { return power(x[0], x[1]); }},
    {"maximum", 2, [](Given x) { return maximum(x[0], x[1]); }},
    {"minimum", 2, [](Given x) { return minimum(x[0], x[1]); }},
    {"hypot", 2, [](Given x) { return hypot(x[0], x[1]); }},
    {"logaddexp", 2, [](Given x) { return logaddexp(x[0], x[1]); }},
    {"clip", 3, [](Given x) { return minimum(maximum(x[0], x[1]), x[2]); }},
    {"expit", 1, [](Given x) { return sigmoid(x[0]); }, "scipy.special"},
    {"logit", 1, [](Given x) { return log(x[0] / (1.0 - x[0])); }, "scipy.special"},
    {"log_expit", 1, [](Given x) { return minimum(x[0], 0.0) - log1p(exp(negated(abs(x[0])))); }, "scipy.special"},
    {"erf", 1, [](Given x) { return erf(x[0]); }, "scipy.special"},
    {"ndtri", 1, [](Given x) { return ndtri(x[0]); }, "scipy.special"},
    {"xlogy", 2, [](Given x) { return where(both(equal(x[0], 0.0), negation(is_nan(x[1]))), 0.0, x[0] * log(x[1])); }, "scipy.special"},
    {"exp10", 1, [](Given x) { return power(10.0, x[0]); }, "scipy.special"},
};

}  // namespace

std::span<const NamedFunction> named_functions() { return all; }

const NamedFunction* named_function(std::string_view name) {
  for (const NamedFunction& f : all)
    if (f.name == name) return &f;
  return nullptr;
}

}  // namespace onward
