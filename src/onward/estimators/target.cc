// TransformedTargetRegressor: a regressor of a transformed target, whose answer is transformed back.
#include "onward/estimators/delegation.h"

namespace onward {

struct TransformedTargetRegressor {
  static constexpr bool takes_missing = true, takes_infinity = true;  // the regressor says what it refuses
  Estimator regressor, transformer;
  bool one_target = true;

  void learned(Fields& f) {
    f("regressor_", regressor);
    f("transformer_", transformer);
    if (regressor) takes_what_its_parts_take(f, {regressor});
    int64_t dimensions = 1;
    f("_training_dim", dimensions);
    one_target = dimensions == 1;
    if (dimensions != 1 && dimensions != 2)
      f.refuse("_training_dim", text("is ", dimensions), "convertible: targets of one or two dimensions");
  }
  Outputs operator()(const Frame& x) const {
    const Expr made = column_of(cast(predicted(ask(regressor, x, "regressor")), DataType::f64));
    const std::optional<Expr> y = transformer.inverse(made);
    if (!y)
      fail(Code::unsupported_estimator, transformer.facts().class_name,
           ", the transformer of the target, has no convertible inverse_transform");
    return onward::regressor(one_target && y->columns() == 1 ? vector_of(*y) : *y);
  }
};

Definitions target_estimators() {
  constexpr std::string_view same = "()", logs = "(Ridge(), func=np.log1p, inverse_func=np.expm1)",
                             scaled = "(DecisionTreeRegressor(max_depth=4), transformer=StandardScaler())",
                             ranged = "(Ridge(), transformer="
                                      "make_pipeline(RobustScaler(), 'passthrough', MinMaxScaler((-1, 1)), MaxAbsScaler()))";
  constexpr std::string_view powers = "(LinearRegression(), transformer=PowerTransformer())",
                             boxed = "(Ridge(), transformer=PowerTransformer(method='box-cox'))",
                             quantiles = "(DecisionTreeRegressor(max_depth=5), transformer=QuantileTransformer(n_quantiles=50))";
  return {
      reads<TransformedTargetRegressor>("sklearn.compose.TransformedTargetRegressor",
                                        {.cases = {powers, boxed, quantiles}, .data = "clean", .targets = "positive", .tolerance = 1e-12}),
      reads<TransformedTargetRegressor>("sklearn.compose.TransformedTargetRegressor",
                                        {.cases = {same, logs, scaled, ranged}, .data = "clean ratings", .targets = "positive",
                                         .tolerance = 1e-12}),
      reads<TransformedTargetRegressor>("sklearn.compose.TransformedTargetRegressor",
                                        {.cases = {scaled}, .data = "ratings", .targets = "several", .tolerance = 1e-12}),
  };
}

}  // namespace onward
