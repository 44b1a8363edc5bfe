// Stacking: what several estimators say is the table of a last one.
#include "onward/estimators/delegation.h"

namespace onward {
namespace {

struct Stacking {
  static constexpr bool takes_missing = true, takes_infinity = true;  // each part says what it refuses
  Parts parts;
  std::vector<std::string> names;  // of the parts, without those dropped
  std::vector<Method> methods;
  Estimator last;
  bool passthrough = false;
  std::vector<Tensor> classes;  // one, or one for each of several labels
  bool several = false;

  void learned(Fields& f) {
    f("estimators_", parts);
    f("final_estimator_", last);
    f("passthrough", passthrough);
    takes_what_its_parts_take(f, parts);
    for (const auto& part : f.named("estimators"))
      if (part.value.str() != "drop" && !part.value.is(plain::Kind::none)) names.push_back(part.name);
    std::vector<std::string> asked;
    f("stack_method_", asked);
    for (const std::string& m : asked) {
      if (m == "predict_proba") methods.push_back(Method::predict_proba);
      else if (m == "decision_function") methods.push_back(Method::decision_function);
      else if (m == "predict") methods.push_back(Method::predict);
      else f.bad("stack_method_", text("holds ", m));
    }
    if (parts.empty() || names.size() != parts.size() || methods.size() != parts.size())
      f.bad("estimators_", text("holds ", parts.size(), " for ", names.size(), " names and ", methods.size(), " methods"));
  }

  // The table of the last estimator.
  Frame said(const Frame& x) const {
    const auto own = text(one_output() ? "stackingclassifier" : "stackingregressor", "_");
    Frame all;
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::vector<Expr> blocks = answers(ask(parts[i], x, names[i]), methods[i]);
      const Expr block = concat(of_one_type(blocks));
      std::vector<std::string> columns;
      for (int64_t k = 0; k < block.columns(); ++k) columns.push_back(own + (block.columns() == 1 ? names[i] : text(names[i], k)));
      all.append(Frame(block, columns));
    }
    if (passthrough) all.append(x);
    return all;
  }
  Outputs finished(const Frame& table) const {
    Outputs out = ask(last, table, "final_estimator");
    out.transform = table, out.names = Outputs::Names::as_given;
    out.apply.reset(), out.distances.reset(), out.neighbors.reset(), out.score_samples.reset();
    return out;
  }
  bool one_output() const { return !classes.empty(); }

 private:
  std::vector<Expr> answers(const Outputs& out, Method method) const {
    if (method == Method::predict_proba && !out.probabilities_each.empty()) {  // of several labels: each without its first column
      std::vector<Expr> each;
      for (const Expr& p : out.probabilities_each) each.push_back(without_first(p));
      return each;
    }
    if (method == Method::predict) return {column_of(predicted(out))};
    if (method == Method::decision_function) return {column_of(decision_of(out))};
    const Expr p = probabilities_of(out);
    const bool two = several ? classes.size() == 2 : one_output() && classes[0].size() == 2;  // the library asks len(classes_)
    return {two ? without_first(p) : p};
  }
  static Expr without_first(Expr p) {
    std::vector<int64_t> kept;
    for (int64_t k = 1; k < p.columns(); ++k) kept.push_back(k);
    if (kept.empty()) fail(Code::unsupported_estimator, "a part knows one class only, so it adds no column");
    return columns(p, kept);
  }
};

}  // namespace

struct StackingClassifier : Stacking {
  void learned(Fields& f) {
    const auto known = f.get("classes_");
    several = known && known->is(plain::Kind::list);
    if (several) f("classes_", classes);
    else f("classes_", classes.emplace_back());
    Stacking::learned(f);
    if (classes.empty()) f.bad("classes_", "is empty");
  }
  Outputs operator()(const Frame& x) const {
    Outputs out = finished(said(x));
    out.predict_log_proba.reset();
    const Expr places = cast(predicted(out), DataType::i64);  // the last estimator was fitted on places among the classes
    if (!several) {
      out.predict = pick(classes[0], vector_of(places));
      out.classes = classes;
      return out;
    }
    std::vector<Expr> labels, first;
    if (places.columns() != int64_t(classes.size()))
      fail(Code::bad_file, "the last estimator gives ", places.columns(), " labels of ", classes.size());
    for (size_t k = 0; k < classes.size(); ++k) labels.push_back(pick(classes[k], columns(places, {int64_t(k)})));
    // Of each label the library keeps the probability of its first class.
    for (const Expr& p : out.probabilities_each) first.push_back(columns(p, {0}));
    out.predict = concat(labels), out.classes = {}, out.probabilities_each = {};
    out.predict_proba = first.empty() ? std::nullopt : std::optional(concat(first));
    return out;
  }
};

struct StackingRegressor : Stacking {
  Outputs operator()(const Frame& x) const { return finished(said(x)); }
};

Definitions stacking_estimators() {
  constexpr std::string_view mixed =
      "([('a', LogisticRegression()), ('b', 'drop'), ('c', RidgeClassifier()), ('d', DecisionTreeClassifier(max_depth=3))], cv=2)";
  constexpr std::string_view passed =
      "([('a', KNeighborsClassifier()), ('b', GaussianNB())], DecisionTreeClassifier(max_depth=4, random_state=0), cv=2, passthrough=True)";
  constexpr std::string_view labels =
      "([('a', DecisionTreeClassifier(max_depth=3)), ('b', DecisionTreeClassifier(max_depth=5))],"
      " RandomForestClassifier(5, random_state=0), cv=2, stack_method='predict')";
  constexpr std::string_view several =
      "([('a', DecisionTreeClassifier(max_depth=3)), ('b', RandomForestClassifier(5, random_state=0))],"
      " DecisionTreeClassifier(max_depth=3, random_state=0), cv=2)";
  constexpr std::string_view regressors =
      "([('a', Ridge()), ('b', DecisionTreeRegressor(max_depth=4)), ('c', make_pipeline(StandardScaler(), KNeighborsRegressor()))], cv=2)";
  constexpr std::string_view passing = "([('a', Ridge()), ('b', 'drop'), ('c', LinearRegression())], Ridge(), cv=2, passthrough=True)";
  constexpr std::string_view all = "label probabilities transformed";
  return {
      reads<StackingClassifier>("sklearn.ensemble.StackingClassifier",
                                {.cases = {mixed}, .data = "clean ratings", .tolerance = 1e-12,
                                 .outputs = "label probabilities scores transformed"}),
      reads<StackingClassifier>("sklearn.ensemble.StackingClassifier",
                                {.cases = {passed}, .data = "clean", .tolerance = 1e-12, .outputs = all}),
      reads<StackingClassifier>("sklearn.ensemble.StackingClassifier", {.cases = {labels}, .data = "ratings missing", .outputs = all}),
      reads<StackingClassifier>("sklearn.ensemble.StackingClassifier",
                                {.cases = {several}, .data = "ratings", .targets = "multilabel", .outputs = all}),
      reads<StackingRegressor>("sklearn.ensemble.StackingRegressor",
                               {.cases = {regressors, passing}, .data = "clean ratings", .tolerance = 1e-12,
                                .outputs = "variable transformed"}),
  };
}

}  // namespace onward
