// LightGBM: from its text files and from pickles of its booster and of its classes for scikit-learn. All of it is float64.
#include "onward/estimators/booster_inputs.h"
#include "onward/estimators/fields.h"
#include "onward/estimators/lightgbm_model.h"

namespace onward {
namespace {

using Task = LightgbmObjective::Task;

Array<int64_t> numbered(int64_t n) {
  return Array<int64_t>::of({n}, [](int64_t k) { return k; });
}

Outputs outputs_of(const LightgbmModel& m, const Frame& x, const Tensor& classes) {
  const LightgbmFormula formula(m);
  const Expr in = formula.input(x), z = formula.scores(in), y = formula.answers(z);
  Outputs out;
  if (!classes) out = regressor(y.columns() == 1 ? reshaped(y, {rows}) : y);
  else out = classifier(classes, {.predict_proba = y.columns() == 1 ? concat({1.0 - y, y}) : y});
  out.decision_function = z, out.margin = true;
  if (!m.trees.empty()) out.apply = formula.leaves(in);
  return out;
}

}  // namespace

struct LightgbmBooster {
  static constexpr bool takes_missing = true, takes_infinity = true;
  std::shared_ptr<const LightgbmModel> model;

  void learned(Fields& f) {
    std::optional<plain::Value> handle = f.get("_handle");  // since 4.0
    if (!handle) handle = f.get("handle");
    if (f.get("trees")) read(f, f.fitted().value);
    else if (!handle || handle->is(plain::Kind::none)) return f.bad("handle", "is missing: the booster is not fitted");
    else if (!handle->is(plain::Kind::text)) return f.bad("handle", text("is ", plain::name(handle->kind), "; expected text"));
    else if (!f.reading().document->inner) return f.bad("handle", "cannot be opened here");
    else {
      const plain::Document inner = f.reading().document->inner(handle->str());
      read(f, inner.root);
    }
  }
  Outputs operator()(const Frame& x) const {
    return outputs_of(*model, x,
                      model->objective.task == Task::numbers ? Tensor() : Tensor(numbered(std::max<int64_t>(model->outputs, 2))));
  }

 private:
  void read(Fields& f, const plain::Value& state) {
    auto whole = std::make_shared<LightgbmModel>(LightgbmModel::read(state));
    int64_t best = 0;  // a pickled booster keeps the rounds after the best; its predict leaves them out
    if (f.given("best_iteration")) f("best_iteration", best);
    whole->keep_rounds(best);
    model = std::move(whole);
    f.same_input_as(model->facts);
  }
};

struct LightgbmWrapper {
  static constexpr bool takes_missing = true, takes_infinity = true;
  std::shared_ptr<const LightgbmModel> model;

  void learned(Fields& f) {
    for (const char* field : {"objective", "_objective"})
      if (const auto own = f.get(field); own && !own->is(plain::Kind::text) && !own->is(plain::Kind::none))
        return f.refuse(field, text("is ", f.said(*own)), "fit with one of LightGBM's own objectives");
    if (!f.given("_Booster")) return f.bad("_Booster", "is missing: the estimator is not fitted");
    Estimator booster;
    f("_Booster", booster);
    const auto* inner = booster.as<LightgbmBooster>();
    if (!inner || !inner->model) {
      if (f.ok()) f.bad("_Booster", "is no booster of LightGBM");
      return;
    }
    model = inner->model;
    f.same_input_as(model->facts);
  }
};

struct LightgbmRegressor : LightgbmWrapper {
  Outputs operator()(const Frame& x) const { return outputs_of(*model, x, {}); }
};

struct LightgbmClassifier : LightgbmWrapper {
  Tensor classes;
  bool decides = false;  // since 4.7 the class has a decision_function: the raw scores

  void learned(Fields& f) {
    LightgbmWrapper::learned(f);
    if (!model) return;
    decides = f.get("_fitted_with_feature_names").has_value();  // first written by 4.7
    f("_classes", classes, {std::to_string(std::max<int64_t>(model->outputs, 2))});
  }
  Outputs operator()(const Frame& x) const {
    Outputs out = outputs_of(*model, x, classes);
    out.margin = !decides;
    return out;
  }
};

Definitions lightgbm_estimators() {
  return {from_files<LightgbmBooster>("lightgbm.Booster"), from_files<LightgbmClassifier>("lightgbm.LGBMClassifier"),
          from_files<LightgbmRegressor>("lightgbm.LGBMRegressor"), from_files<LightgbmRegressor>("lightgbm.LGBMRanker")};
}

}  // namespace onward
