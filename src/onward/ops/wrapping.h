// Arithmetic of elements: integers wrap around, as NumPy's do; C++ leaves the overflow of signed ones undefined.
#pragma once
#include <type_traits>

namespace onward::ops {

// Unsigned, and at least as wide as int: narrower ones would become signed again.
template <class T> using Wrapping = std::common_type_t<std::make_unsigned_t<T>, unsigned>;

template <class T> constexpr T sum(T a, T b) {
  if constexpr (std::is_integral_v<T>) return T(Wrapping<T>(a) + Wrapping<T>(b));
  else return a + b;
}
template <class T> constexpr T difference(T a, T b) {
  if constexpr (std::is_integral_v<T>) return T(Wrapping<T>(a) - Wrapping<T>(b));
  else return a - b;
}
template <class T> constexpr T times(T a, T b) {
  if constexpr (std::is_integral_v<T>) return T(Wrapping<T>(a) * Wrapping<T>(b));
  else return a * b;
}
template <class T> constexpr T negative(T a) {
  if constexpr (std::is_integral_v<T>) return difference(T(0), a);
  else return -a;
}

}  // namespace onward::ops
