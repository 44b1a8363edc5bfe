// Det: determinants of the last two axes, by elimination with the largest pivots, in double.
#include <cmath>
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

double determinant(std::vector<double>& a, int64_t n) {
  double out = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) if (std::fabs(a[size_t(i * n + k)]) > std::fabs(a[size_t(pivot * n + k)])) pivot = i;
    const double top = a[size_t(pivot * n + k)];
    if (top == 0) return 0;
    if (pivot != k) out = -out, std::swap_ranges(a.begin() + k * n, a.begin() + (k + 1) * n, a.begin() + pivot * n);
    out *= top;
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = a[size_t(i * n + k)] / top;
      for (int64_t j = k + 1; j < n; ++j) a[size_t(i * n + j)] -= factor * a[size_t(k * n + j)];
    }
  }
  return out;
}

struct Det : standard::Det {
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() < 2 || (x.back() != x[x.size() - 2] && !is_symbol(x.back()) && !is_symbol(x[x.size() - 2]))) invalid("expected square matrices, found shape ", shown(x));
    io.output(0, Dims(x.begin(), x.end() - 2));
  }
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const int64_t n = x.dims.back();
    std::vector<double> matrix(static_cast<size_t>(n * n));
    for (int64_t i = 0; i < y.size; ++i) {
      context.check();
      std::copy_n(x.data + i * n * n, n * n, matrix.begin());
      y[i] = T(determinant(matrix, n));
    }
  }
};

}  // namespace

Operators math_det() { return {define<Det, computed(Det::T)>({.examples = {"float [[0, 2], [3, 4]] -> float -6", "double [[[1, 2], [2, 4]]] -> double [0]"}})}; }

}  // namespace onward::ops
