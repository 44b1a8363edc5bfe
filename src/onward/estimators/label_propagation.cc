// Label propagation and spreading: a row has the mean of the labels that the fitted rows ended with, weighted by how near they are.
#include "onward/estimators/fields.h"

namespace onward {

struct LabelPropagation {
  Numbers fitted, labels;  // (samples, features), (samples, classes)
  Tensor classes;
  bool nearest = false;
  double gamma = 20;
  int64_t k = 7;

  void learned(Fields& f) {
    f("X_", fitted, {"samples", "features"});
    f("label_distributions_", labels, {"samples", "classes"});
    f("classes_", classes, {"classes"});
    f.choice("kernel", nearest, {{"rbf", false}, {"knn", true}});
    f("gamma", gamma);
    f("n_neighbors", k);
    if (fitted && nearest && (k < 1 || k > fitted.dim(0))) f.bad("n_neighbors", text("is ", k, " of ", fitted.dim(0), " samples"));
  }
  Outputs operator()(Expr x) const {
    const Expr share = nearest ? sum(pick(labels, smallest(differences(x), k).indices), 1, false) : matmul(exp(-gamma * products(x)),
        labels);
    const Expr p = share / sum(share);  // of a row that is far from all: 0 / 0, as the library has it
    return classifier(classes, argmax(where(is_nan(p), 0.0, p)), {.predict_proba = p});
  }

 private:
  // Squared distances; differences, where equal ones must be equal.
  Expr differences(Expr x) const {
    const Expr off = reshaped(x, {0, 1, fitted.dim(1)}) - fitted;
    return sum(off * off, -1, false);
  }
  Expr products(Expr x) const {
    const int64_t m = fitted.dim(1);
    const Numbers squares = Numbers::of({fitted.dim(0)}, [&](int64_t i) {
      double sum = 0;
      for (int64_t j = 0; j < m; ++j) sum += fitted(i, j) * fitted(i, j);
      return sum;
    });
    return maximum(-2.0 * matmul(x, fitted.transposed()) + sum(x * x) + squares, 0.0);
  }
};

Definitions label_propagation_estimators() {
  Definitions all;
  for (std::string_view name : {"sklearn.semi_supervised.LabelPropagation", "sklearn.semi_supervised.LabelSpreading"})
    all.push_back(reads<LabelPropagation>(name, {.cases = {"(gamma=.5)", "(kernel='knn')"}, .data = "clean", .targets = "unlabelled",
                                                 .tolerance = 1e-12}));
  return all;
}

}  // namespace onward
