// Dummies: an answer that does not depend on the row.
#include "onward/estimators/delegation.h"

namespace onward {

struct DummyClassifier {
  static constexpr bool takes_missing = true, takes_infinity = true;
  enum class Strategy { prior, most_frequent, constant } strategy = Strategy::prior;
  std::vector<Tensor> classes;   // one for each output
  std::vector<Numbers> priors;
  std::vector<int64_t> answers;  // the place of the answer among each output's classes

  void learned(Fields& f) {
    const auto kind = f.get("strategy");
    if (const std::string_view s = kind ? kind->str() : ""; s == "stratified" || s == "uniform")
      return f.refuse("strategy", text("is ", s, ": it draws an answer at random for each row"),
                      "convertible: prior, most_frequent, constant");
    f.choice("strategy", strategy, {{"prior", Strategy::prior}, {"most_frequent", Strategy::most_frequent},
                                    {"constant", Strategy::constant}});
    int64_t outputs = 1;
    f("n_outputs_", outputs);
    if (outputs > 1) f("classes_", classes, {"outputs"}), f("class_prior_", priors, {"outputs"});
    else f("classes_", classes.emplace_back()), f("class_prior_", priors.emplace_back());
    if (!f.ok()) return;
    for (size_t k = 0; k < classes.size(); ++k) {
      if (k >= priors.size() || priors[k].size() == 0 || priors[k].size() != classes[k].size())
        return f.bad("class_prior_", "does not fit classes_");
      answers.push_back(std::max_element(priors[k].begin(), priors[k].end()) - priors[k].begin());
    }
    if (strategy == Strategy::constant) read_constant(f);
  }
  Outputs operator()(const Frame& x) const {
    const Expr row = row_zeros(x);
    Outputs out{.role = Outputs::Role::classifier, .classes = classes};
    std::vector<Expr> labels, shares;
    for (size_t k = 0; k < classes.size(); ++k) {
      shares.push_back(pick(share(k), row));
      labels.push_back(pick(classes[k], row + Array<int64_t>{answers[k]}));
    }
    if (classes.size() == 1) {
      out.predict = labels[0], out.predict_proba = shares[0];
      return out;
    }
    std::vector<Expr> beside;
    for (const Expr& l : labels) beside.push_back(column_of(l));
    out.predict = concat(beside), out.probabilities_each = shares;
    return out;
  }

 private:
  Numbers share(size_t k) const {
    const Numbers& prior = priors[k];
    return Numbers::of({1, prior.size()}, [&](int64_t i) { return strategy == Strategy::prior ? prior[i] : i == answers[k] ? 1.0 : 0.0; });
  }
  // One value, or one for each output: a scalar, a list or an array.
  void read_constant(Fields& f) {
    const auto v = f.get("constant");
    if (!v) return f.bad("constant", "is missing");
    if (v->is(plain::Kind::array) && v->array->type->kind != 'O') {
      Tensor all;
      f.assign("constant", *v, all, {});
      if (!all || all.size() != int64_t(classes.size()))
        return f.bad("constant", text("is not one for each of ", classes.size(), " outputs"));
      const Tensor flat = all.reshaped({all.size()});
      for (size_t k = 0; k < classes.size(); ++k) {
        const std::vector<int64_t> places = places_among(slice(flat, int64_t(k)), classes[k]);
        answers[k] = places.at(0);
      }
      return;
    }
    std::vector<plain::Value> each = {*v};
    if (v->is(plain::Kind::list) || v->is(plain::Kind::tuple) || v->is(plain::Kind::array)) {
      const auto items = f.items_of("constant", *v);
      each.assign(items.begin(), items.end());
    }
    if (each.size() != classes.size()) return f.bad("constant", text("has ", each.size(), " items for ", classes.size(), " outputs"));
    for (size_t k = 0; k < each.size(); ++k) {
      const plain::Value one = each[k].items().size() == 1 ? each[k].items()[0] : each[k];
      const auto label = label_of(one);
      const auto place = label ? place_of(*label, classes[k]) : std::nullopt;
      if (!place) return f.bad("constant", text("is ", f.said(one), ", which is no class"));
      answers[k] = *place;
    }
  }
  static Tensor slice(const Tensor& t, int64_t i) {
    Tensor one;
    for_type<f64 | i64>(t.type(), [&]<class T>() { one = Array<T>{Array<T>(t)[i]}; });
    if (t.type() == DataType::str) one = Array<std::string>{Array<std::string>(t)[i]};
    if (t.type() == DataType::b8) one = Array<bool>{Array<bool>(t)[i]};
    return one;
  }
};

struct DummyRegressor {
  static constexpr bool takes_missing = true, takes_infinity = true;
  Numbers constant;  // (1, targets)

  void learned(Fields& f) {
    f("constant_", constant);
    if (constant && constant.size() == 0) f.bad("constant_", "is empty");
  }
  Outputs operator()(const Frame& x) const {
    const Expr y = pick(constant.reshaped({1, constant.size()}), row_zeros(x));
    return regressor(constant.size() == 1 ? vector_of(y) : y);
  }
};

Definitions dummy_estimators() {
  return {
      reads<DummyClassifier>("sklearn.dummy.DummyClassifier",
                             {.cases = {"()", "(strategy='most_frequent')"}, .data = "clean missing"}),
      reads<DummyClassifier>("sklearn.dummy.DummyClassifier",
                             {.cases = {"(strategy='constant', constant='no')", "(strategy='constant', constant=np.array(['yes']))"},
                              .data = "clean",
                              .targets = "binary"}),
      reads<DummyClassifier>("sklearn.dummy.DummyClassifier",
                             {.cases = {"(strategy='constant', constant=[1])"}, .data = "clean", .targets = "zeros and ones"}),
      reads<DummyClassifier>("sklearn.dummy.DummyClassifier",
                             {.cases = {"()", "(strategy='constant', constant=[15, 5])"}, .data = "clean", .targets = "several"}),
      reads<DummyRegressor>("sklearn.dummy.DummyRegressor",
                            {.cases = {"()", "(strategy='median')", "(strategy='quantile', quantile=.3)",
                                       "(strategy='constant', constant=3)"},
                             .data = "clean missing"}),
      reads<DummyRegressor>("sklearn.dummy.DummyRegressor", {.cases = {"()"}, .data = "clean", .targets = "several"}),
  };
}

}  // namespace onward
