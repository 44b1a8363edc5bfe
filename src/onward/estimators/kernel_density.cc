// Kernel density: log of the mean kernel between a row and every row of the training data, which only the search tree keeps.
#include <cmath>

#include "onward/estimators/distance.h"

namespace onward {
namespace {

constexpr double log_two_pi = 1.8378770664093454836;

double log_ball(double n) { return 0.5 * n * std::log(M_PI) - std::lgamma(0.5 * n + 1); }  // volume of the unit ball
double log_sphere(double n) { return log_two_pi + log_ball(n - 1); }                      // area of the unit sphere in n + 1 dimensions

struct KernelDensity {
  enum class Kernel { gaussian, tophat, epanechnikov, exponential, linear, cosine } kernel = Kernel::gaussian;
  Numbers fitted;
  std::optional<Numbers> weight;
  Distance distance;
  double bandwidth = 1;

  void learned(Fields& f) {
    f.choice("kernel", kernel,
             {{"gaussian", Kernel::gaussian},
              {"tophat", Kernel::tophat},
              {"epanechnikov", Kernel::epanechnikov},
              {"exponential", Kernel::exponential},
              {"linear", Kernel::linear},
              {"cosine", Kernel::cosine}});
    f(f.get("bandwidth_") ? "bandwidth_" : "bandwidth", bandwidth);  // until 1.1 only the parameter
    if (!(bandwidth > 0)) f.bad("bandwidth_", text("is ", bandwidth));
    const auto tree = f.get("tree_");
    const std::span<const plain::Value> state =
        tree && tree->is(plain::Kind::object) ? tree->object->state.items() : std::span<const plain::Value>();
    if (state.size() < 12) return f.bad("tree_", "is no search tree of scikit-learn");
    f.assign("tree_.data", state[0], fitted, {"samples", "features"});
    if (state.size() > 12) f.assign("tree_.sample_weight", state[12], weight, {"samples"});
    distance.learned(f, "metric", "metric_params", fitted);
    if (fitted && !fitted.size()) f.bad("tree_", "holds no rows");
  }
  Outputs operator()(Expr x) const {
    Expr log_kernel = kernel_of(distance.from_comparable(distance.comparable_in_order(x, fitted)));  // (batch, samples)
    double total = double(fitted.dim(0));
    if (weight) {
      log_kernel = log_kernel + weight->map([](double w) { return std::log(w); });
      total = 0;
      for (double w : *weight) total += w;
    }
    // Where no row is near enough all are -inf, and so is their sum.
    const Expr top = max(log_kernel), finite = where(equal(top, -HUGE_VAL), 0.0, top);
    const Expr log_sum = log(sum(exp(log_kernel - finite))) + finite;
    return {.score_samples = reshaped(log_sum + (log_norm() - std::log(total)), {rows})};
  }

 private:
  Expr kernel_of(Expr d) const {
    const double h = bandwidth;
    const auto inside = [&](Expr log_of) { return where(d < h, log_of, -HUGE_VAL); };
    switch (kernel) {
      case Kernel::gaussian:
        return -0.5 * (d * d) / (h * h);
      case Kernel::tophat:
        return inside(d * 0.0);
      case Kernel::epanechnikov:
        return inside(log(maximum(1.0 - d * d / (h * h), 0.0)));
      case Kernel::exponential:
        return negated(d) / h;
      case Kernel::linear:
        return inside(log(maximum(1.0 - d / h, 0.0)));
      default:
        return inside(log(maximum(unary("Cos", 0.5 * M_PI * d / h), 0.0)));
    }
  }
  double log_norm() const {
    const double d = double(fitted.dim(1));
    double factor = 0;
    switch (kernel) {
      case Kernel::gaussian:
        factor = 0.5 * d * log_two_pi;
        break;
      case Kernel::tophat:
        factor = log_ball(d);
        break;
      case Kernel::epanechnikov:
        factor = log_ball(d) + std::log(2 / (d + 2));
        break;
      case Kernel::exponential:
        factor = log_sphere(d - 1) + std::lgamma(d);
        break;
      case Kernel::linear:
        factor = log_ball(d) - std::log(d + 1);
        break;
      case Kernel::cosine: {
        double term = 2 / M_PI;
        for (double k = 1; k <= d; k += 2) factor += term, term *= -(d - k) * (d - k - 1) * (2 / M_PI) * (2 / M_PI);
        factor = std::log(factor) + log_sphere(d - 1);
      }
    }
    return -factor - d * std::log(bandwidth);
  }
};

}  // namespace

Definitions kernel_density_estimators() {
  // The library adds to and takes from bounds of the whole tree. Measured against long double on ratings: it is wrong by up to 9e-11,
  // this by 3e-15. Where no row is near enough for a kernel that ends, it says -40 or so instead of -inf: hence the wide ones.
  return {
      reads<KernelDensity>("sklearn.neighbors.KernelDensity",
                           {.cases = {"()", "(bandwidth='scott')", "(kernel='exponential', metric='manhattan', bandwidth=.7)",
                                      "(kernel='epanechnikov', bandwidth=6)", "(kernel='tophat', bandwidth=4.5, algorithm='ball_tree')",
                                      "(kernel='linear', bandwidth=6)", "(kernel='cosine', bandwidth=6)"},
                            .data = "clean ratings",
                            .tolerance = 1e-9}),
  };
}

}  // namespace onward
