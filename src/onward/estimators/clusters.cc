// Clusters with centres: the nearest one, and the distance to each.
#include "onward/estimators/fields.h"

namespace onward {

struct KMeans {
  Numbers centers;

  void learned(Fields& f) { f("cluster_centers_", centers, {"clusters", "features"}); }
  Outputs operator()(Expr x) const {
    const Numbers squares = Numbers::of({centers.dim(0)}, [&](int64_t k) {
      double sum = 0;
      for (int64_t i = 0; i < centers.dim(1); ++i) sum += centers(k, i) * centers(k, i);
      return sum;
    });
    // |x|² is the same for all centres: the library leaves it out for labels.
    const Expr products = -2.0 * matmul(x, centers.transposed());
    const Expr distance = sqrt(maximum(products + sum(x * x) + squares, 0.0));
    Outputs out = components(distance);
    out.role = Outputs::Role::clusterer;
    out.predict = argmin(squares + products);
    out.distances = distance;
    return out;
  }
};

Definitions clusters_estimators() {
  return {
      reads<KMeans>("sklearn.cluster.KMeans", {.cases = {"(5, random_state=0, n_init=1)"}, .tolerance = 1e-12}),
      reads<KMeans>("sklearn.cluster.MiniBatchKMeans", {.cases = {"(5, random_state=0, n_init=1)"}, .tolerance = 1e-12}),
  };
}

}  // namespace onward
