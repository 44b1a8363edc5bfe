// k nearest neighbours: distances to every row of the training data, the k smallest, a vote or a mean. Differences, not
// x² - 2xy + y²: what is equally far must stay equally far.
#include <cmath>

#include "onward/estimators/fields.h"

namespace onward {
namespace {

struct Neighbors {
  enum class Weights { uniform, distance } weights = Weights::uniform;
  enum class Metric { euclidean, manhattan, minkowski, chebyshev, cosine } metric = Metric::euclidean;
  Numbers fitted;
  int64_t k = 5;
  double p = 2;  // of minkowski

  void learned(Fields& f) {
    f("_fit_X", fitted, {"samples", "features"});
    f("n_neighbors", k);
    if (fitted && (k < 1 || k > fitted.dim(0))) f.bad("n_neighbors", text("is ", k, " of ", fitted.dim(0), " samples"));
    f.choice("weights", weights, {{"uniform", Weights::uniform}, {"None", Weights::uniform}, {"distance", Weights::distance}});
    f.choice("effective_metric_", metric,
             {{"euclidean", Metric::euclidean},
              {"l2", Metric::euclidean},
              {"manhattan", Metric::manhattan},
              {"l1", Metric::manhattan},
              {"cityblock", Metric::manhattan},
              {"minkowski", Metric::minkowski},
              {"chebyshev", Metric::chebyshev},
              {"infinity", Metric::chebyshev},
              {"cosine", Metric::cosine}});
    if (metric != Metric::minkowski) return;
    const auto parameters = f.get("effective_metric_params_");
    if (const auto v = parameters ? parameters->find("p") : std::nullopt) f.assign("effective_metric_params_['p']", *v, p, {});
    if (const auto w = parameters ? parameters->find("w") : std::nullopt; w && !w->is(plain::Kind::none))
      f.refuse("metric_params", "holds weights w", "convertible: minkowski without weights; scale the columns instead");
  }

  struct Found {
    Expr rows, weights, distances;  // (batch, k) each
  };
  Found nearest(Expr x) const {
    const auto [ordered, indices] = smallest(comparable(x), k);
    const Expr distance = metric == Metric::euclidean ? sqrt(ordered) : metric == Metric::minkowski ? power(ordered, 1 / p) : ordered;
    if (weights == Weights::uniform) return {indices, cast(equal(indices, indices), DataType::f64), distance};
    // A neighbour at distance 0 has all the weight, shared with others like it.
    const Expr here = cast(equal(distance, 0.0), DataType::f64);
    return {indices, where(sum(here) > 0.0, here, 1.0 / distance), distance};
  }
  void also(Outputs& out, const Found& found) const { out.distances = found.distances, out.neighbors = found.rows; }

 private:
  // (batch, samples): in the order of the distance, cheaper where the order allows.
  Expr comparable(Expr x) const {
    if (metric == Metric::cosine) {
      const Numbers unit = Numbers::of(fitted.shape(), [&](int64_t i) { return fitted[i] / length(i / fitted.dim(1)); }).transposed();
      const Expr norm = sqrt(sum(x * x));
      return minimum(maximum(1.0 - matmul(x / where(equal(norm, 0.0), 1.0, norm), unit), 0.0), 2.0);
    }
    const Expr off = reshaped(x, {0, 1, fitted.dim(1)}) - fitted;  // (batch, samples, features)
    switch (metric) {
      case Metric::manhattan:
        return sum(abs(off), -1, false);
      case Metric::chebyshev:
        return max(abs(off), -1, false);
      case Metric::minkowski:
        return sum(power(abs(off), p), -1, false);
      default:
        return sum(off * off, -1, false);
    }
  }
  double length(int64_t row) const {
    double sum = 0;
    for (int64_t j = 0; j < fitted.dim(1); ++j) sum += fitted(row, j) * fitted(row, j);
    return sum == 0 ? 1 : std::sqrt(sum);
  }
};

}  // namespace

struct KNeighborsClassifier : Neighbors {
  std::vector<Tensor> classes;  // one for each target
  Array<int64_t> label;         // (samples, targets)
  bool several = false;

  void learned(Fields& f) {
    Neighbors::learned(f);
    f.since("outputs_2d_", several);
    if (several) f("classes_", classes, {"targets"});
    else f("classes_", classes.emplace_back());
    f("_y", label);
    if (!label || !fitted) return;
    if (label.shape().size() == 1) label = label.reshaped({label.size(), 1});
    f.check("_y", label.shape(), {"samples", "targets"});
    if (!f.ok()) return;
    for (int64_t i = 0; i < label.size(); ++i)
      if (label[i] < 0 || label[i] >= classes[size_t(i % label.dim(1))].size())
        return f.bad("_y", text("holds class ", label[i], " of ", classes[size_t(i % label.dim(1))].size()));
  }
  Outputs operator()(Expr x) const {
    const Found found = nearest(x);
    Outputs out = several ? Outputs{.role = Outputs::Role::classifier, .classes = classes}
                          : classifier(classes[0], {.predict_proba = probabilities(found, 0)});
    also(out, found);
    if (!several) return out;
    std::vector<Expr> labels;
    for (size_t t = 0; t < classes.size(); ++t) {
      out.probabilities_each.push_back(probabilities(found, t));
      labels.push_back(reshaped(pick(classes[t], argmax(out.probabilities_each.back())), {rows, 1}));
    }
    out.predict = concat(labels);
    return out;
  }

 private:
  Expr probabilities(const Found& found, size_t target) const {
    const int64_t n = classes[target].size();
    const Numbers votes = Numbers::of({label.dim(0), n}, [&](int64_t i) { return label(i / n, int64_t(target)) == i % n ? 1.0 : 0.0; });
    const Expr total = sum(pick(votes, found.rows) * reshaped(found.weights, {0, 0, 1}), 1, false);  // (batch, classes)
    return total / sum(total);
  }
};

struct KNeighborsRegressor : Neighbors {
  Numbers target;  // (samples) or (samples, targets)

  void learned(Fields& f) {
    Neighbors::learned(f);
    f("_y", target);
    if (target) f.check("_y", target.shape(), target.shape().size() == 1 ? DimNames{"samples"} : DimNames{"samples", "targets"});
  }
  Outputs operator()(Expr x) const {
    const Found found = nearest(x);
    const bool several = target.shape().size() == 2;
    const Expr each = pick(target, found.rows), weight = several ? reshaped(found.weights, {0, 0, 1}) : found.weights;
    const Expr y = weights == Weights::uniform ? sum(each, 1, false) / double(k) : sum(each * weight, 1, false) / sum(weight, 1, false);
    Outputs out = regressor(y);
    also(out, found);
    return out;
  }
};

Definitions neighbors_estimators() {
  return {
      reads<KNeighborsClassifier>("sklearn.neighbors.KNeighborsClassifier",
                                  {.cases = {"()", "(weights='distance')", "(n_neighbors=3, metric='manhattan')", "(p=3)",
                                             "(metric='chebyshev')", "(metric='cosine')", "(algorithm='brute', weights='distance')"},
                                   .tolerance = 1e-12}),
      reads<KNeighborsClassifier>("sklearn.neighbors.KNeighborsClassifier",
                                  {.cases = {"()", "(weights='distance')"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
      reads<KNeighborsRegressor>("sklearn.neighbors.KNeighborsRegressor", {.cases = {"()", "(weights='distance')"}, .tolerance = 1e-12}),
      reads<KNeighborsRegressor>("sklearn.neighbors.KNeighborsRegressor",
                                 {.cases = {"()", "(weights='distance')"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
  };
}

}  // namespace onward
