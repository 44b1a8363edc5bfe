#include "onward/estimators/dense_algebra.h"

#include <cmath>

namespace onward {
namespace {

constexpr int64_t most_operations = int64_t{1} << 34;

void bound(int64_t n, int64_t m, int64_t k) {
  if (n > 0 && m > 0 && k > most_operations / n / m) fail(Code::limit_size, "a product of ", n, " x ", m, " x ", k, " numbers is too large to be worked out");
}

}  // namespace

Numbers product(const Numbers& a, const Numbers& b) {
  const int64_t n = a.dim(0), inner = a.dim(1), m = b.dim(1);
  if (b.dim(0) != inner) fail(Code::bad_file, "a matrix of ", shown(a.shape()), " meets one of ", shown(b.shape()));
  bound(n, inner, m);
  std::vector<double> out(size_t(n * m), 0.0);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < inner; ++k)
      for (int64_t j = 0; j < m; ++j) out[size_t(i * m + j)] += a.data()[i * inner + k] * b.data()[k * m + j];
  return Numbers({n, m}, out);
}

Numbers solved(const Numbers& a, const Numbers& b) {
  const int64_t n = a.dim(0), m = b.dim(1);
  if (a.dim(1) != n || b.dim(0) != n) fail(Code::bad_file, "a system of ", shown(a.shape()), " for ", shown(b.shape()));
  bound(n, n, n + m);
  std::vector<double> left(a.begin(), a.end()), right(b.begin(), b.end());
  const auto row = [](std::vector<double>& v, int64_t i, int64_t width) { return v.data() + i * width; };
  for (int64_t k = 0; k < n; ++k) {
    int64_t best = k;
    for (int64_t i = k + 1; i < n; ++i)
      if (std::abs(row(left, i, n)[k]) > std::abs(row(left, best, n)[k])) best = i;
    if (!(std::abs(row(left, best, n)[k]) > 0)) fail(Code::bad_file, "a learned matrix has no inverse");
    if (best != k) {
      std::swap_ranges(row(left, k, n), row(left, k, n) + n, row(left, best, n));
      std::swap_ranges(row(right, k, m), row(right, k, m) + m, row(right, best, m));
    }
    for (int64_t i = 0; i < n; ++i) {
      const double factor = i == k ? 0 : row(left, i, n)[k] / row(left, k, n)[k];
      if (factor == 0) continue;
      for (int64_t j = k; j < n; ++j) row(left, i, n)[j] -= factor * row(left, k, n)[j];
      for (int64_t j = 0; j < m; ++j) row(right, i, m)[j] -= factor * row(right, k, m)[j];
    }
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < m; ++j) row(right, i, m)[j] /= row(left, i, n)[i];
  return Numbers({n, m}, right);
}

}  // namespace onward
