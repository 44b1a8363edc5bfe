// Isotonic regression: a monotone line through the knots that fitting left.
#pragma once
#include "onward/estimators/fields.h"
#include "onward/estimators/piecewise.h"

namespace onward {

struct IsotonicRegression {
  Piecewise line;
  double least = 0, most = 0;  // of what it was fitted on
  Beyond beyond = Beyond::nan;

  void learned(Fields& f);
  Expr value(Expr x) const;  // in the shape of x
  Outputs operator()(Expr x) const;
};

}  // namespace onward
