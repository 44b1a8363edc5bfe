// FunctionTransformer: a function known by name stands for its formula; any other holds code.
#include "onward/estimators/fields.h"
#include "onward/graph/named_functions.h"

namespace onward {
namespace {

// A function by reference, as pickle writes it: numpy's live in several private modules, by release.
const NamedFunction* referenced(const plain::Global& target) {
  const NamedFunction* f = named_function(target.name);
  if (!f || f->arguments != 1) return nullptr;
  const bool from_numpy = target.module == "numpy" || target.module.starts_with("numpy.");
  const bool from_scipy = target.module == "scipy.special" || target.module.starts_with("scipy.special.");
  return (f->module == "numpy" && from_numpy) || (f->module == "scipy.special" && from_scipy) ? f : nullptr;
}

// Infinities stay infinite in the first; the second answer for gaps too; any other function keeps gaps alone.
constexpr std::string_view unbounded[] = {"abs",   "absolute", "fabs", "negative", "positive", "square",  "cbrt",    "floor",   "ceil",
                                          "rint",  "trunc",    "fix",  "sinh",     "cosh",     "arcsinh", "deg2rad", "radians", "rad2deg",
                                          "degrees"};
constexpr std::string_view tests[] = {"isnan", "isinf", "isfinite"};

Frame::Keeps kept(std::string_view name) {
  const auto among = [&](std::span<const std::string_view> names) { return std::ranges::find(names, name) != names.end(); };
  return among(tests) ? Frame::Keeps::nothing : among(unbounded) ? Frame::Keeps::infinity : Frame::Keeps::missing;
}

}  // namespace

struct FunctionTransformer {
  const NamedFunction* function = nullptr;  // null: what goes in comes out
  const NamedFunction* back = nullptr;
  bool invertible = true;  // whether `back` is known; only who transforms back asks for it
  std::optional<bool> validate;

  bool takes_missing(const Frame&) const { return !validate.value_or(false); }
  bool takes_infinity(const Frame&) const { return !validate.value_or(false); }
  void learned(Fields& f) {
    f("validate", validate);
    read_inverse(f);
    const auto func = f.get("func");
    if (const auto kw = f.get("kw_args"); kw && !kw->items().empty())
      return f.refuse("kw_args", "is not empty", "convertible: functions of one argument");
    if (!func || func->is(plain::Kind::none)) return;
    const plain::Value target = inner(*func);
    if (!target.is(plain::Kind::global)) return f.refuse("func", text("is ", f.said(target)), offered());
    const std::string_view name = target.global->name, module = target.global->module;
    if (name == "check_array" && module.starts_with("sklearn.")) return;
    function = referenced(*target.global);
    if (!function) f.refuse("func", text("is ", f.said(target)), offered());
  }
  Outputs operator()(const Frame& x) const {
    if (!function) return transformed(x);
    const Expr given = x.numbers();
    return transformed(x.all_replaced(cast(function->formula({&given, 1}), DataType::f64), kept(function->name)));
  }
  std::optional<Expr> inverse(Expr y) const {
    if (!invertible) return {};
    return back ? cast(back->formula({&y, 1}), DataType::f64) : y;
  }

 private:
  void read_inverse(Fields& f) {
    const auto func = f.get("inverse_func"), arguments = f.get("inv_kw_args");
    if (func && func->is(plain::Kind::global)) back = referenced(*func->global);
    invertible = (!func || func->is(plain::Kind::none) || back) && (!arguments || arguments->items().empty());
  }
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
    for (const NamedFunction& known : named_functions())
      if (known.arguments == 1) names += text(", ", known.module == "numpy" ? "" : "scipy.special.", known.name);
    return text("convertible: None", names, "; for a function of your own register a converter for a class, or give the model a column by --step");
  }
};

Definitions functions_estimators() {
  return {
      reads<FunctionTransformer>(
          "sklearn.preprocessing.FunctionTransformer",
          {.cases = {"()", "(np.abs)", "(np.square)", "(np.sqrt)", "(np.rint)", "(np.floor)",
                     "(np.abs, validate=True)"}, .data = "positive missing"}),
      reads<FunctionTransformer>("sklearn.preprocessing.FunctionTransformer",
                                 {.cases = {"(np.log1p)", "(np.log)", "(np.expm1)", "(np.exp)", "(np.cbrt)", "(np.log10)", "(np.log2)",
                                            "(np.exp2)", "(np.tanh)", "(np.reciprocal)", "(np.arctan)", "(np.arcsinh)", "(np.degrees)",
                                            "(np.tan)", "(np.arcsin)", "(np.arccos)", "(np.sinh)", "(np.cosh)", "(np.arccosh)", "(np.arctanh)",
                                            "(__import__('scipy.special').special.expit)", "(__import__('scipy.special').special.erf)",
                                            "(__import__('scipy.special').special.log_expit)"},
                                  .data = "positive",
                                  .tolerance = 1e-12}),
  };
}

}  // namespace onward
