// The class whose centre is nearest; with priors that differ, by the score -d² + 2 log p in units of the spread within classes.
#include <cmath>

#include "onward/estimators/distance.h"

namespace onward {
namespace {

struct NearestCentroid {
  Tensor classes;
  Numbers centre, spread;
  std::optional<Numbers> prior;  // since 1.6
  Distance distance;
  bool euclidean = true;

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f("centroids_", centre, {"classes", "features"});
    f("class_prior_", prior, {"classes"});
    if (prior) f("within_class_std_dev_", spread, {"features"});
    f.choice("metric", euclidean, {{"euclidean", true}, {"manhattan", false}});
    if (f.ok()) distance.choose(f, "metric", euclidean ? "euclidean" : "manhattan", nullptr, centre);
  }
  Outputs operator()(Expr x) const {
    const Expr index = argmin(distance.comparable_in_order(x, centre));
    if (!prior) return classifier(classes, index, {});
    const Numbers unit = spread.map([](double s) { return s == 0 ? 1 : s; });
    const Numbers scaled = Numbers::of(centre.shape(), [&](int64_t i) { return centre[i] / unit[i % unit.size()]; });
    const Expr far = distance(x / unit, scaled);
    const Expr score = negated(far * far) + prior->map([](double p) { return 2 * std::log(p); });
    Outputs out = classifier(classes, alike() ? index : argmax(score), {});
    if (!euclidean) return out;
    const Expr likelihood = score - max(score);
    const Expr log_p = likelihood - log(sum(exp(likelihood)));
    out.decision_function = classes.size() == 2 ? columns(score, {1}) - columns(score, {0}) : score;
    out.predict_proba = exp(log_p), out.predict_log_proba = log_p;
    return out;
  }

 private:
  bool alike() const {  // as np.isclose says
    const double same = 1.0 / double(classes.size());
    return std::all_of(prior->begin(), prior->end(), [&](double p) { return std::abs(p - same) <= 1e-8 + 1e-5 * same; });
  }
};

}  // namespace

Definitions nearest_centroid_estimators() {
  return {
      reads<NearestCentroid>("sklearn.neighbors.NearestCentroid",
                             {.cases = {"()", "(metric='manhattan')", "(shrink_threshold=.1)", "(priors='empirical')"},
                              .data = "clean ratings",
                              .tolerance = 1e-12}),
  };
}

}  // namespace onward
