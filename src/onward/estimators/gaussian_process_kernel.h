// Covariance functions of Gaussian processes (sklearn.gaussian_process.kernels), combined by sum, product and power.
#pragma once
#include "onward/estimators/fields.h"

namespace onward {

class GaussianProcessKernel {
 public:
  void learned(Fields& f, std::string_view name, const plain::Value& v);
  Expr operator()(Expr x, const Numbers& fitted) const;  // (batch, samples)
  Expr diagonal(Expr x) const;                           // (batch, 1): of each row with itself
  explicit operator bool() const { return root_ != nullptr; }

 private:
  struct Node;
  static std::shared_ptr<const Node> read(Fields& f, std::string_view name, const plain::Value& v, int depth, int64_t& left);
  std::shared_ptr<const Node> root_;
};

}  // namespace onward
