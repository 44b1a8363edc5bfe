// LocalOutlierFactor for new rows: how much thinner it is around a row than around its nearest fitted ones.
#include "onward/estimators/distance.h"

namespace onward {

struct LocalOutlierFactor {
  Distance distance;
  Numbers fitted, density, reach;  // (samples, features); (samples); (samples): the distance to the k-th of each
  int64_t k = 20;
  double offset = -1.5;

  bool takes_missing(const Frame&) const { return false; }
  void learned(Fields& f) {
    bool novelty = false;
    f("novelty", novelty);
    if (!novelty) return f.refuse("novelty", "is False: the library answers for the rows that it was fitted on only", "fit with novelty=True");
    f("_fit_X", fitted, {"samples", "features"});
    f("n_neighbors_", k);
    f("offset_", offset);
    f("_lrd", density, {"samples"});
    Numbers distances;
    f("_distances_fit_X_", distances, {"samples", "neighbors"});
    distance.learned(f, "effective_metric_", "effective_metric_params_", fitted);
    if (!f.ok()) return;
    if (k < 1 || k > fitted.dim(0) || k > distances.dim(1)) return f.bad("n_neighbors_", text("is ", k, " of ", fitted.dim(0), " samples"));
    reach = Numbers::of({fitted.dim(0)}, [&](int64_t i) { return distances(i, k - 1); });
  }
  Outputs operator()(Expr x) const {
    const auto [ordered, near] = smallest(distance.comparable(x, fitted), k);
    const Expr reached = maximum(distance.from_comparable(ordered), pick(reach, near));
    const Expr own = 1.0 / (sum(reached) / double(k) + 1e-10);
    Outputs out{.role = Outputs::Role::outliers};
    out.score_samples = negated(sum(pick(density, near) / own, -1, false) / double(k));
    out.decision_function = *out.score_samples - offset;
    out.predict = where(*out.decision_function < 0.0, Array<int64_t>{-1}, Array<int64_t>{1});
    out.distances = distance.from_comparable(ordered), out.neighbors = near;
    return out;
  }
};

Definitions local_outlier_factor_estimators() {
  return {reads<LocalOutlierFactor>("sklearn.neighbors.LocalOutlierFactor",
                                    {.cases = {"(novelty=True)", "(5, novelty=True, contamination=.1, metric='manhattan')"},
                                     .data = "clean prices",
                                     .tolerance = 1e-12,
                                     .outputs = "label scores score_samples"})};
}

}  // namespace onward
