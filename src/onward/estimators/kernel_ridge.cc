// Ridge regression in the space of a kernel: kernels with the training data, weighted.
#include "onward/estimators/pairwise_kernel.h"

namespace onward {
namespace {

struct KernelRidge {
  PairwiseKernel kernel;
  Numbers fitted, dual;  // dual: (samples) or (samples, targets)

  void learned(Fields& f) {
    kernel.learned(f);
    f("X_fit_", fitted, {"samples", "features"});
    f("dual_coef_", dual);
    if (dual) f.check("dual_coef_", dual.shape(), dual.shape().size() == 1 ? DimNames{"samples"} : DimNames{"samples", "targets"});
  }
  Outputs operator()(Expr x) const {
    if (dual.shape().size() == 2) return regressor(matmul(kernel(x, fitted), dual));
    return regressor(reshaped(matmul(kernel(x, fitted), dual.reshaped({dual.size(), 1})), {rows}));
  }
};

}  // namespace

Definitions kernel_ridge_estimators() {
  return {
      reads<KernelRidge>("sklearn.kernel_ridge.KernelRidge",
                         {.cases = {"(kernel='rbf')", "(kernel='laplacian', gamma=.1)", "(kernel='cosine')"},
                          .data = "clean ratings",
                          .tolerance = 1e-12}),
      // Five hundred terms of either sign and the size of a product of rows.
      reads<KernelRidge>("sklearn.kernel_ridge.KernelRidge",
                         {.cases = {"()", "(kernel='poly', degree=2, gamma=.1)", "(kernel='sigmoid', gamma=.01)"},
                          .data = "clean",
                          .tolerance = 1e-11}),
      reads<KernelRidge>("sklearn.kernel_ridge.KernelRidge",
                         {.cases = {"(kernel='chi2', gamma=.1)", "(kernel='additive_chi2')"}, .data = "counts", .tolerance = 1e-11}),
      reads<KernelRidge>("sklearn.kernel_ridge.KernelRidge",
                         {.cases = {"(kernel='rbf')"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
  };
}

}  // namespace onward
