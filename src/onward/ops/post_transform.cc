#include "onward/ops/post_transform.h"

#include <algorithm>
#include <cmath>

#include "onward/base/error.h"

namespace onward {
namespace {

template <class T> T logistic(T x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : 1 - 1 / (1 + std::exp(x)); }

// The quantile of the normal distribution: Winitzki's estimate of the inverse error function, then two steps of Halley's method.
double probit(double p) {
  if (!(p > 0 && p < 1)) return p == 0 ? -INFINITY : p == 1 ? INFINITY : std::nan("");
  const double y = 2 * p - 1, a = 0.147, l = std::log(1 - y * y), b = 2 / (M_PI * a) + l / 2;
  double x = std::copysign(std::sqrt(std::sqrt(b * b - l / a) - b), y) * std::sqrt(2.0);
  for (int i = 0; i < 2; ++i) {
    const double error = 0.5 * std::erfc(-x / std::sqrt(2.0)) - p, u = error * std::sqrt(2 * M_PI) * std::exp(x * x / 2);
    x -= u / (1 + x * u / 2);
  }
  return x;
}

template <class T> void softmax(std::span<T> scores, bool keep_zeros) {
  const T top = *std::max_element(scores.begin(), scores.end());
  T total = 0;
  for (T& s : scores) {
    if (keep_zeros && std::fabs(s) <= T(1e-7)) { s *= std::exp(-top); continue; }
    total += s = std::exp(s - top);
  }
  for (T& s : scores) s = total == 0 ? s : s / total;
}

}  // namespace

PostTransform post_transform_of(const std::string& name) {
  constexpr std::string_view names[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  for (size_t i = 0; i < std::size(names); ++i) if (names[i] == name) return PostTransform(i);
  fail(Code::bad_model, "post_transform is '", name, "', expected NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT");
}

void check_post_transform(int64_t number) {
  if (number < 0 || number > 4) fail(Code::bad_model, "post_transform is ", number, ", expected 0 to 4");
}

template <class T> void post_transform(std::span<T> scores, PostTransform kind) {
  if (scores.empty()) return;
  switch (kind) {
    case PostTransform::none: break;
    case PostTransform::softmax: softmax(scores, false); break;
    case PostTransform::softmax_zero: softmax(scores, true); break;
    case PostTransform::logistic: for (T& s : scores) s = logistic(s); break;
    case PostTransform::probit: for (T& s : scores) s = T(probit(double(s))); break;
  }
}

template <class T> void two_columns(T score, SecondClass how, PostTransform kind, T* out) {
  if (how == SecondClass::margin && kind == PostTransform::logistic) {
    out[0] = logistic(-score), out[1] = logistic(score);
  } else if (how == SecondClass::margin) {
    out[0] = -score, out[1] = score;
  } else {
    out[0] = 1 - score, out[1] = score;
  }
}

template void post_transform(std::span<float>, PostTransform);
template void post_transform(std::span<double>, PostTransform);
template void two_columns(float, SecondClass, PostTransform, float*);
template void two_columns(double, SecondClass, PostTransform, double*);

}  // namespace onward
