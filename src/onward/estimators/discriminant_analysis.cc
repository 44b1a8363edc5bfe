// Discriminant analysis: one Gaussian for each class, with a covariance in common (scores are linear) or of its own (quadratic).
#include <cmath>

#include "onward/estimators/linear_model.h"

namespace onward {
namespace {

constexpr double smallest_normal = 2.2250738585072014e-308;

struct LinearDiscriminantAnalysis : LinearClassifier {
  enum class Solver { svd, lsqr, eigen } solver = Solver::svd;
  Numbers middle, directions;  // (features, directions); none of lsqr
  int64_t most_components = 0;

  void learned(Fields& f) {
    LinearClassifier::learned(f);
    f.choice("solver", solver, {{"svd", Solver::svd}, {"lsqr", Solver::lsqr}, {"eigen", Solver::eigen}});
    if (solver == Solver::lsqr) return;
    f("scalings_", directions, {"features", "directions"});
    if (solver == Solver::svd) f("xbar_", middle, {"features"});
    f("_max_components", most_components);
    if (most_components < 0) f.bad("_max_components", text("is ", most_components));
  }
  Outputs operator()(Expr x) const {
    const Expr z = scores(x);
    Outputs out = classifier(classes, {.predict_proba = binary() ? beside(sigmoid(z)) : softmax(z), .decision_function = z});
    // Labels are those of the scores: probabilities may round to a tie.
    out.predict = classifier(classes, {.decision_function = z}).predict;
    const Expr p = *out.predict_proba;
    out.predict_log_proba = log(where(equal(p, 0.0), smallest_normal, p));
    const int64_t kept = solver == Solver::lsqr ? 0 : std::min(most_components, directions.dim(1));
    if (kept) out.transform = Frame(projected(x, kept)), out.names = Outputs::Names::numbered;
    return out;
  }

 private:
  Expr projected(Expr x, int64_t kept) const {
    const Numbers used =
        Numbers::of({directions.dim(0), kept}, [&](int64_t i) { return directions(i / kept, i % kept); });
    return matmul(solver == Solver::svd ? x - middle : x, used);
  }
};

struct QuadraticDiscriminantAnalysis {
  Tensor classes;
  Numbers prior, mean;
  std::vector<Numbers> scale, rotation;  // for each class the variances along its axes, and the axes (features, directions)

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    f("priors_", prior, {"classes"});
    f("means_", mean, {"classes", "features"});
    f("scalings_", scale, {"classes"});
    f("rotations_", rotation, {"classes"});
    if (!f.ok()) return;
    for (size_t c = 0; c < scale.size(); ++c)
      if (scale[c].shape().size() != 1 || rotation[c].shape() != Dims{mean.dim(1), scale[c].size()} || scale[c].size() == 0)
        return f.bad("rotations_", text("of class ", c, " has shape ", shown(rotation[c].shape()), " and its scalings ", shown(scale[c].shape())));
  }
  Outputs operator()(Expr x) const {
    std::vector<Expr> squares;
    for (size_t c = 0; c < scale.size(); ++c) {
      const int64_t n = scale[c].size();
      const Numbers whitening =
          Numbers::of(rotation[c].shape(), [&](int64_t i) { return rotation[c][i] * std::pow(scale[c][i % n], -0.5); });
      const Numbers middle = Numbers::of({mean.dim(1)}, [&](int64_t i) { return mean(int64_t(c), i); });
      const Expr z = matmul(x - middle, whitening);
      squares.push_back(sum(z * z));
    }
    const Numbers volume = Numbers::of({prior.size()}, [&](int64_t c) {
      double logs = 0;
      for (double s : scale[size_t(c)]) logs += std::log(s);
      return logs;
    });
    const Expr joint = -0.5 * (concat(squares) + volume) + prior.map([](double p) { return std::log(p); });
    const Expr likelihood = joint - max(joint);
    const Expr log_p = likelihood - log(sum(exp(likelihood)));
    Outputs out = classifier(classes, argmax(joint),
                             {.predict_proba = exp(log_p),
                              .decision_function = classes.size() == 2 ? columns(joint, {1}) - columns(joint, {0}) : joint});
    out.predict_log_proba = log_p;
    return out;
  }
};

}  // namespace

Definitions discriminant_analysis_estimators() {
  return {
      reads<LinearDiscriminantAnalysis>(
          "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
          {.cases = {"()", "(solver='lsqr', shrinkage='auto')", "(solver='eigen', shrinkage=.2, n_components=1)"}, .tolerance = 1e-12}),
      reads<QuadraticDiscriminantAnalysis>("sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",
                                           {.cases = {"()", "(reg_param=.3)", "(solver='eigen', shrinkage=.1)"}, .tolerance = 1e-12}),
  };
}

}  // namespace onward
