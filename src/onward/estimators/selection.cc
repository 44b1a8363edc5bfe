// Selectors of features: what was learned decides about columns here, and the graph only takes them. A recursive elimination also
// predicts with the model that it ended with.
#include <algorithm>
#include <cmath>

#include "onward/estimators/importances.h"

namespace onward {
namespace {

// Models that take missing values themselves: their selectors let them through.
bool takes_gaps(const std::optional<plain::Value>& estimator) {
  if (!estimator || !estimator->is(plain::Kind::object) || !estimator->object->callee.is(plain::Kind::global)) return false;
  const std::string_view name = estimator->object->callee.global->name;
  constexpr std::string_view able[] = {"DecisionTree", "ExtraTree", "RandomForest", "HistGradientBoosting", "Bagging", "XGB", "LGBM"};
  return std::ranges::any_of(able, [&](std::string_view start) { return name.starts_with(start); });
}

struct Selector {
  std::vector<int64_t> kept;
  bool gaps = false;

  bool takes_missing(const Frame&) const { return gaps; }
  Outputs operator()(const Frame& x) const { return transformed(x.select(kept)); }

 protected:
  void keep(const std::vector<bool>& mask) {
    for (size_t i = 0; i < mask.size(); ++i)
      if (mask[i]) kept.push_back(int64_t(i));
  }
  void read_support(Fields& f) {
    Tensor support;
    f("support_", support, {"features"});
    if (!support) return;
    if (support.type() != DataType::b8) return f.bad("support_", text("is of type ", name_of(support.type()), "; expected bool"));
    keep(std::vector<bool>(support.data<bool>(), support.data<bool>() + support.size()));
  }
};

// numpy.percentile: between two neighbours by the fraction that lies between them.
double percentile(std::vector<double> a, double percent) {
  std::sort(a.begin(), a.end());
  const double at = double(a.size() - 1) * (percent / 100), low = std::floor(at), t = at - low;
  const double below = a[size_t(low)], above = a[std::min(size_t(low) + 1, a.size() - 1)], off = above - below;
  return t >= 0.5 ? above - off * (1 - t) : below + off * t;
}

struct UnivariateSelector : Selector {
  std::vector<double> scores, p;

 protected:
  void read_scores(Fields& f, bool by_p) {
    Numbers read;
    f(by_p ? "pvalues_" : "scores_", read, {"features"});
    std::vector<double>& into = by_p ? p : scores;
    for (double x : read) into.push_back(by_p || x == x ? x : std::numeric_limits<double>::lowest());
  }
  void by_percentile(double percent) {
    std::vector<bool> mask(scores.size(), percent == 100);
    if (percent != 0 && percent != 100 && !scores.empty()) {
      const double threshold = percentile(scores, 100 - percent);
      int64_t room = int64_t(double(scores.size()) * percent / 100);
      for (size_t i = 0; i < scores.size(); ++i) mask[i] = scores[i] > threshold, room -= mask[i];
      // A slice up to a negative place leaves that many out at its end.
      std::vector<size_t> ties;
      for (size_t i = 0; i < scores.size(); ++i)
        if (scores[i] == threshold) ties.push_back(i);
      const int64_t taken = room >= 0 ? std::min(room, int64_t(ties.size())) : std::max<int64_t>(0, int64_t(ties.size()) + room);
      for (int64_t i = 0; i < taken; ++i) mask[ties[size_t(i)]] = true;
    }
    keep(mask);
  }
  void best(std::optional<int64_t> k) {
    std::vector<size_t> order(scores.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
    std::vector<bool> mask(scores.size(), false);
    const size_t count = k ? std::min(size_t(std::max<int64_t>(*k, 0)), order.size()) : order.size();
    for (size_t i = order.size() - count; i < order.size(); ++i) mask[order[i]] = true;
    keep(mask);
  }
  void below(double alpha) {
    std::vector<bool> mask;
    for (double x : p) mask.push_back(x < alpha);
    keep(mask);
  }
  void false_discoveries(double alpha) {  // Benjamini and Hochberg
    std::vector<double> sorted = p;
    std::sort(sorted.begin(), sorted.end());
    double most = __builtin_nan("");
    const double n = double(sorted.size());
    for (size_t i = 0; i < sorted.size(); ++i)
      if (sorted[i] <= alpha / n * double(i + 1)) most = sorted[i];
    std::vector<bool> mask;
    for (double x : p) mask.push_back(x <= most);
    keep(mask);
  }
  void learned_as(Fields& f, std::string_view mode, std::string_view parameter) {
    const bool by_p = mode == "fpr" || mode == "fdr" || mode == "fwe";
    read_scores(f, by_p);
    const auto v = f.get(parameter);
    if (!f.ok() || !v) return;
    if (mode == "k_best" && v->str() == "all") return best({});
    double given = 0;
    f.assign(parameter, *v, given, {});
    if (!(given >= 0 && given < 1e9)) return f.bad(parameter, text("is ", given));
    if (mode == "k_best") return best(int64_t(given));
    if (mode == "percentile") return given > 100 ? f.bad(parameter, text("is ", given, " percent")) : by_percentile(given);
    if (mode == "fdr") return false_discoveries(given);
    below(mode == "fwe" ? given / double(p.size()) : given);
  }
};

}  // namespace

struct SelectKBest : UnivariateSelector {
  void learned(Fields& f) { learned_as(f, "k_best", "k"); }
};
struct SelectPercentile : UnivariateSelector {
  void learned(Fields& f) { learned_as(f, "percentile", "percentile"); }
};
struct SelectFpr : UnivariateSelector {
  void learned(Fields& f) { learned_as(f, "fpr", "alpha"); }
};
struct SelectFdr : UnivariateSelector {
  void learned(Fields& f) { learned_as(f, "fdr", "alpha"); }
};
struct SelectFwe : UnivariateSelector {
  void learned(Fields& f) { learned_as(f, "fwe", "alpha"); }
};
struct GenericUnivariateSelect : UnivariateSelector {
  void learned(Fields& f) {
    std::string_view mode = "percentile";
    f.choice("mode", mode, {{"percentile", "percentile"}, {"k_best", "k_best"}, {"fpr", "fpr"}, {"fdr", "fdr"}, {"fwe", "fwe"}});
    learned_as(f, mode, "param");
  }
};

struct VarianceThreshold : Selector {
  void learned(Fields& f) {
    gaps = true;
    Numbers variances;
    double threshold = 0;
    f("variances_", variances, {"features"});
    f("threshold", threshold);
    std::vector<bool> mask;
    for (double v : variances) mask.push_back(v > threshold);
    keep(mask);
  }
};

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

struct SequentialFeatureSelector : Selector {
  void learned(Fields& f) {
    gaps = takes_gaps(f.get("estimator"));
    read_support(f);
  }
};

struct RecursiveElimination : Selector {
  Estimator best;

  void learned(Fields& f) {
    gaps = takes_gaps(f.get("estimator"));
    read_support(f);
    f("estimator_", best);
  }
  Outputs operator()(const Frame& x) const {
    const Frame chosen = x.select(kept);
    Outputs out = best(chosen);
    out.transform = chosen;
    out.names = Outputs::Names::as_given;
    return out;
  }
};

Definitions selection_estimators() {
  Definitions all = {
      reads<VarianceThreshold>("sklearn.feature_selection.VarianceThreshold", {.cases = {"()", "(2.1)"}, .data = "ratings missing"}),
      reads<SelectKBest>("sklearn.feature_selection.SelectKBest",
                         {.cases = {"(k=2)", "(k='all')", "(__import__('sklearn.feature_selection').feature_selection.f_regression, k=3)"}, .data = "clean ratings"}),
      reads<SelectPercentile>("sklearn.feature_selection.SelectPercentile", {.cases = {"(percentile=40)", "(percentile=55.5)"}, .data = "clean"}),
      reads<SelectFpr>("sklearn.feature_selection.SelectFpr",
                       {.cases = {"(__import__('sklearn.feature_selection').feature_selection.f_regression, alpha=0.3)"}, .data = "clean"}),
      reads<SelectFdr>("sklearn.feature_selection.SelectFdr",
                       {.cases = {"(__import__('sklearn.feature_selection').feature_selection.f_regression, alpha=0.3)"}, .data = "clean"}),
      reads<SelectFwe>("sklearn.feature_selection.SelectFwe",
                       {.cases = {"(__import__('sklearn.feature_selection').feature_selection.f_regression, alpha=0.3)"}, .data = "clean"}),
      reads<GenericUnivariateSelect>("sklearn.feature_selection.GenericUnivariateSelect",
                                     {.cases = {"(mode='k_best', param=2)", "(param=60)", "(__import__('sklearn.feature_selection').feature_selection.f_regression, mode='fdr', param=0.3)"}, .data = "clean"}),
      reads<SelectFromModel>("sklearn.feature_selection.SelectFromModel",
                             {.cases = {"(RandomForestRegressor(10, random_state=0))", "(ExtraTreesRegressor(10, random_state=0), threshold='0.8*median')",
                                        "(DecisionTreeRegressor(max_depth=4, random_state=0), max_features=2, threshold=-np.inf)",
                                        "(GradientBoostingRegressor(n_estimators=9, random_state=0), threshold='median')", "(Lasso(0.05))",
                                        "(Pipeline([('a', StandardScaler()), ('b', Ridge())]), importance_getter='named_steps.b.coef_')"},
                              .data = "clean"}),
      reads<SelectFromModel>("sklearn.feature_selection.SelectFromModel",
                             {.cases = {"(LogisticRegression(), norm_order=2)", "(LinearSVC(penalty='l1', C=0.01, random_state=0), threshold='mean')"},
                              .data = "clean",
                              .targets = "classes"}),
      reads<SequentialFeatureSelector>("sklearn.feature_selection.SequentialFeatureSelector", {.cases = {"(Ridge(), n_features_to_select=2, cv=2)"}, .data = "clean"}),
  };
  for (const std::string_view name : {"sklearn.feature_selection.RFE", "sklearn.feature_selection.RFECV"}) {
    all.push_back(reads<RecursiveElimination>(name, {.cases = {"(Ridge())"}, .data = "clean prices", .tolerance = 1e-12}));
    all.push_back(reads<RecursiveElimination>(name, {.cases = {"(DecisionTreeClassifier(max_depth=3, random_state=0))"}, .data = "missing", .targets = "classes"}));
  }
  for (Definition& d : all)
    if (d.class_name.ends_with("SelectFromModel")) d.may_be_stateless = true;  // prefit=True needs no fit
  return all;
}

}  // namespace onward
