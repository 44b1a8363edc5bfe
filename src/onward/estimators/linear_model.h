// What linear models share: scores x·coefᵀ + intercept, and what becomes of them.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

struct LinearClassifier {
  Tensor classes;
  Numbers coef, intercept;

  void learned(Fields& f);
  bool binary() const { return coef.dim(0) == 1; }
  Expr scores(Expr x) const { return matmul(x, coef.transposed()) + intercept; }
  Expr one_against_rest(Expr z) const;
  Outputs operator()(Expr x) const { return classifier(classes, {.decision_function = scores(x)}); }
};

Expr beside(Expr p);      // (batch, 1) -> (batch, 2): [1 - p, p]
Expr normalised(Expr p);  // rows that are all zero become uniform

}  // namespace onward
