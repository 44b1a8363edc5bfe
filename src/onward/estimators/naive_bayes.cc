// Gaussian naive Bayes: log p(c) + Σ log N(xᵢ; θ, σ²), normalised over the classes.
#include <cmath>

#include "onward/estimators/fields.h"

namespace onward {

struct GaussianNB {
  Tensor classes;
  Numbers prior, mean, variance;

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f("class_prior_", prior, {"classes"});
    f("theta_", mean, {"classes", "features"});
    f("var_", variance, {"classes", "features"});
  }
  Outputs operator()(Expr x) const {
    const Numbers constant = Numbers::of({prior.size()}, [&](int64_t c) {
      double logs = 0;
      for (int64_t i = 0; i < mean.dim(1); ++i) logs += std::log(2 * M_PI * variance(c, i));
      return -0.5 * logs;
    });
    const Expr off = reshaped(x, {0, 1, mean.dim(1)}) - mean;  // (batch, classes, features)
    const Expr joint = prior.map([](double p) { return std::log(p); }) + (constant - 0.5 * sum(off * off / variance, -1, false));
    const Expr top = max(joint);
    const Expr evidence = log(sum(exp(joint - top))) + top;
    Outputs out = classifier(classes, argmax(joint), {.predict_proba = exp(joint - evidence)});
    out.predict_log_proba = joint - evidence;
    return out;
  }
};

Definitions naive_bayes_estimators() {
  return {reads<GaussianNB>("sklearn.naive_bayes.GaussianNB", {.cases = {"()", "(var_smoothing=1e-3)"}, .tolerance = 1e-12})};
}

}  // namespace onward
