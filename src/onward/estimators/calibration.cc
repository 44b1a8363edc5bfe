// CalibratedClassifierCV: the scores of classifiers, each turned into probabilities by functions fitted beside it; their mean.
#include "onward/estimators/delegation.h"
#include "onward/estimators/isotonic.h"
#include "onward/estimators/linear_model.h"

namespace onward {
namespace {

// What stands between a score and a probability.
struct Calibrator {
  enum class Kind { sigmoid, isotonic, temperature } kind = Kind::sigmoid;
  double a = 0, b = 0;  // sigmoid: 1 / (1 + exp(a · score + b)); temperature: a is its inverse
  IsotonicRegression line;

  Expr operator()(Expr score) const {  // (batch) -> (batch, 1)
    if (kind == Kind::isotonic) return column_of(line.value(score));
    return column_of(sigmoid(negated(a * cast(score, DataType::f64) + b)));
  }
};

struct Calibrated {
  Estimator estimator;
  std::vector<Calibrator> calibrators;
};

// A number of an object that is no estimator of its own.
double number_of(Fields& f, const plain::Value& object, std::string_view name) {
  double value = 0;
  if (const auto v = object.find(name)) f.assign(name, *v, value, {});
  else f.bad("calibrators", text("lack ", name));
  return value;
}

Calibrator read_calibrator(Fields& f, const plain::Value& v) {
  Calibrator c;
  const std::string_view name = v.is(plain::Kind::object) && v.object->callee.is(plain::Kind::global) ? v.object->callee.global->name : "";
  if (name == "_SigmoidCalibration") {
    c.a = number_of(f, v, "a_"), c.b = number_of(f, v, "b_");
  } else if (name == "_TemperatureScaling") {
    c.kind = Calibrator::Kind::temperature, c.a = number_of(f, v, "beta_");
  } else if (name == "IsotonicRegression") {
    c.kind = Calibrator::Kind::isotonic;
    const Estimator line = f.estimator(v, "calibrator");
    if (const auto* fitted = line.as<IsotonicRegression>()) c.line = *fitted;
  } else {
    f.bad("calibrators", text("hold ", f.said(v)));
  }
  return c;
}

}  // namespace

struct CalibratedClassifierCV {
  static constexpr bool takes_missing = true, takes_infinity = true;  // the classifiers say what they refuse
  std::vector<Calibrated> each;
  Tensor classes;

  void learned(Fields& f) {
    f("classes_", classes, {"classes"});
    const auto list = f.get("calibrated_classifiers_");
    if (!list) return f.bad("calibrated_classifiers_", "is missing: the estimator is not fitted");
    for (const plain::Value& v : f.items_of("calibrated_classifiers_", *list)) {
      const auto inner = v.find("estimator") ? v.find("estimator") : v.find("base_estimator");  // 1.2
      const auto calibrators = v.find("calibrators");
      if (!inner || !calibrators) return f.bad("calibrated_classifiers_", "holds an item without an estimator or calibrators");
      Calibrated& c = each.emplace_back();
      c.estimator = f.estimator(*inner, text("calibrated_classifiers_[", each.size() - 1, "]"));
      for (const plain::Value& one : f.items_of("calibrators", *calibrators)) c.calibrators.push_back(read_calibrator(f, one));
      if (c.calibrators.empty()) f.bad("calibrators", "are empty");
    }
    if (each.empty()) return f.bad("calibrated_classifiers_", "is empty");
    takes_what_its_parts_take(f, {each[0].estimator});
  }

  Outputs operator()(const Frame& x) const {
    std::vector<Expr> said;
    for (size_t i = 0; i < each.size(); ++i) {
      const Expr p = calibrated(each[i], ask(each[i].estimator, x, std::to_string(i)));
      said.push_back(where(both(p > 1.0, p <= 1.0 + 1e-5), 1.0, p));
    }
    return classifier(classes, {.predict_proba = sum_in_order(said) / double(said.size())});
  }

 private:
  Expr calibrated(const Calibrated& c, const Outputs& out) const {
    const Response r = response_of(out, {Method::decision_function, Method::predict_proba});
    if (c.calibrators[0].kind == Calibrator::Kind::temperature) return tempered(c.calibrators[0], r);
    if (out.classes.size() != 1) fail(Code::bad_file, "a classifier does not say its classes");
    const std::vector<int64_t> places = places_among(out.classes[0], classes);
    const Expr scores = column_of(r.values);
    const size_t several = std::min({places.size(), size_t(scores.columns()), c.calibrators.size()});
    if (classes.size() == 2) {
      if (places[0] != 0) fail(Code::unsupported_estimator, "a classifier met only the second of two classes");
      return beside(c.calibrators[0](column(scores, 0)));
    }
    std::vector<Expr> columns;
    for (size_t k = 0; k < several; ++k) columns.push_back(c.calibrators[k](column(scores, int64_t(k))));
    const std::vector<int64_t> own(places.begin(), places.begin() + long(several));
    return normalised(spread(concat(columns), own, classes.size(), 0));
  }
  // One factor for all classes. The library looks at the numbers to see whether they are probabilities; which method gave them says it.
  Expr tempered(const Calibrator& c, const Response& r) const {
    Expr z = r.values;
    if (r.method == Method::predict_proba) {
      const Expr p = z.shape().size() == 1 ? beside(column_of(z)) : z;
      z = log(p + 1e-12);
    } else if (z.shape().size() == 1) {
      z = concat({negated(column_of(z)), column_of(z)});
    }
    if (z.columns() != classes.size())
      fail(Code::unsupported_estimator, "a classifier gives ", z.columns(), " scores of ", classes.size(), " classes");
    return softmax(c.a * z);
  }
};

Definitions calibration_estimators() {
  constexpr std::string_view usual = "(cv=2)", lines = "(GaussianNB(), method='isotonic', cv=3)",
                             trees = "(DecisionTreeClassifier(max_depth=3), method='isotonic', cv=2)",
                             whole = "(LogisticRegression(), cv=2, ensemble=False)",
                             tempered = "(GaussianNB(), method='temperature', cv=2)",
                             scored = "(LinearSVC(random_state=0), method='temperature', cv=2, ensemble=False)";
  return {
      reads<CalibratedClassifierCV>("sklearn.calibration.CalibratedClassifierCV",
                                    {.cases = {usual, lines, trees, whole}, .data = "clean ratings", .tolerance = 1e-12}),
      reads<CalibratedClassifierCV>("sklearn.calibration.CalibratedClassifierCV",
                                    {.cases = {tempered, scored}, .data = "clean", .targets = "classes", .tolerance = 1e-12}),
      reads<CalibratedClassifierCV>("sklearn.calibration.CalibratedClassifierCV",
                                    {.cases = {tempered, scored}, .data = "clean", .targets = "binary", .tolerance = 1e-12}),
  };
}

}  // namespace onward
