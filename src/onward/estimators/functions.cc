// FunctionTransformer: a function known by name stands for its formula; any other holds code.
#include "onward/estimators/fields.h"

namespace onward {
namespace {

// Accurate near 0, where 1 + x would lose x: log(u)·x/(u - 1) with u = 1 + x rounded.
Expr log1p(Expr x) {
  const Expr u = 1.0 + x, off = u - 1.0;
  return where(equal(off, 0.0), x, where(equal(u, __builtin_inf()), u, log(u) * x / off));
}
Expr expm1(Expr x) {
  const Expr u = exp(x), off = u - 1.0;
  return where(equal(off, 0.0), x, where(either(equal(off, -1.0), equal(u, __builtin_inf())), off, off * x / log(u)));
}
Expr sign(Expr x) { return unary("Sign", x); }

struct KnownFunction {
  std::string_view name;
  Expr (*formula)(Expr);
};
constexpr KnownFunction functions[] = {
    {"abs", [](Expr x) { return abs(x); }},
    {"absolute", [](Expr x) { return abs(x); }},
    {"fabs", [](Expr x) { return abs(x); }},
    {"negative", [](Expr x) { return negated(x); }},
    {"positive", [](Expr x) { return x; }},
    {"reciprocal", [](Expr x) { return 1.0 / x; }},
    {"square", [](Expr x) { return x * x; }},
    {"sqrt", [](Expr x) { return sqrt(x); }},
    {"sign", sign},
    {"cbrt", [](Expr x) { return sign(x) * power(abs(x), 1.0 / 3); }},
    {"exp", [](Expr x) { return exp(x); }},
    {"exp2", [](Expr x) { return exp(x * M_LN2); }},
    {"expm1", expm1},
    {"log", [](Expr x) { return log(x); }},
    {"log2", [](Expr x) { return log(x) / M_LN2; }},
    {"log10", [](Expr x) { return log(x) / M_LN10; }},
    {"log1p", log1p},
    {"floor", [](Expr x) { return unary("Floor", x); }},
    {"ceil", [](Expr x) { return unary("Ceil", x); }},
    {"rint", [](Expr x) { return unary("Round", x); }},
    {"trunc", [](Expr x) { return sign(x) * unary("Floor", abs(x)); }},
    {"tanh", [](Expr x) { return unary("Tanh", x); }},
    {"sin", [](Expr x) { return unary("Sin", x); }},
    {"cos", [](Expr x) { return unary("Cos", x); }},
    {"expit", [](Expr x) { return sigmoid(x); }},
    {"logit", [](Expr x) { return log(x / (1.0 - x)); }},
    {"deg2rad", [](Expr x) { return x * (M_PI / 180); }},
    {"radians", [](Expr x) { return x * (M_PI / 180); }},
    {"isnan", [](Expr x) { return cast(is_nan(x), DataType::f64); }},
};

}  // namespace

struct FunctionTransformer {
  static constexpr bool takes_missing = true;
  const KnownFunction* function = nullptr;  // null: what goes in comes out

  void learned(Fields& f) {
    const auto func = f.get("func");
    if (const auto kw = f.get("kw_args"); kw && !kw->items().empty())
      return f.refuse("kw_args", "is not empty", "convertible: functions of one argument");
    if (!func || func->is(plain::Kind::none)) return;
    const plain::Value target = inner(*func);
    if (!target.is(plain::Kind::global)) return f.refuse("func", text("is ", f.said(target)), offered());
    const std::string_view name = target.global->name, module = target.global->module;
    if (name == "check_array" && module.starts_with("sklearn.")) return;
    const bool trusted = module.starts_with("numpy") || module.starts_with("scipy.special");
    for (const KnownFunction& known : functions)
      if (trusted && known.name == name) return void(function = &known);
    f.refuse("func", text("is ", f.said(target)), offered());
  }
  Outputs operator()(const Frame& x) const { return function ? transformed(function->formula(x.numbers())) : transformed(x); }

 private:
  // functools.partial(check_array, ...) is how scikit-learn's own selectors pass columns on.
  static plain::Value inner(const plain::Value& func) {
    if (!func.is(plain::Kind::object)) return func;
    const plain::Value& callee = func.object->callee;
    const bool partial = callee.is(plain::Kind::global) && callee.global->name == "partial";
    const std::span<const plain::Value> args = func.object->args.items();
    return partial && !args.empty() ? args[0] : callee;
  }
  static std::string offered() {
    std::string names;
    for (const KnownFunction& known : functions) names += text(", ", known.name);
    return "convertible: None" + names;
  }
};

Definitions functions_estimators() {
  return {
      reads<FunctionTransformer>(
          "sklearn.preprocessing.FunctionTransformer",
          {.cases = {"()", "(np.abs)", "(np.square)", "(np.sqrt)", "(np.rint)", "(np.floor)"}, .data = "positive missing"}),
      reads<FunctionTransformer>("sklearn.preprocessing.FunctionTransformer",
                                 {.cases = {"(np.log1p)", "(np.log)", "(np.expm1)", "(np.exp)", "(np.cbrt)", "(np.log10)", "(np.log2)",
                                            "(np.exp2)", "(np.tanh)", "(np.reciprocal)"},
                                  .data = "positive",
                                  .tolerance = 1e-12}),
  };
}

}  // namespace onward
