// Principal components in the space of a kernel, and the centring of kernels that they begin with.
#include <cmath>

#include "onward/estimators/pairwise_kernel.h"

namespace onward {

struct KernelCenterer {
  Numbers columns;  // the mean of each column of the fitted kernel
  double all = 0;   // and of the whole

  void learned(Fields& f) {
    f("K_fit_rows_", columns, {"features"});
    f("K_fit_all_", all);
    if (columns.size() == 0) f.bad("K_fit_rows_", "is empty");
  }
  Expr centred(Expr k) const { return k - columns - sum(k) / double(columns.size()) + all; }
  Outputs operator()(Expr k) const { return components(centred(k)); }
};

struct KernelPCA {
  PairwiseKernel kernel;
  Numbers fitted, directions;  // (samples, features); (samples, components)
  Estimator centerer;

  void learned(Fields& f) {
    kernel.learned(f, f.get("gamma_") ? "gamma_" : "gamma");  // since 1.3
    Numbers values;
    f("X_fit_", fitted, {"samples", "features"});
    f("eigenvalues_", values, {"components"});
    f("eigenvectors_", directions, {"samples", "components"});
    f("_centerer", centerer);
    if (!f.ok()) return;
    const KernelCenterer* own = centerer.as<KernelCenterer>();
    if (!own || own->columns.size() != fitted.dim(0)) return f.bad("_centerer", "is not of the fitted kernel");
    directions = Numbers::of(directions.shape(), [&](int64_t i) {
      const double v = values[i % values.size()];
      return v == 0 ? 0 : directions[i] / std::sqrt(v);
    });
  }
  Outputs operator()(Expr x) const { return components(matmul(centerer.as<KernelCenterer>()->centred(kernel(x, fitted)), directions)); }
};

Definitions kernel_pca_estimators() {
  return {
      reads<KernelCenterer>("sklearn.preprocessing.KernelCenterer", {.cases = {"()"}, .data = "square", .tolerance = 1e-12}),
      reads<KernelPCA>("sklearn.decomposition.KernelPCA",
                       {.cases = {"(2)", "(3, kernel='rbf')", "(3, kernel='rbf', gamma=0.1, eigen_solver='dense')", "(2, kernel='poly', degree=2)",
                                  "(2, kernel='sigmoid', gamma=0.01)", "(2, kernel='cosine')", "(2, kernel='laplacian')"},
                        .data = "clean",
                        .tolerance = 1e-12}),
  };
}

}  // namespace onward
