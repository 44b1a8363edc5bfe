// Linear projections: x·componentsᵀ, centred and scaled.
#include <cmath>
#include <limits>

#include "onward/estimators/fields.h"

namespace onward {

struct PCA {
  Numbers directions, mean;
  std::optional<Numbers> variance;  // whose root the projection is divided by
  bool narrow = false;              // fitted on float32
  bool centre_first = false;        // until 1.4

  void learned(Fields& f) {
    f("components_", directions, {"components", "features"});
    f("mean_", mean, {"features"});
    bool whiten = false;
    f("whiten", whiten);
    if (whiten) f("explained_variance_", variance, {"components"});
    narrow = f.float32("explained_variance_");
    centre_first = f.version() > 0 && f.version() < 104;
  }
  Outputs operator()(Expr x) const {
    Expr y = centre_first ? matmul(x - mean, directions.transposed()) : matmul(x, directions.transposed()) - projected_mean();
    if (variance) y = y / variance->map([&](double v) { return narrow ? spread<float>(v) : spread<double>(v); });
    return components(y);
  }

 private:
  template <class T>
  static double spread(double variance) {
    return std::max(std::sqrt(T(variance)), std::numeric_limits<T>::epsilon());
  }
  Numbers projected_mean() const {
    return Numbers::of({directions.dim(0)}, [&](int64_t k) {
      double sum = 0;
      for (int64_t i = 0; i < mean.size(); ++i) sum += mean[i] * directions(k, i);
      return sum;
    });
  }
};

struct TruncatedSVD {
  Numbers directions;

  void learned(Fields& f) { f("components_", directions, {"components", "features"}); }
  Outputs operator()(Expr x) const { return components(matmul(x, directions.transposed())); }
};

Definitions decomposition_estimators() {
  return {
      reads<PCA>("sklearn.decomposition.PCA", {.cases = {"()", "(2)", "(3, whiten=True)"}, .tolerance = 1e-12}),
      reads<PCA>("sklearn.decomposition.IncrementalPCA", {.cases = {"(2)"}, .tolerance = 1e-12}),
      reads<TruncatedSVD>("sklearn.decomposition.TruncatedSVD", {.cases = {"(2, random_state=0)"}, .tolerance = 1e-12}),
  };
}

}  // namespace onward
