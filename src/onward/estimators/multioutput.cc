// Several targets: an estimator for each, side by side or each seeing what those before it said.
#include <utility>

#include "onward/estimators/delegation.h"

namespace onward {
namespace {

Expr side_by_side(const std::vector<Expr>& vectors) {
  std::vector<Expr> all;
  for (const Expr& v : vectors) all.push_back(column_of(v));
  return concat(all);
}

struct Chain {
  Parts parts;
  std::vector<int64_t> order;  // parts[i] is for target order[i]
  Method passed_on = Method::predict;

  void learned(Fields& f) {
    f("estimators_", parts);
    if (const auto v = f.get("order_"); v && v->is(plain::Kind::array)) {
      Array<int64_t> all;
      f.assign("order_", *v, all, {"targets"});
      order.assign(all.begin(), all.end());
    } else {
      f("order_", order);
    }
    if (f.given("chain_method_"))
      f.choice("chain_method_", passed_on,
               {{"predict", Method::predict}, {"predict_proba", Method::predict_proba}, {"decision_function", Method::decision_function}});
    if (!f.ok()) return;
    std::vector<char> seen(parts.size(), 0);
    for (const int64_t t : order)
      if (t < 0 || t >= int64_t(parts.size()) || std::exchange(seen[size_t(t)], 1)) return f.bad("order_", "does not number the targets");
    if (parts.empty() || order.size() != parts.size())
      f.bad("order_", text("has ", order.size(), " items for ", parts.size(), " estimators"));
  }
  // Each part's answers, in the order of the chain.
  std::vector<Outputs> answers(const Frame& given) const {
    std::vector<Outputs> all;
    Frame x(given.numbers());
    for (size_t i = 0; i < parts.size(); ++i) {
      all.push_back(ask(parts[i], x, std::to_string(i)));
      x.append(Frame(column_of(cast(response_of(all.back(), {passed_on}).values, DataType::f64))));
    }
    return all;
  }
  // (batch, targets), in their own order.
  template <class F>
  Expr each(const std::vector<Outputs>& said, F value) const {
    std::vector<Expr> all(said.size());
    for (size_t i = 0; i < said.size(); ++i) all[size_t(order[i])] = cast(value(said[i]), DataType::f64);
    return side_by_side(all);
  }
};

}  // namespace

struct ClassifierChain : Chain {
  Outputs operator()(const Frame& x) const {
    const std::vector<Outputs> said = answers(x);
    Outputs out{.role = Outputs::Role::classifier};
    out.predict = each(said, predicted);  // numbers, whatever the labels were
    if (std::ranges::all_of(said, [](const Outputs& o) { return o.predict_proba && o.predict_proba->columns() == 2; }))
      out.predict_proba = each(said, [](const Outputs& o) { return columns(probabilities_of(o), {1}); });
    if (std::ranges::all_of(said, [](const Outputs& o) { return decides(o) && o.decision_function->columns() == 1; }))
      out.decision_function = each(said, decision_of);
    return out;
  }
};

struct RegressorChain : Chain {
  Outputs operator()(const Frame& x) const { return regressor(each(answers(x), predicted)); }
};

// An estimator for each output.
struct ByOutput {
  static constexpr bool takes_missing = true, takes_infinity = true;  // each part says what it refuses
  Parts parts;

  void learned(Fields& f) {
    f("estimators_", parts);
    if (parts.empty()) return f.bad("estimators_", "is empty");
    takes_what_its_parts_take(f, parts);
  }
};

struct MultiOutputRegressor : ByOutput {
  Outputs operator()(const Frame& x) const {
    std::vector<Expr> said;
    for (const Outputs& out : ask_all(parts, x)) said.push_back(predicted(out));
    return regressor(side_by_side(of_one_type(said)));
  }
};

struct MultiOutputClassifier : ByOutput {
  Outputs operator()(const Frame& x) const {
    Outputs out{.role = Outputs::Role::classifier};
    std::vector<Expr> labels;
    const std::vector<Outputs> said = ask_all(parts, x);
    const bool shares = std::ranges::all_of(said, [](const Outputs& o) { return o.predict_proba && o.classes.size() == 1; });
    for (const Outputs& o : said) {
      labels.push_back(predicted(o));
      if (!shares) continue;
      out.probabilities_each.push_back(*o.predict_proba), out.classes.push_back(o.classes[0]);
    }
    out.predict = side_by_side(labels);
    return out;
  }
};

Definitions multioutput_estimators() {
  constexpr std::string_view words = "label probabilities";
  return {
      reads<MultiOutputClassifier>("sklearn.multioutput.MultiOutputClassifier",
                                   {.cases = {"(LogisticRegression())", "(RidgeClassifier())"}, .data = "clean", .targets = "several",
                                    .tolerance = 1e-12}),
      reads<MultiOutputClassifier>("sklearn.multioutput.MultiOutputClassifier",
                                   {.cases = {"(DecisionTreeClassifier(max_depth=4))"}, .data = "ratings missing", .targets = "several"}),
      reads<MultiOutputRegressor>("sklearn.multioutput.MultiOutputRegressor",
                                  {.cases = {"(Ridge())", "(GradientBoostingRegressor(n_estimators=5, random_state=0))"},
                                   .data = "clean ratings",
                                   .targets = "several",
                                   .tolerance = 1e-12}),
      reads<ClassifierChain>("sklearn.multioutput.ClassifierChain",
                             {.cases = {"(LogisticRegression())", "(LogisticRegression(), order=[1, 0], cv=2)",
                                        "(LogisticRegression(), chain_method='predict_proba', order='random', random_state=1)",
                                        "(LogisticRegression(), chain_method='decision_function')"},
                              .data = "clean",
                              .targets = "multilabel",
                              .tolerance = 1e-12,
                              .outputs = "label probabilities scores"}),
      reads<ClassifierChain>("sklearn.multioutput.ClassifierChain",
                             {.cases = {"(DecisionTreeClassifier(max_depth=4))"}, .data = "ratings", .targets = "multilabel",
                              .outputs = words}),
      reads<ClassifierChain>("sklearn.multioutput.ClassifierChain",
                             {.cases = {"(DecisionTreeClassifier(max_depth=4))"}, .data = "ratings", .targets = "several",
                              .outputs = "label"}),
      reads<RegressorChain>("sklearn.multioutput.RegressorChain",
                            {.cases = {"(Ridge())", "(DecisionTreeRegressor(max_depth=4), order=[1, 0])"},
                             .data = "clean ratings",
                             .targets = "several",
                             .tolerance = 1e-12}),
  };
}

}  // namespace onward
