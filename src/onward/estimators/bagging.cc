// Bagging: estimators of one kind, each fitted on some rows and some columns; the mean of what they say.
#include <cmath>
#include <numeric>

#include "onward/estimators/delegation.h"

namespace onward {
namespace {

struct Bagging {
  static constexpr bool takes_missing = true, takes_infinity = true;  // each part says what it refuses
  Parts parts;
  std::vector<Array<int64_t>> columns;  // that each part takes

  void learned(Fields& f) {
    f("estimators_", parts, {"parts"});
    f("estimators_features_", columns, {"parts", "columns"});
    if (parts.empty()) return f.bad("estimators_", "is empty");
    for (const auto& own : columns)
      for (const int64_t c : own)
        if (c < 0 || c >= f.facts().n_features_in)
          return f.bad("estimators_features_", text("holds column ", c, " of ", f.facts().n_features_in));
  }
  std::vector<Outputs> answers(const Frame& x) const {
    std::vector<Outputs> all;
    for (size_t i = 0; i < parts.size(); ++i)
      all.push_back(ask(parts[i], x.select(std::vector<int64_t>(columns[i].begin(), columns[i].end())), std::to_string(i)));
    return all;
  }
  static Expr mean(const std::vector<Expr>& said) { return sum_in_order(of_one_type(said)) / double(said.size()); }
};

// log(exp(a) + exp(b)); minus infinity stays what it is.
Expr log_of_sum(Expr a, Expr b) {
  const Expr larger = maximum(a, b), other = minimum(a, b);
  return where(equal(larger, -HUGE_VAL), larger, larger + log(1.0 + exp(other - larger)));
}

}  // namespace

struct BaggingClassifier : Bagging {
  Tensor classes;

  void learned(Fields& f) {
    Bagging::learned(f);
    f("classes_", classes, {"classes"});
  }
  Outputs operator()(const Frame& x) const {
    const std::vector<Outputs> said = answers(x);
    std::vector<Expr> shares, scores, logs;
    for (const Outputs& out : said) {
      shares.push_back(share(out));
      if (decides(out)) scores.push_back(decision_of(out));
      if (out.predict_log_proba) logs.push_back(spread(*out.predict_log_proba, known(out), classes.size(), -HUGE_VAL));
    }
    const Expr p = mean(shares);
    Outputs out = classifier(classes, {.predict_proba = p});
    const bool alike = std::ranges::all_of(scores, [&](const Expr& z) { return z.shape() == scores[0].shape(); });
    if (scores.size() == said.size() && alike) out.decision_function = mean(scores);
    if (logs.size() == said.size())
      out.predict_log_proba = std::accumulate(logs.begin() + 1, logs.end(), logs[0], log_of_sum) - std::log(double(logs.size()));
    return out;
  }

 private:
  // A part was fitted on places among the classes, and may have met some only.
  std::vector<int64_t> known(const Outputs& out) const {
    if (out.classes.size() != 1) fail(Code::bad_file, "a part does not say its classes");
    const Array<int64_t> all = Array<int64_t>::of({classes.size()}, [](int64_t i) { return i; });
    return places_among(out.classes[0], all);
  }
  Expr share(const Outputs& out) const {
    if (out.predict_proba) return spread(probabilities_of(out), known(out), classes.size(), 0);
    return one_hot(cast(vector_of(predicted(out)), DataType::i64), classes.size());
  }
};

struct BaggingRegressor : Bagging {
  Outputs operator()(const Frame& x) const {
    std::vector<Expr> said;
    for (const Outputs& out : answers(x)) said.push_back(predicted(out));
    return regressor(mean(said));
  }
};

Definitions bagging_estimators() {
  constexpr std::string_view halves = "(n_estimators=8, max_features=.6, max_samples=.5, random_state=0)";
  constexpr std::string_view drawn = "(n_estimators=6, max_features=4, bootstrap_features=True, random_state=0)";
  return {
      reads<BaggingClassifier>("sklearn.ensemble.BaggingClassifier",
                               {.cases = {"(random_state=0)", halves, drawn}, .data = "ratings prices missing"}),
      // Few rows for each: some never meet a class.
      reads<BaggingClassifier>("sklearn.ensemble.BaggingClassifier",
                               {.cases = {"(DecisionTreeClassifier(max_depth=2), n_estimators=9, max_samples=5, random_state=0)"},
                                .data = "clean"}),
      reads<BaggingClassifier>("sklearn.ensemble.BaggingClassifier",
                               {.cases = {"(RidgeClassifier(), n_estimators=6, max_samples=20, random_state=0)"}, .data = "clean ratings"}),
      reads<BaggingClassifier>("sklearn.ensemble.BaggingClassifier",
                               {.cases = {"(LogisticRegression(), n_estimators=5, random_state=0)"},
                                .data = "clean",
                                .tolerance = 1e-12,
                                .outputs = "label probabilities scores log_probabilities"}),
      reads<BaggingClassifier>("sklearn.ensemble.BaggingClassifier",
                               {.cases = {"(GaussianNB(), n_estimators=5, random_state=0)"},
                                .data = "clean",
                                .tolerance = 1e-12,
                                .outputs = "label probabilities log_probabilities"}),
      reads<BaggingRegressor>("sklearn.ensemble.BaggingRegressor",
                              {.cases = {"(random_state=0)", halves, drawn}, .data = "ratings prices missing"}),
      reads<BaggingRegressor>("sklearn.ensemble.BaggingRegressor",
                              {.cases = {"(Ridge(), n_estimators=4, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
      reads<BaggingRegressor>("sklearn.ensemble.BaggingRegressor",
                              {.cases = {"(n_estimators=4, random_state=0)"}, .data = "ratings", .targets = "several"}),
      extends<BaggingClassifier>("imblearn.ensemble.BalancedBaggingClassifier"),
      extends<BaggingClassifier>("imblearn.ensemble.EasyEnsembleClassifier"),
  };
}

}  // namespace onward
