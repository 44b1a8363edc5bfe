// Selectors of features: what was learned decides about columns here, and the graph only takes them. A recursive elimination also
// predicts with the model that it ended with.
#include <algorithm>
#include <cmath>

#include "onward/estimators/selection.h"

namespace onward {

bool takes_gaps(const std::optional<plain::Value>& estimator) {
  if (!estimator || !estimator->is(plain::Kind::object) || !estimator->object->callee.is(plain::Kind::global)) return false;
  const std::string_view name = estimator->object->callee.global->name;
  constexpr std::string_view able[] = {"DecisionTree", "ExtraTree", "RandomForest", "HistGradientBoosting", "Bagging", "XGB", "LGBM"};
  return std::ranges::any_of(able, [&](std::string_view start) { return name.starts_with(start); });
}

void Selector::read_support(Fields& f) {
  Tensor support;
  f("support_", support, {"features"});
  if (!support) return;
  if (support.type() != DataType::b8) return f.bad("support_", text("is of type ", name_of(support.type()), "; expected bool"));
  keep(std::vector<bool>(support.data<bool>(), support.data<bool>() + support.size()));
}

namespace {

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
    std::erase_if(sorted, [](double x) { return x != x; });  // of constant columns: below nothing
    std::sort(sorted.begin(), sorted.end());
    double most = __builtin_nan("");
    const double n = double(p.size());
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
    const Frame columns = chosen(x);
    Outputs out = best(columns);
    out.transform = columns;
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
      reads<SequentialFeatureSelector>("sklearn.feature_selection.SequentialFeatureSelector", {.cases = {"(Ridge(), n_features_to_select=2, cv=2)"}, .data = "clean"}),
  };
  for (const std::string_view name : {"sklearn.feature_selection.RFE", "sklearn.feature_selection.RFECV"}) {
    all.push_back(reads<RecursiveElimination>(name, {.cases = {"(Ridge())"}, .data = "clean prices", .tolerance = 1e-12}));
    all.push_back(reads<RecursiveElimination>(name, {.cases = {"(DecisionTreeClassifier(max_depth=3, random_state=0))"}, .data = "missing", .targets = "classes"}));
  }
  return all;
}

}  // namespace onward
