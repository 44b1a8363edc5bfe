// SelectFromModel: the features that count for a fitted model, by the library's rules for what counts.
#include <algorithm>
#include <cmath>

#include "onward/estimators/importances.h"
#include "onward/estimators/selection.h"

namespace onward {

struct SelectFromModel : Selector {
  void learned(Fields& f) {
    const auto model = f.get("estimator_") ? f.get("estimator_") : f.get("estimator");
    if (!model) return f.bad("estimator_", "is missing: the estimator is not fitted");
    gaps = takes_gaps(model);
    std::string getter = "auto";
    if (const auto v = f.get("importance_getter"); v && !v->is(plain::Kind::text))
      return f.refuse("importance_getter", text("is ", f.said(*v)), "convertible: 'auto' and paths of attributes");
    f.since("importance_getter", getter);
    const Numbers read = importances_of(f, *model, getter);
    if (!f.ok() || !read) return;
    if (read.shape().empty() || read.shape().size() > 2 || read.size() == 0)
      return f.bad("estimator_", text("has importances of shape ", shown(read.shape())));
    const std::vector<double> scores = sizes(f, read);
    Facts input = f.facts();
    if (input.n_features_in >= 0 && input.n_features_in != int64_t(scores.size()))
      return f.bad("estimator_", text("has importances of ", scores.size(), " features; it was fitted on ", input.n_features_in));
    input.n_features_in = int64_t(scores.size());
    f.same_input_as(input);
    choose(f, scores, threshold(f, *model, scores));
  }

 private:
  static std::vector<double> sizes(Fields& f, const Numbers& read) {
    std::vector<double> out;
    if (read.shape().size() == 1) {
      for (double x : read) out.push_back(std::abs(x));
      return out;
    }
    double order = 1;
    if (const auto v = f.get("norm_order")) f.assign("norm_order", *v, order, {});
    const int64_t n = read.dim(1);
    out.assign(size_t(n), order == -HUGE_VAL ? HUGE_VAL : 0.0);
    for (int64_t i = 0; i < read.size(); ++i) {
      double& o = out[size_t(i % n)];
      const double x = std::abs(read[i]);
      if (order == HUGE_VAL) o = std::max(o, x);
      else if (order == -HUGE_VAL) o = std::min(o, x);
      else o += order == 0 ? double(x != 0) : order == 1 ? x : order == 2 ? x * x : std::pow(x, order);
    }
    if (std::isfinite(order) && order != 0 && order != 1)
      for (double& o : out) o = order == 2 ? std::sqrt(o) : std::pow(o, 1 / order);
    return out;
  }
  // None: nearly 0 for models that drive coefficients there, else the mean.
  static double threshold(Fields& f, const plain::Value& model, const std::vector<double>& scores) {
    const auto v = f.get("threshold");
    std::string said = "mean";
    if (v && v->is(plain::Kind::text)) said = v->str();
    else if (v && !v->is(plain::Kind::none)) {
      double given = 0;
      f.assign("threshold", *v, given, {});
      return given;
    } else if (drives_to_zero(model)) return 1e-5;
    double scale = 1;
    if (const size_t star = said.find('*'); star != said.npos) {
      scale = std::strtod(said.c_str(), nullptr);
      said = said.substr(star + 1);
    }
    while (!said.empty() && said.front() == ' ') said.erase(0, 1);
    while (!said.empty() && said.back() == ' ') said.pop_back();
    if (said == "mean") return scale * mean_of(scores);
    if (said == "median") return scale * median_of(scores);
    return f.refuse("threshold", text("is '", clipped(said), "'"), "convertible: a number, 'mean', 'median', '1.25*mean'"), 0.0;
  }
  static bool drives_to_zero(const plain::Value& model) {
    const std::string_view name = model.is(plain::Kind::object) && model.object->callee.is(plain::Kind::global) ? model.object->callee.global->name : "";
    if (const auto penalty = model.find("penalty"); penalty && penalty->str() == "l1") return true;
    if (name.find("Lasso") != name.npos) return true;
    const auto is_one = [](const plain::Value& v) {
      return v.is(plain::Kind::integer) ? v.integer == 1 : v.is(plain::Kind::real) && std::abs(v.real - 1) <= 1e-8 + 1e-5;
    };
    const std::string_view field = name == "ElasticNet" || name == "LogisticRegression" ? "l1_ratio" : name == "ElasticNetCV" || name == "LogisticRegressionCV" ? "l1_ratio_" : "";
    const auto ratio = field.empty() ? std::nullopt : model.find(field);
    if (!ratio || !ratio->is(plain::Kind::array)) return ratio && is_one(*ratio);
    const Numbers all = as_array<double>(*ratio->array, nullptr);
    return all.size() > 0 && std::all_of(all.begin(), all.end(), [](double x) { return std::abs(x - 1) <= 1e-8 + 1e-5; });
  }
  void choose(Fields& f, const std::vector<double>& scores, double threshold) {
    std::vector<bool> mask(scores.size(), true);
    if (f.given("max_features")) {
      const auto v = f.given("max_features_") ? f.get("max_features_") : f.get("max_features");
      int64_t most = 0;
      f.assign("max_features", *v, most, {});
      std::vector<size_t> order(scores.size());
      for (size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
      for (size_t i = size_t(std::max<int64_t>(most, 0)); i < order.size(); ++i) mask[order[i]] = false;
    }
    for (size_t i = 0; i < scores.size(); ++i) mask[i] = mask[i] && !(scores[i] < threshold);
    keep(mask);
  }
};

Definitions selection_from_model_estimators() {
  Definitions all{
      reads<SelectFromModel>("sklearn.feature_selection.SelectFromModel",
                             {.cases = {"(RandomForestRegressor(10, random_state=0))", "(ExtraTreesRegressor(10, random_state=0), threshold='0.8*median')",
                                        "(DecisionTreeRegressor(max_depth=4, random_state=0), max_features=2, threshold=-np.inf)",
                                        "(GradientBoostingRegressor(n_estimators=9, random_state=0), threshold='median')", "(Lasso(0.05))", "(AdaBoostRegressor(n_estimators=4, random_state=0))",
                                        "(Pipeline([('a', StandardScaler()), ('b', Ridge())]), importance_getter='named_steps.b.coef_')"},
                              .data = "clean"}),
      reads<SelectFromModel>("sklearn.feature_selection.SelectFromModel",
                             {.cases = {"(LogisticRegression(), norm_order=2)", "(SVC(kernel='linear'))", "(LinearSVC(penalty='l1', C=0.01, random_state=0), threshold='mean')"},
                              .data = "clean",
                              .targets = "classes"}),
  };
  for (Definition& d : all) d.may_be_stateless = true;  // prefit=True needs no fit
  return all;
}

}  // namespace onward
