// Logarithm and trigonometry of floats, computed in double without branches: rounded once, they are the nearest float but for one
// in ten thousand, which is the next one. Of doubles they are the C library's.
//
// The polynomials have the least largest relative error on their interval, which stands beside them.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace onward::simd {

// ln x = k ln 2 + ln m, m from sqrt(1/2) to sqrt(2); ln m = 2 artanh((m - 1) / (m + 1)), 2^-37.
[[gnu::always_inline]] inline float log(float x) {
  const double wide = x;                             // no subnormal floats among doubles
  const uint64_t bits = std::bit_cast<uint64_t>(wide) - 0x3FE6A09E667F3BCDu;      // the exponent steps at sqrt(1/2)
  const double k = std::bit_cast<double>((bits >> 52 ^ 0x800) + 0x4330000000000000u) - (4503599627370496.0 + 2048.0);
  const double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu);
  const double s = (m - 1) / (m + 1), z = s * s;
  const double p = (((0.11809460348355455 * z + 0.14267455466563767) * z + 0.20000193526249788) * z + 0.33333332617321193) * z + 1.0000000000042335;
  const double y = k * 0.69314718055994531 + 2 * s * p;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return float(wide > 0 ? (wide < infinity ? y : wide) : wide == 0 ? -infinity : wide - wide == 0 || wide < 0 ? std::numeric_limits<double>::quiet_NaN() : wide);
}
inline double log(double x) { return std::log(x); }

// From what is left of an angle after q quarter turns, |r| <= pi/4: the sine of r + q pi/2 (2^-37).
[[gnu::always_inline]] inline double sine_of(double r, uint64_t q) {
  const double s = r * r;
  const double sine = r * ((((2.7171450729771811e-06 * s - 0.00019839177514134539) * s + 0.0083333286873431694) * s - 0.16666666630416957) * s + 0.99999999999544587);
  const double cosine = 1 - s * (((-2.4462733910345952e-05 * s + 0.0013887579483708647) * s - 0.041666650422461413) * s + 0.49999999968361725);
  return std::bit_cast<double>(std::bit_cast<uint64_t>(q & 1 ? cosine : sine) ^ (q & 2) << 62);
}
// An angle less its nearest quarter turns: pi/2 in two parts, of which the first has 33 bits, so that the first product is exact.
template <int more> [[gnu::always_inline]] inline float near_sine(float x) {
  constexpr double round = 6755399441055744.0;       // 1.5 * 2^52; the integer stands in the low bits of the sum
  const double sum = x * 0.63661977236758138 + round, k = sum - round;
  return float(sine_of((x - k * 1.57079632673412561417) - k * 6.07710050650619224932e-11, std::bit_cast<uint64_t>(sum) + more));
}
// Angles up to this are near; of others the C library knows.
inline constexpr float near_angle = 1 << 19;

// |x| <= 1: x P(x^2), 2^-34; beyond by pi/2 - atan(1/x).
[[gnu::always_inline]] inline float atan(float x) {
  const double wide = x, a = wide < 0 ? -wide : wide;
  const bool beyond = a > 1;
  const double t = beyond ? 1 / a : a, s = t * t, s2 = s * s, s4 = s2 * s2;
  const double low = (0.99999999994123601 - 0.33333331571205232 * s) + s2 * (0.19999912051354732 - 0.14283980761274939 * s);
  const double middle = (0.1109324129293614 - 0.089802393088648999 * s) + s2 * (0.072457189910452927 - 0.054279120443889967 * s);
  const double high = (0.034209623371046494 - 0.016111690977685986 * s) + s2 * (0.0048509376119846292 - 0.00068479309130675681 * s);
  const double p = t * (low + s4 * (middle + s4 * high)), y = beyond ? 1.5707963267948966 - p : p;
  return float(std::copysign(y, wide));
}
inline double atan(double x) { return std::atan(x); }

// The angle whose sine is a up to 1/2, and half the angle that is left to pi/2 beyond it: u P(u^2), 2^-36. NaN beyond 1.
[[gnu::always_inline]] inline double arc_sine(double a) {
  const double left = (1 - a) * 0.5, root = std::sqrt(left), u = a > 0.5 ? root : a, s = a > 0.5 ? left : a * a, s2 = s * s;
  const double low = (0.9999999999849033 + 0.16666667421668335 * s) + s2 * (0.074999381989081765 + 0.044662035588016673 * s);
  const double high = (0.030092208698005773 + 0.024711546348476721 * s) + s2 * (0.0072238172218632712 + 0.034951567355605562 * s);
  return u * (low + s2 * s2 * high);
}
[[gnu::always_inline]] inline float asin(float x) {
  const double wide = x, a = wide < 0 ? -wide : wide, angle = arc_sine(a);
  return float(std::copysign(a > 0.5 ? 1.5707963267948966 - 2 * angle : angle, wide));
}
[[gnu::always_inline]] inline float acos(float x) {
  const double wide = x, a = wide < 0 ? -wide : wide, angle = arc_sine(a);
  const double of_positive = a > 0.5 ? 2 * angle : 1.5707963267948966 - angle;
  return float(wide < 0 ? 3.1415926535897931 - of_positive : of_positive);
}
inline double asin(double x) { return std::asin(x); }
inline double acos(double x) { return std::acos(x); }

}  // namespace onward::simd
