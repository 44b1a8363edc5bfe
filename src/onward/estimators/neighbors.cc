// k nearest neighbours: distances to every row of the training data, the k smallest, a vote or a mean.
#include <cmath>

#include "onward/estimators/distance.h"

namespace onward {
namespace {

struct Neighbors {
  enum class Weights { uniform, distance } weights = Weights::uniform;
  Distance distance;
  Numbers fitted;
  int64_t k = 5;

  void learned(Fields& f) {
    f("_fit_X", fitted, {"samples", "features"});
    f("n_neighbors", k);
    if (fitted && (k < 1 || k > fitted.dim(0))) f.bad("n_neighbors", text("is ", k, " of ", fitted.dim(0), " samples"));
    f.choice("weights", weights, {{"uniform", Weights::uniform}, {"None", Weights::uniform}, {"distance", Weights::distance}});
    distance.learned(f, "effective_metric_", "effective_metric_params_", fitted);
  }
  bool takes_missing(const Frame&) const { return distance.takes_missing(); }

  struct Found {
    Expr rows, weights, distances;  // (batch, k) each
  };
  Found nearest(Expr x) const {
    const auto [ordered, indices] = smallest(distance.comparable(x, fitted), k);
    const Expr far = distance.from_comparable(ordered);
    if (weights == Weights::uniform) return {indices, cast(equal(indices, indices), DataType::f64), far};
    // A neighbour at distance 0 has all the weight, shared with others like it.
    const Expr here = cast(equal(far, 0.0), DataType::f64);
    return {indices, where(sum(here) > 0.0, here, 1.0 / far), far};
  }
  void also(Outputs& out, const Found& found) const { out.distances = found.distances, out.neighbors = found.rows; }
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
      reads<KNeighborsClassifier>(
          "sklearn.neighbors.KNeighborsClassifier",
          {.cases = {"(metric='canberra')", "(metric='braycurtis', algorithm='brute')", "(metric='sqeuclidean', weights='distance')",
                     "(metric='correlation')", "(metric='seuclidean', metric_params={'V': [1, 2, 3, 4, 5.]})",
                     "(metric='mahalanobis', metric_params={'V': np.diag([1, 2, 3, 4, 5.]) + .3})",
                     "(p=3, metric_params={'w': [1, 2, 3, 4, 5.]}, weights='distance')"},
           .data = "clean",
           .targets = "binary",
           .tolerance = 1e-12}),
      // By distance the library weighs rows that are equal by what its sums leave of 0.
      reads<KNeighborsClassifier>("sklearn.neighbors.KNeighborsClassifier",
                                  {.cases = {"(metric='nan_euclidean')"}, .data = "missing", .targets = "binary", .tolerance = 1e-12}),
      reads<KNeighborsClassifier>("sklearn.neighbors.KNeighborsClassifier",
                                  {.cases = {"()", "(weights='distance')"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
      reads<KNeighborsRegressor>("sklearn.neighbors.KNeighborsRegressor", {.cases = {"()", "(weights='distance')"}, .tolerance = 1e-12}),
      // Distances of truths tie at the k-th by the thousand; with all of them there is no last one.
      reads<KNeighborsRegressor>(
          "sklearn.neighbors.KNeighborsRegressor",
          {.cases = {"(499, metric='jaccard', weights='distance')", "(499, metric='dice', weights='distance')",
                     "(499, metric='rogerstanimoto', weights='distance')", "(499, metric='russellrao', weights='distance')",
                     "(499, metric='sokalsneath', weights='distance')", "(499, metric='yule', weights='distance')",
                     "(499, metric='hamming', weights='distance')"},
           .data = "bools",
           .tolerance = 1e-12}),
      reads<KNeighborsRegressor>("sklearn.neighbors.KNeighborsRegressor",
                                 {.cases = {"()", "(weights='distance')"}, .data = "clean", .targets = "several", .tolerance = 1e-12}),
  };
}

}  // namespace onward
