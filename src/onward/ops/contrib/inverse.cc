// Inverse: of the matrices in the last two axes, by Gauss and Jordan with the largest pivots, in double.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

// Row operations on [a | out], out being the identity at first, until a is the identity. False for a singular matrix.
bool invert(std::vector<double>& a, std::vector<double>& out, int64_t n) {
  std::fill(out.begin(), out.end(), 0.0);
  for (int64_t i = 0; i < n; ++i) out[size_t(i * n + i)] = 1;
  for (int64_t k = 0; k < n; ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < n; ++i) if (std::fabs(a[size_t(i * n + k)]) > std::fabs(a[size_t(pivot * n + k)])) pivot = i;
    const double top = a[size_t(pivot * n + k)];
    if (top == 0) return false;
    for (auto* m : {&a, &out}) {
      if (pivot != k) std::swap_ranges(m->begin() + k * n, m->begin() + (k + 1) * n, m->begin() + pivot * n);
      for (int64_t j = 0; j < n; ++j) (*m)[size_t(k * n + j)] /= top;
    }
    for (int64_t i = 0; i < n; ++i) {
      const double factor = a[size_t(i * n + k)];
      if (i == k || factor == 0) continue;
      for (auto* m : {&a, &out}) for (int64_t j = 0; j < n; ++j) (*m)[size_t(i * n + j)] -= factor * (*m)[size_t(k * n + j)];
    }
  }
  return true;
}

struct Inverse : contrib::Inverse {
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() < 2 || (x.back() != x[x.size() - 2] && !is_symbol(x.back()) && !is_symbol(x[x.size() - 2]))) invalid("expected square matrices, found shape ", shown(x));
    io.output(0, x);
  }
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const int64_t n = x.dims.back(), each = n * n;
    std::vector<double> matrix(static_cast<size_t>(each)), inverse(matrix);
    for (int64_t i = 0; each && i < x.size / each; ++i) {
      context.check();
      std::copy_n(x.data + i * each, each, matrix.begin());
      if (!invert(matrix, inverse, n)) invalid("matrix ", i, " is singular");
      for (int64_t k = 0; k < each; ++k) y[i * each + k] = T(inverse[size_t(k)]);
    }
  }
};

}  // namespace

Operators contrib_inverse() {
  return {define<Inverse, computed(Inverse::T)>({.tolerance = 1e-6, .examples = {"float [[0, 2], [4, 0]] -> float [[0, 0.25], [0.5, 0]]", "double [[[2]], [[4]]] -> double [[[0.5]], [[0.25]]]"}})};
}

}  // namespace onward::ops
