// Gaussian mixtures: log of each component's weight and density, and of their sum. The Bayesian one differs by constants.
#include <cmath>

#include "onward/estimators/fields.h"
#include "onward/estimators/special_functions.h"

namespace onward {
namespace {

struct GaussianMixture {
  enum class Covariance { full, tied, diag, spherical } covariance = Covariance::full;
  Numbers mean, precision;  // precision: factors U with UUᵀ the inverse covariance, in the shape of the covariance's kind
  Numbers constant;         // what a component adds to its log density: its weight, for a start

  void learned(Fields& f) {
    read_shapes(f);
    f("weights_", constant, {"components"});
    if (f.ok()) constant = constant.map([](double w) { return std::log(w); });
  }
  Outputs operator()(Expr x) const {
    const double d = double(mean.dim(1));
    const Numbers volume = log_determinants();
    const Numbers rest = Numbers::of({mean.dim(0)}, [&](int64_t k) { return volume[covariance == Covariance::tied ? 0 : k] + constant[k]; });
    const Expr joint = -0.5 * (d * std::log(2 * M_PI) + distances(x)) + rest;
    const Expr top = max(joint), total = log(sum(exp(joint - top))) + top;
    Outputs out{.role = Outputs::Role::clusterer, .predict = argmax(joint), .predict_proba = exp(joint - total)};
    out.predict_log_proba = joint - total;
    out.score_samples = reshaped(total, {rows});
    return out;
  }

 protected:
  void read_shapes(Fields& f) {
    f.choice("covariance_type", covariance,
             {{"full", Covariance::full}, {"tied", Covariance::tied}, {"diag", Covariance::diag}, {"spherical", Covariance::spherical}});
    f("means_", mean, {"components", "features"});
    const DimNames dims = covariance == Covariance::full   ? DimNames{"components", "features", "features"}
                          : covariance == Covariance::tied ? DimNames{"features", "features"}
                          : covariance == Covariance::diag ? DimNames{"components", "features"}
                                                           : DimNames{"components"};
    f("precisions_cholesky_", precision, dims);
  }

 private:
  // Squared distance from each component's mean in units of its own spread, (batch, components).
  Expr distances(Expr x) const {
    const int64_t n = mean.dim(0), d = mean.dim(1);
    if (covariance == Covariance::full || covariance == Covariance::tied) {
      std::vector<Expr> squares;
      for (int64_t k = 0; k < n; ++k) {
        const int64_t from = covariance == Covariance::full ? k * d * d : 0;
        const Numbers factor = Numbers::of({d, d}, [&](int64_t i) { return precision[from + i]; });
        const Numbers middle = Numbers::of({d}, [&](int64_t j) {
          double sum = 0;
          for (int64_t i = 0; i < d; ++i) sum += mean(k, i) * factor(i, j);
          return sum;
        });
        const Expr y = matmul(x, factor) - middle;
        squares.push_back(sum(y * y));
      }
      return concat(squares);
    }
    // As the library does it: the square is taken apart.
    const Numbers weight = covariance == Covariance::diag ? Numbers::of({n, d}, [&](int64_t i) { return precision[i] * precision[i]; })
                                                          : Numbers::of({n, d}, [&](int64_t i) { return precision[i / d] * precision[i / d]; });
    const Numbers weighted = Numbers::of({n, d}, [&](int64_t i) { return mean[i] * weight[i]; });
    const Numbers squares = Numbers::of({n}, [&](int64_t k) {
      double sum = 0;
      for (int64_t i = 0; i < d; ++i) sum += mean(k, i) * mean(k, i) * weight(k, i);
      return sum;
    });
    return squares - 2.0 * matmul(x, weighted.transposed()) + matmul(x * x, weight.transposed());
  }
  Numbers log_determinants() const {
    const int64_t n = mean.dim(0), d = mean.dim(1);
    const int64_t factors = covariance == Covariance::tied ? 1 : n;
    return Numbers::of({factors}, [&](int64_t k) {
      if (covariance == Covariance::spherical) return double(d) * std::log(precision[k]);
      double logs = 0;
      for (int64_t i = 0; i < d; ++i) logs += std::log(precision[covariance == Covariance::diag ? k * d + i : k * d * d + i * d + i]);
      return logs;
    });
  }
};

struct BayesianGaussianMixture : GaussianMixture {
  void learned(Fields& f) {
    read_shapes(f);
    Numbers freedom, mean_precision;
    f("degrees_of_freedom_", freedom);
    if (freedom && freedom.size() != 1) f.check("degrees_of_freedom_", freedom.shape(), {"components"});
    f("mean_precision_", mean_precision, {"components"});
    const std::optional<Numbers> weight = log_weights(f);
    if (!f.ok() || !weight) return;
    const int64_t d = mean.dim(1);
    constant = Numbers::of({mean.dim(0)}, [&](int64_t k) {
      double lambda = double(d) * std::log(2.0);
      const double nu = freedom[freedom.size() == 1 ? 0 : k];  // tied covariances have one in common
      for (int64_t i = 0; i < d; ++i) lambda += digamma(0.5 * (nu - double(i)));
      return (*weight)[k] - 0.5 * double(d) * std::log(nu) + 0.5 * (lambda - double(d) / mean_precision[k]);
    });
  }

 private:
  static std::optional<Numbers> log_weights(Fields& f) {
    bool process = true;
    f.choice("weight_concentration_prior_type", process, {{"dirichlet_process", true}, {"dirichlet_distribution", false}});
    if (!process) {
      Numbers a;
      f("weight_concentration_", a, {"components"});
      double total = 0;
      for (double each : a) total += each;
      return a.map([&](double each) { return digamma(each) - digamma(total); });
    }
    std::vector<Numbers> beta;  // the two parameters of each component's share of what those before it leave
    f("weight_concentration_", beta, {"2", "components"});
    if (!f.ok()) return {};
    double left = 0;
    return Numbers::of({beta[0].size()}, [&](int64_t k) {
      const double both = digamma(beta[0][k] + beta[1][k]), here = digamma(beta[0][k]) - both + left;
      left += digamma(beta[1][k]) - both;
      return here;
    });
  }
};

}  // namespace

Definitions mixtures_estimators() {
  constexpr std::string_view data = "clean ratings", outputs = "label probabilities score_samples";
  return {
      reads<GaussianMixture>("sklearn.mixture.GaussianMixture",
                             {.cases = {"(3, random_state=0)", "(2, covariance_type='tied', random_state=0)",
                                        "(2, covariance_type='diag', random_state=0)", "(2, covariance_type='spherical', random_state=0)"},
                              .data = data,
                              .tolerance = 1e-12,
                              .outputs = outputs}),
      reads<BayesianGaussianMixture>(
          "sklearn.mixture.BayesianGaussianMixture",
          {.cases = {"(n_components=2, random_state=0)",
                     "(n_components=2, weight_concentration_prior_type='dirichlet_distribution', random_state=0)",
                     "(n_components=2, covariance_type='diag', random_state=0)", "(n_components=2, covariance_type='tied', random_state=0)"},
           .data = data,
           .tolerance = 1e-12,
           .outputs = outputs}),
  };
}

}  // namespace onward
