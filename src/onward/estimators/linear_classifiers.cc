#include "onward/estimators/linear_model.h"

namespace onward {

Expr beside(Expr p) { return concat({1.0 - p, p}); }

Expr normalised(Expr p) {
  const Expr total = sum(p);
  return where(equal(total, 0.0), Numbers{1.0 / double(p.columns())}, p / total);
}

void LinearClassifier::learned(Fields& f) {
  f("classes_", classes, {"classes"});
  f("coef_", coef, {"scores", "features"});
  f("intercept_", intercept);
  // A model without an intercept says 0.0, not zeros.
  if (intercept && intercept.size() != 1) f.check("intercept_", intercept.shape(), {"scores"});
  if (classes && coef && f.dim("scores") != (classes.size() == 2 ? 1 : classes.size()))
    f.bad("coef_", text("has ", f.dim("scores"), " rows for ", classes.size(), " classes"));
}

Expr LinearClassifier::one_against_rest(Expr z) const { return binary() ? beside(sigmoid(z)) : normalised(sigmoid(z)); }

struct LogisticRegression : LinearClassifier {
  bool softmax_of_all = true;

  void learned(Fields& f) {
    LinearClassifier::learned(f);
    std::string solver, multi_class = "auto";
    f("solver", solver);
    if (const auto v = f.get("multi_class")) multi_class = v->str();  // until 1.7
    softmax_of_all = multi_class == "multinomial" || (classes.size() > 2 && multi_class != "ovr" && solver != "liblinear");
  }
  Outputs operator()(Expr x) const {
    const Expr z = scores(x);
    Outputs out = classifier(classes, {.decision_function = z});
    out.predict_proba = !softmax_of_all ? one_against_rest(z) : binary() ? softmax(concat({negated(z), z})) : softmax(z);
    return out;
  }
};

struct SGDClassifier : LinearClassifier {
  enum class Loss { log, huber, other } loss = Loss::other;

  void learned(Fields& f) {
    LinearClassifier::learned(f);
    std::string name;
    f("loss", name);
    if (name == "log_loss" || name == "log") loss = Loss::log;
    if (name == "modified_huber") loss = Loss::huber;
  }
  Outputs operator()(Expr x) const {
    const Expr z = scores(x);
    Outputs out = classifier(classes, {.decision_function = z});
    if (loss == Loss::log) out.predict_proba = one_against_rest(z);
    if (loss == Loss::huber) {
      const Expr p = (minimum(maximum(z, -1.0), 1.0) + 1.0) / 2.0;
      out.predict_proba = binary() ? beside(p) : normalised(p);
    }
    return out;
  }
};

// Scores of a regression on ±1. With several labels at once each column has its own threshold at 0.
struct RidgeClassifier : LinearClassifier {
  bool multilabel = false;

  void learned(Fields& f) {
    if (const auto binarizer = f.get("_label_binarizer")) {
      if (const auto kind = binarizer->find("y_type_")) multilabel = kind->str().starts_with("multilabel");
      if (const auto c = binarizer->find("classes_")) f.assign("classes_", *c, classes, {"classes"});
    } else {
      f("classes_", classes, {"classes"});
    }
    f("coef_", coef);
    f("intercept_", intercept);
    if (coef && coef.shape().size() == 1) coef = coef.reshaped({1, coef.size()});  // binary, since 1.9
    if (coef) f.check("coef_", coef.shape(), {"scores", "features"});
    if (intercept && intercept.size() != 1) f.check("intercept_", intercept.shape(), {"scores"});
    if (classes && !multilabel && coef && f.dim("scores") != (classes.size() == 2 ? 1 : classes.size()))
      f.bad("coef_", text("has ", f.dim("scores"), " rows for ", classes.size(), " classes"));
  }
  Outputs operator()(Expr x) const {
    const Expr z = scores(x);
    if (!multilabel) return classifier(classes, {.decision_function = z});
    return {.role = Outputs::Role::classifier, .predict = cast(z > 0.0, DataType::i64), .decision_function = z};
  }
};

Definitions linear_classifiers_estimators() {
  const auto row = []<class M>(std::string_view name, std::vector<std::string_view> cases = {"()"}, std::string_view targets = "") {
    return reads<M>(name, {.cases = std::move(cases), .targets = targets, .tolerance = 1e-12});
  };
  return {
      row.operator()<LogisticRegression>("sklearn.linear_model.LogisticRegression",
                                         {"()", "(solver='newton-cg')", "(fit_intercept=False)", "(C=0.01)"}),
      row.operator()<LogisticRegression>("sklearn.linear_model.LogisticRegressionCV", {"(Cs=2, cv=2)"}),
      row.operator()<SGDClassifier>("sklearn.linear_model.SGDClassifier",
                                    {"(random_state=0)", "(loss='log_loss', random_state=0)", "(loss='modified_huber', random_state=0)",
                                     "(loss='perceptron', random_state=0)"}),
      row.operator()<RidgeClassifier>("sklearn.linear_model.RidgeClassifier"),
      row.operator()<RidgeClassifier>("sklearn.linear_model.RidgeClassifier", {"()"}, "multilabel"),
      row.operator()<RidgeClassifier>("sklearn.linear_model.RidgeClassifierCV"),
      // Coefficients of thousands whose products cancel: a score of 1 is the sum of terms of 1e5, each rounded at 1e-11.
      reads<LinearClassifier>("sklearn.linear_model.Perceptron", {.cases = {"(random_state=0)"}, .tolerance = 1e-10}),
      reads<LinearClassifier>("sklearn.linear_model.PassiveAggressiveClassifier", {.cases = {"(random_state=0)"}, .tolerance = 1e-10}),
      row.operator()<LinearClassifier>("sklearn.svm.LinearSVC", {"(random_state=0)", "(fit_intercept=False, random_state=0)"}),
  };
}

}  // namespace onward
