// Classifiers of two classes whose threshold was moved: FixedThresholdClassifier, TunedThresholdClassifierCV.
#include "onward/estimators/delegation.h"

namespace onward {
namespace {

struct Threshold {
  static constexpr bool takes_missing = true, takes_infinity = true;  // the classifier says what it refuses
  Estimator estimator;
  std::vector<Method> methods;
  std::optional<double> threshold;    // none: the middle of the method that answers
  std::optional<Label> pos_label;     // none: the second class

  void learned(Fields& f) {
    f(f.get("estimator_") ? "estimator_" : "estimator", estimator);  // one that was fitted before is not fitted again
    if (estimator) takes_what_its_parts_take(f, {estimator});
    f.choice("response_method", methods,
             {{"auto", {Method::predict_proba, Method::decision_function}},
              {"predict_proba", {Method::predict_proba}},
              {"decision_function", {Method::decision_function}}});
  }
  Outputs operator()(const Frame& x) const {
    Outputs out = ask(estimator, x, "estimator");
    if (out.classes.size() != 1 || out.classes[0].size() != 2) fail(Code::bad_file, "the classifier does not tell two classes");
    const Response r = response_of(out, methods);
    int64_t positive = 1;
    if (pos_label) {
      const auto place = place_of(*pos_label, out.classes[0]);
      if (!place) fail(Code::unsupported_estimator, "pos_label is none of the classes");
      positive = *place;
    }
    Expr score = r.values;
    if (positive == 0) score = r.method == Method::predict_proba ? column(probabilities_of(out), 0) : negated(score);
    const Expr is = cast(score >= threshold.value_or(r.method == Method::predict_proba ? 0.5 : 0.0), DataType::i64);
    out.predict = pick(Operand(out.classes[0]), positive == 1 ? is : Array<int64_t>{1} - is);
    out.transform.reset(), out.apply.reset(), out.distances.reset(), out.neighbors.reset();
    return out;
  }
};

std::optional<Label> read_label(Fields& f, const plain::Value& v) {
  const std::optional<Label> label = label_of(v);
  if (!label) f.bad("pos_label", text("is ", f.said(v)));
  return label;
}

}  // namespace

struct FixedThresholdClassifier : Threshold {
  void learned(Fields& f) {
    Threshold::learned(f);
    if (const auto v = f.get("threshold"); v && v->str() != "auto") f.assign("threshold", *v, threshold.emplace(), {});
    if (f.given("pos_label")) pos_label = read_label(f, *f.get("pos_label"));
  }
};

struct TunedThresholdClassifierCV : Threshold {
  void learned(Fields& f) {
    Threshold::learned(f);
    f("best_threshold_", threshold.emplace());
    const auto scorer = f.get("_curve_scorer");
    const auto function = scorer ? scorer->find("_score_func") : std::nullopt;
    if (!function) return f.bad("_curve_scorer", "is missing");
    const auto given = scorer->find("_kwargs");
    const auto named = given ? given->find("pos_label") : std::nullopt;
    if (!named) take_default(f, *function);
    else if (!named->is(plain::Kind::none)) pos_label = read_label(f, *named);
  }

 private:
  // A score function's own default, which the file does not hold.
  void take_default(Fields& f, const plain::Value& function) {
    static constexpr std::string_view of_class_1[] = {"f1_score",     "fbeta_score",     "jaccard_score", "average_precision_score",
                                                      "recall_score", "precision_score", "precision_recall_fscore_support"};
    const bool known = function.is(plain::Kind::global) && function.global->module.starts_with("sklearn.");
    if (!known)
      return f.refuse("scoring", text("is ", f.said(function), " without a pos_label, whose default the file does not say"),
                      "give make_scorer a pos_label");
    if (std::ranges::find(of_class_1, function.global->name) != std::end(of_class_1)) pos_label = Label(1.0);
  }
};

Definitions thresholds_estimators() {
  constexpr std::string_view high = "(LogisticRegression(), threshold=.7)";
  constexpr std::string_view scored = "(LogisticRegression(), response_method='decision_function')";
  constexpr std::string_view first = "(DecisionTreeClassifier(max_depth=3), threshold=.6, pos_label='no')";
  constexpr std::string_view margin = "(LinearSVC(random_state=0), threshold=.3, pos_label='no')";
  constexpr std::string_view tuned = "(LogisticRegression(), cv=2)";
  constexpr std::string_view named = "(DecisionTreeClassifier(max_depth=3), scoring='accuracy', cv=2)";
  return {
      reads<FixedThresholdClassifier>("sklearn.model_selection.FixedThresholdClassifier",
                                      {.cases = {high, scored, first, margin}, .data = "clean ratings", .targets = "binary",
                                       .tolerance = 1e-12}),
      reads<TunedThresholdClassifierCV>("sklearn.model_selection.TunedThresholdClassifierCV",
                                        {.cases = {tuned, named}, .data = "clean ratings", .targets = "binary", .tolerance = 1e-12}),
      reads<TunedThresholdClassifierCV>("sklearn.model_selection.TunedThresholdClassifierCV",
                                        {.cases = {"(GaussianNB(), scoring='f1', cv=2)"}, .data = "clean", .targets = "zeros and ones",
                                         .tolerance = 1e-12}),
  };
}

}  // namespace onward
