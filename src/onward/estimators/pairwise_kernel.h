// sklearn.metrics.pairwise.pairwise_kernels: how alike each row is to each of some learned rows.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

struct PairwiseKernel {
  enum class Kind { linear, poly, rbf, sigmoid, laplacian, cosine, chi2, additive_chi2, precomputed } kind = Kind::linear;
  std::optional<double> gamma, coef0, degree;  // left out: the kernel's own default

  // The parameter `kernel`; `gamma` is where the estimator keeps that parameter.
  void learned(Fields& f, std::string_view gamma_name = "gamma");
  Expr operator()(Expr x, const Numbers& fitted) const;  // (batch, rows of fitted)
};

}  // namespace onward
