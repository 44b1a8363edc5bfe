// Inverse: of the matrices in the last two axes, by Gauss and Jordan with the largest pivots, in double.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// A matrix becomes its inverse where it stands: a column that would become one of the identity holds that of the inverse instead. Rows
// are exchanged for the largest pivot, so columns are exchanged back at the end. False for a singular matrix.
struct InvertBody {
  [[gnu::always_inline]] static void run(double* a, int64_t* exchanged, int64_t n, bool* regular) {
    *regular = false;
    for (int64_t k = 0; k < n; ++k) {
      int64_t pivot = k;
      for (int64_t i = k + 1; i < n; ++i) if (std::fabs(a[i * n + k]) > std::fabs(a[pivot * n + k])) pivot = i;
      const double top = a[pivot * n + k];
      if (top == 0) return;
      exchanged[k] = pivot;
      double* __restrict const row = a + k * n;
      if (pivot != k) std::swap_ranges(row, row + n, a + pivot * n);
      row[k] = 1;
      for (int64_t j = 0; j < n; ++j) row[j] /= top;
      for (int64_t i = 0; i < n; ++i) {
        double* __restrict const other = a + i * n;
        const double factor = other[k];
        if (i == k || factor == 0) continue;
        other[k] = 0;
        for (int64_t j = 0; j < n; ++j) other[j] -= factor * row[j];
      }
    }
    for (int64_t k = n; k-- > 0;)
      if (exchanged[k] != k) for (int64_t i = 0; i < n; ++i) std::swap(a[i * n + k], a[i * n + exchanged[k]]);
    *regular = true;
  }
};

struct Inverse : contrib::Inverse {
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() < 2 || (x.back() != x[x.size() - 2] && !is_symbol(x.back()) && !is_symbol(x[x.size() - 2]))) invalid("expected square matrices, found shape ", shown(x));
    io.output(0, x);
  }
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const int64_t n = x.dims.back(), each = n * n;
    std::vector<double> matrix(static_cast<size_t>(each));
    std::vector<int64_t> exchanged(static_cast<size_t>(n));
    bool regular = true;
    for (int64_t i = 0; each && i < x.size / each; ++i) {
      context.check();
      std::copy_n(x.data + i * each, each, matrix.begin());
      simd::run<InvertBody, double>(matrix.data(), exchanged.data(), n, &regular);
      if (!regular) invalid("matrix ", i, " is singular");
      for (int64_t k = 0; k < each; ++k) y[i * each + k] = T(matrix[size_t(k)]);
    }
  }
};

}  // namespace

Operators contrib_inverse() {
  return {define<Inverse, computed(Inverse::T)>({.tolerance = 1e-6, .examples = {"float [[0, 2], [4, 0]] -> float [[0, 0.25], [0.5, 0]]", "double [[[2]], [[4]]] -> double [[[0.5]], [[0.25]]]"}})};
}

}  // namespace onward::ops
