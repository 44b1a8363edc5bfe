// PowerTransformer: Box-Cox or Yeo-Johnson with each column's own exponent, then perhaps a scaler.
#include <cmath>

#include "onward/estimators/fields.h"
#include "onward/estimators/power_transformer.h"
#include "onward/graph/named_functions.h"

namespace onward {
namespace {

Expr named(std::string_view name, Expr x) { return named_function(name)->formula({&x, 1}); }

// (exp(rate · x) - 1) / rate, which is x where the rate is 0.
Expr grown(const Operand& rate, Expr x) {
  const Expr by = rate * x;
  return where(equal(rate.in(*x.graph), 0.0), x, named("expm1", by) / rate);
}

}  // namespace

Expr box_cox(Expr x, const Numbers& lambdas) {
  const Numbers rate = lambdas.map([](double l) { return std::abs(l) < 1e-19 ? 0 : l; });
  const Numbers sign = lambdas.map([](double l) { return std::copysign(1, l); });
  const Expr by = log(x) * rate;  // beyond the largest exponent the 1 is nothing
  const Expr far = exp(by - rate.map([](double l) { return std::log(std::abs(l)); })) * sign - rate.map([](double l) { return 1 / l; });
  return where(by >= 709.78, far, grown(rate, log(x)));
}

Expr yeo_johnson(Expr x, const Numbers& lambdas) {
  constexpr double nearly = 2.220446049250313e-16;
  const Numbers above = lambdas.map([](double l) { return std::abs(l) < nearly ? 0 : l; });
  const Numbers below = lambdas.map([](double l) { return std::abs(l - 2) <= nearly ? 0 : 2 - l; });
  const Expr positive = x >= 0.0;
  const Expr size = grown(where(positive, above, below), named("log1p", abs(x)));
  return where(positive, size, negated(size));
}

struct PowerTransformer {
  static constexpr bool takes_missing = true;
  enum class Method { yeo_johnson, box_cox } method = Method::yeo_johnson;
  Numbers lambdas;
  bool standardize = true;
  Estimator scaler;

  void learned(Fields& f) {
    f.choice("method", method, {{"yeo-johnson", Method::yeo_johnson}, {"box-cox", Method::box_cox}});
    f("lambdas_", lambdas, {"features"});
    f("standardize", standardize);
    if (standardize) f("_scaler", scaler);
  }
  Outputs operator()(Expr x) const {
    x = method == Method::box_cox ? box_cox(x, lambdas) : yeo_johnson(x, lambdas);
    return transformed(scaler ? scaler(Frame(x)).transform->numbers() : x);
  }
  std::optional<Expr> inverse(Expr y) const {
    if (scaler) {
      const std::optional<Expr> before = scaler.inverse(y);
      if (!before) return {};
      y = *before;
    }
    return method == Method::box_cox ? box_cox_back(y) : yeo_johnson_back(y);
  }

 private:
  Expr box_cox_back(Expr y) const {
    const Numbers rate = lambdas.map([](double l) { return l == 0 ? 1 : l; });
    return where(equal(Operand(lambdas).in(*y.graph), 0.0), exp(y), exp(named("log1p", y * rate) / rate));
  }
  // A number to the power of 1 / rate; where the rate is 0, the exponential.
  static Expr grown_back(const Numbers& rate, Expr y) {
    const Numbers some = rate.map([](double l) { return l == 0 ? 1 : l; });
    return where(equal(Operand(rate).in(*y.graph), 0.0), exp(y), power(y * some + 1.0, some.map([](double l) { return 1 / l; })));
  }
  Expr yeo_johnson_back(Expr y) const {
    constexpr double nearly = 2.220446049250313e-16;
    const Numbers above = lambdas.map([](double l) { return std::abs(l) < nearly ? 0 : l; });
    const Numbers below = lambdas.map([](double l) { return std::abs(l - 2) <= nearly ? 0 : 2 - l; });
    return where(y >= 0.0, grown_back(above, y) - 1.0, 1.0 - grown_back(below, negated(y)));
  }
};

Definitions power_transformer_estimators() {
  return {
      reads<PowerTransformer>("sklearn.preprocessing.PowerTransformer",
                              {.cases = {"()", "(standardize=False)"}, .data = "clean prices missing", .tolerance = 1e-12}),
      reads<PowerTransformer>("sklearn.preprocessing.PowerTransformer",
                              {.cases = {"(method='box-cox')", "(method='box-cox', standardize=False)"}, .data = "positive",
                               .tolerance = 1e-12}),
  };
}

}  // namespace onward
