// XGBoost: from its own files and from pickles of its booster and of its classes for scikit-learn. All of it is float32.
#include "onward/estimators/booster_inputs.h"
#include "onward/estimators/fields.h"
#include "onward/estimators/xgboost_model.h"

namespace onward {
namespace {

using Link = XgboostObjective::Link;
using Task = XgboostObjective::Task;

Expr answers(const XgboostModel& m, Expr z) {
  switch (m.objective.link) {
    case Link::logistic:
      return sigmoid(z);
    case Link::exponential:
      return exp(z);
    case Link::step:
      return cast(z > 0.0, DataType::f32);
    case Link::softmax: {  // summed in double, divided in float
      const Expr e = exp(z - max(z));
      return e / cast(sum(cast(e, DataType::f64)), DataType::f32);
    }
    default:
      return z;
  }
}

Array<int64_t> numbered(int64_t n) {
  return Array<int64_t>::of({n}, [](int64_t k) { return k; });
}

Expr second_of_two(Expr p) { return cast(p > 0.5, DataType::i64); }

Outputs with_scores(Outputs out, const XgboostModel& m, Expr in, Expr z) {
  out.decision_function = z, out.margin = true;
  out.apply = m.leaves(in);
  return out;
}

Outputs classes_of(const XgboostModel& m, const Tensor& classes, Expr in) {
  const Expr z = m.margin(in), p = answers(m, z);
  Outputs out{.role = Outputs::Role::classifier};
  if (m.objective.task == Task::many_classes) out = classifier(classes, argmax(p), {.predict_proba = p});
  else if (z.columns() > 1)  // many labels, which the library gives as 0.0 and 1.0
    out = {.role = Outputs::Role::classifier, .predict = cast(p > 0.5, DataType::f64), .predict_proba = p};
  else {
    out = classifier(classes, reshaped(second_of_two(p), {rows}), {});
    if (m.objective.link != Link::none) out.predict_proba = concat({1.0 - p, p});
  }
  return with_scores(out, m, in, z);
}

Outputs numbers_of(const XgboostModel& m, Expr in) {
  const Expr z = m.margin(in), y = answers(m, z);
  return with_scores(regressor(y.columns() == 1 ? reshaped(y, {rows}) : y), m, in, z);
}

Outputs outputs_of(const XgboostModel& m, const Frame& x, double missing) {
  const Expr in = m.input(x, missing);
  if (m.objective.task == Task::numbers) return numbers_of(m, in);
  return classes_of(m, numbered(std::max<int64_t>(m.outputs, 2)), in);
}

}  // namespace

struct XgboostBooster {
  static constexpr bool takes_missing = true, takes_infinity = true;
  std::shared_ptr<const XgboostModel> model;

  void learned(Fields& f) {
    const auto handle = f.get("handle");
    if (f.get("learner")) read(f, f.fitted().value);
    else if (!handle || handle->is(plain::Kind::none)) return f.bad("handle", "is missing: the booster is not fitted");
    else if (!handle->is(plain::Kind::bytes)) return f.bad("handle", text("is ", plain::name(handle->kind), "; expected bytes"));
    else if (!f.reading().document->inner) return f.bad("handle", "cannot be opened here");
    else {
      const plain::Document inner = f.reading().document->inner(handle->str());
      read(f, inner.root);
    }
  }
  Outputs operator()(const Frame& x) const {
    return outputs_of(model->wrapper.empty() ? *model : model->for_wrapper(), x, __builtin_nan(""));
  }

 private:
  void read(Fields& f, const plain::Value& state) {
    model = std::make_shared<const XgboostModel>(XgboostModel::read(state));
    f.same_input_as(model->facts);
  }
};

// The classes for scikit-learn: a booster, and what they do with missing values and classes.
struct XgboostWrapper {
  static constexpr bool takes_missing = true, takes_infinity = true;
  std::shared_ptr<const XgboostModel> model;
  double missing = __builtin_nan("");

  void learned(Fields& f) {
    if (const auto own = f.get("objective"); own && !own->is(plain::Kind::text) && !own->is(plain::Kind::none))
      return f.refuse("objective", text("is ", f.said(*own)), "fit with one of XGBoost's own objectives");
    Estimator booster;
    if (!f.given("_Booster")) return f.bad("_Booster", "is missing: the estimator is not fitted");
    f("_Booster", booster);
    f.since("missing", missing);
    const auto* inner = booster.as<XgboostBooster>();
    if (!inner || !inner->model) {
      if (f.ok()) f.bad("_Booster", "is no booster of XGBoost");
      return;
    }
    model = std::make_shared<const XgboostModel>(inner->model->for_wrapper());
    f.same_input_as(model->facts);
  }
};

struct XgboostRegressor : XgboostWrapper {
  Outputs operator()(const Frame& x) const { return numbers_of(*model, model->input(x, missing)); }
};

struct XgboostClassifier : XgboostWrapper {
  Tensor classes;

  void learned(Fields& f) {
    XgboostWrapper::learned(f);
    if (!model) return;
    if (model->objective.task == Task::numbers)
      return f.refuse("objective", text("is ", std::string(model->objective.name)), "fit a classifier with an objective for classes");
    const int64_t n = std::max<int64_t>(model->outputs, 2);
    if (f.get("classes_")) f("classes_", classes, {std::to_string(n)});  // until 1.7; then they are numbers from 0 on
    else classes = numbered(n);
  }
  Outputs operator()(const Frame& x) const { return classes_of(*model, classes, model->input(x, missing)); }
};

Definitions xgboost_estimators() {
  return {from_files<XgboostBooster>("xgboost.Booster"),
          from_files<XgboostClassifier>("xgboost.XGBClassifier"),
          from_files<XgboostClassifier>("xgboost.XGBRFClassifier"),
          from_files<XgboostRegressor>("xgboost.XGBRegressor"),
          from_files<XgboostRegressor>("xgboost.XGBRFRegressor"),
          from_files<XgboostRegressor>("xgboost.XGBRanker")};
}

}  // namespace onward
