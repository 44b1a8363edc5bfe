// Linear regression of every kind of fit: x·coefᵀ + intercept; generalised ones through a link.
#include "onward/estimators/linear_model.h"

namespace onward {

struct LinearRegressor {
  Numbers coef, intercept;  // (features) or (targets, features)

  void learned(Fields& f) {
    f("coef_", coef);
    f("intercept_", intercept);
    if (!coef || !intercept) return;
    f.check("coef_", coef.shape(), coef.shape().size() == 1 ? DimNames{"features"} : DimNames{"targets", "features"});
    const int64_t targets = coef.shape().size() == 1 ? 1 : f.dim("targets");
    if (intercept.size() != 1 && intercept.size() != targets)
      f.bad("intercept_", text("has ", intercept.size(), " items for ", targets, " targets"));
    else intercept = intercept.reshaped({intercept.size()});
  }
  Expr scores(Expr x) const {
    const bool one = coef.shape().size() < 2;
    const Expr y = matmul(x, one ? coef.reshaped({coef.size(), 1}) : coef.transposed()) + intercept;
    return one ? reshaped(y, {rows}) : y;
  }
  Outputs operator()(Expr x) const { return regressor(scores(x)); }
};

struct GeneralizedLinearRegressor : LinearRegressor {
  bool log_link = true;

  void learned(Fields& f) {
    LinearRegressor::learned(f);
    if (f.facts().class_name != "TweedieRegressor") return;
    std::string link = "auto";
    double power = 0;
    f("link", link);
    f("power", power);
    log_link = link == "log" || (link == "auto" && power > 0);
  }
  Outputs operator()(Expr x) const { return regressor(log_link ? exp(scores(x)) : scores(x)); }
};

Definitions linear_regressors_estimators() {
  Definitions all;
  const auto add = [&](std::string_view name, std::vector<std::string_view> cases = {"()"}, std::string_view targets = "") {
    all.push_back(reads<LinearRegressor>(name, {.cases = std::move(cases), .targets = targets, .tolerance = 1e-12}));
  };
  add("sklearn.linear_model.LinearRegression", {"()", "(fit_intercept=False)", "(positive=True)"});
  add("sklearn.linear_model.LinearRegression", {"()"}, "several");
  add("sklearn.linear_model.Ridge", {"()", "(fit_intercept=False)"});
  add("sklearn.linear_model.Ridge", {"()"}, "several");
  add("sklearn.linear_model.RidgeCV");
  add("sklearn.linear_model.Lasso", {"(alpha=0.01)"});
  add("sklearn.linear_model.Lasso", {"(alpha=0.01)"}, "several");
  add("sklearn.linear_model.LassoCV");
  add("sklearn.linear_model.LassoLars", {"(alpha=0.01)"});
  add("sklearn.linear_model.LassoLarsCV");
  add("sklearn.linear_model.LassoLarsIC");
  add("sklearn.linear_model.Lars");
  add("sklearn.linear_model.LarsCV");
  add("sklearn.linear_model.ElasticNet", {"(alpha=0.01)"});
  add("sklearn.linear_model.ElasticNetCV");
  add("sklearn.linear_model.MultiTaskLasso", {"(alpha=0.01)"}, "several");
  add("sklearn.linear_model.MultiTaskLassoCV", {"()"}, "several");
  add("sklearn.linear_model.MultiTaskElasticNet", {"(alpha=0.01)"}, "several");
  add("sklearn.linear_model.MultiTaskElasticNetCV", {"()"}, "several");
  add("sklearn.linear_model.OrthogonalMatchingPursuit");
  add("sklearn.linear_model.OrthogonalMatchingPursuitCV");
  add("sklearn.linear_model.BayesianRidge");
  add("sklearn.linear_model.ARDRegression");
  add("sklearn.linear_model.HuberRegressor");
  add("sklearn.linear_model.TheilSenRegressor", {"(random_state=0)"});
  add("sklearn.linear_model.QuantileRegressor", {"(alpha=0.01)"});
  add("sklearn.linear_model.SGDRegressor", {"(random_state=0)"});
  add("sklearn.linear_model.PassiveAggressiveRegressor", {"(random_state=0)"});
  add("sklearn.svm.LinearSVR", {"(random_state=0)"});
  for (std::string_view name : {"sklearn.linear_model.PoissonRegressor", "sklearn.linear_model.GammaRegressor"})
    all.push_back(reads<GeneralizedLinearRegressor>(name, {.targets = "positive", .tolerance = 1e-12}));
  all.push_back(reads<GeneralizedLinearRegressor>("sklearn.linear_model.TweedieRegressor",
                                                  {.cases = {"()", "(power=1.5)"}, .targets = "positive", .tolerance = 1e-12}));
  return all;
}

}  // namespace onward
