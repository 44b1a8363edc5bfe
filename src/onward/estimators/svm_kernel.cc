#include "onward/estimators/svm_kernel.h"

namespace onward {
namespace {

// |x - y|² = |x|² - 2xy + |y|², counted from the middle of the support vectors: then nothing large cancels.
Expr squared_distances(Expr x, const Numbers& vectors) {
  const int64_t n = vectors.dim(0), m = vectors.dim(1);
  std::vector<double> middle(size_t(m), 0.0);
  for (int64_t i = 0; i < vectors.size(); ++i) middle[size_t(i % m)] += vectors[i] / double(n);
  const Numbers centre = Numbers::of({m}, [&](int64_t j) { return middle[size_t(j)]; });
  const Numbers moved = Numbers::of({m, n}, [&](int64_t i) { return vectors[i % n * m + i / n] - middle[size_t(i / n)]; });  // one beside the other
  const Numbers squares = Numbers::of({n}, [&](int64_t i) {
    double sum = 0;
    for (int64_t j = 0; j < m; ++j) sum += moved(j, i) * moved(j, i);
    return sum;
  });
  x = x - centre;
  return maximum(sum(x * x) - 2.0 * matmul(x, moved) + squares, 0.0);
}

}  // namespace

void SvmKernel::learned(Fields& f) {
  if (const auto v = f.get("kernel"); v && v->str() == "precomputed")
    return f.refuse("kernel", "is 'precomputed'", "a caller has no kernel with the training rows; refit with a kernel by its name, such as 'rbf'");
  f("support_vectors_", vectors, {"vectors", "features"});
  f.choice("kernel", kind, {{"rbf", Kind::rbf}, {"linear", Kind::linear}, {"poly", Kind::poly}, {"sigmoid", Kind::sigmoid}});
  f("_gamma", gamma);
  f("coef0", coef0);
  f("degree", degree);
}

Expr SvmKernel::operator()(Expr x) const {
  if (kind == Kind::rbf) return exp(-gamma * squared_distances(x, vectors));
  const Expr product = matmul(x, vectors.transposed());
  if (kind == Kind::linear) return product;
  const Expr scaled = gamma * product + coef0;
  return kind == Kind::poly ? power(scaled, degree) : unary("Tanh", scaled);
}

}  // namespace onward
