// The kernels of support vector machines: how alike each row is to each support vector.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

struct SvmKernel {
  enum class Kind { linear, poly, rbf, sigmoid } kind = Kind::rbf;
  Numbers vectors;  // (vectors, features)
  double gamma = 0, coef0 = 0, degree = 3;

  void learned(Fields& f);
  Expr operator()(Expr x) const;  // (batch, vectors)
};

}  // namespace onward
