#include "onward/estimators/pairwise_kernel.h"

#include <cmath>

namespace onward {
namespace {

Numbers sums_of_squares(const Numbers& rows) {
  return Numbers::of({rows.dim(0)}, [&](int64_t i) {
    double sum = 0;
    for (int64_t j = 0; j < rows.dim(1); ++j) sum += rows(i, j) * rows(i, j);
    return sum;
  });
}
// As the library adds it up: its answer has the rounding of this form.
Expr squared_distances(Expr x, const Numbers& fitted) {
  return maximum(-2.0 * matmul(x, fitted.transposed()) + sum(x * x) + sums_of_squares(fitted), 0.0);
}
Expr each_with_each(Expr x, int64_t features) { return reshaped(x, {0, 1, features}); }  // (batch, 1, features)

Expr additive_chi2(Expr x, const Numbers& fitted) {
  const Expr a = each_with_each(x, fitted.dim(1)), off = a - fitted, both = a + fitted;
  return negated(sum(where(equal(both, 0.0), 0.0, off * off / both), -1, false));
}
Expr cosine(Expr x, const Numbers& fitted) {
  constexpr double nothing = 10 * 2.220446049250313e-16;
  const Numbers squares = sums_of_squares(fitted);
  const Numbers unit = Numbers::of(fitted.shape(), [&](int64_t i) {
    const double length = std::sqrt(squares[i / fitted.dim(1)]);
    return length < nothing ? fitted[i] : fitted[i] / length;
  });
  const Expr length = sqrt(sum(x * x));
  return matmul(x / where(length < nothing, 1.0, length), unit.transposed());
}

}  // namespace

void PairwiseKernel::learned(Fields& f, std::string_view gamma_name) {
  f.choice("kernel", kind,
           {{"linear", Kind::linear},
            {"poly", Kind::poly},
            {"polynomial", Kind::poly},
            {"rbf", Kind::rbf},
            {"sigmoid", Kind::sigmoid},
            {"laplacian", Kind::laplacian},
            {"cosine", Kind::cosine},
            {"chi2", Kind::chi2},
            {"additive_chi2", Kind::additive_chi2},
            {"precomputed", Kind::precomputed}});
  f(gamma_name, gamma);
  f("coef0", coef0);
  f("degree", degree);
  const auto more = f.get("kernel_params");
  for (const auto& [name, into] : {std::pair<std::string_view, std::optional<double>*>{"gamma", &gamma}, {"coef0", &coef0}, {"degree", &degree}})
    if (const auto v = more ? more->find(name) : std::nullopt; v && !*into) f.assign("kernel_params", *v, *into, {});
}

Expr PairwiseKernel::operator()(Expr x, const Numbers& fitted) const {
  if (kind == Kind::precomputed) return x;
  const double scale = gamma.value_or(1.0 / double(fitted.dim(1)));
  const auto product = [&] { return matmul(x, fitted.transposed()); };
  switch (kind) {
    case Kind::poly:
      return power(product() * scale + coef0.value_or(1), degree.value_or(3));
    case Kind::sigmoid:
      return unary("Tanh", product() * scale + coef0.value_or(1));
    case Kind::rbf:
      return exp(squared_distances(x, fitted) * -scale);
    case Kind::laplacian:
      return exp(sum(abs(each_with_each(x, fitted.dim(1)) - fitted), -1, false) * -scale);
    case Kind::cosine:
      return cosine(x, fitted);
    case Kind::additive_chi2:
      return additive_chi2(x, fitted);
    case Kind::chi2:
      return exp(additive_chi2(x, fitted) * gamma.value_or(1));
    default:
      return product();
  }
}

}  // namespace onward
