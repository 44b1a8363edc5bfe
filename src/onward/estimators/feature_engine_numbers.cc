// feature_engine's transformers of numbers: formulas, scaling, caps and bins. For numbers outside of a formula's domain, where the library
// raises, the answer is NaN.
#include "onward/estimators/delegation.h"
#include "onward/estimators/fitted_table.h"
#include "onward/estimators/piecewise.h"
#include "onward/estimators/power_transformer.h"
#include "onward/graph/named_functions.h"

namespace onward {
namespace {

constexpr double nan = __builtin_nan(""), infinity = __builtin_inf();

Expr named(std::string_view name, Expr x) { return named_function(name)->formula({&x, 1}); }

// All variables as one block of numbers. The library raises for gaps and infinities among them.
struct OfNumbers : FittedTable {
  using FittedTable::number_of_variables;

  void learned(Fields& f) { read_variables(f); }

 protected:
  Frame checked(const Frame& x, bool refuses = true) const { return refuses ? table(x, variables) : table(x); }
  Expr numbers(const Frame& t) const { return t.select(variables).numbers(); }
};

using Formula = std::function<Expr(Expr x)>;  // (batch, variables)

struct ByFormula : OfNumbers {
  Formula formula;
  Outputs operator()(const Frame& x) const {
    const Frame t = checked(x);
    return transformed(with_block(t, variables, formula(numbers(t)), Frame::Keeps::missing));
  }
};

Definition by_formula(std::string_view class_name, Formula (*made)(Fields&, const ByFormula&)) {
  return {class_name, {.cases = {}}, [made](Fields& f) {
            ByFormula model;
            model.learned(f);
            model.formula = made(f, model);
            return Estimator(std::move(model), f.facts());
          }};
}

Formula logarithm(Fields& f) {
  std::string_view name = "log";
  f.choice("base", name, {{"e", "log"}, {"10", "log10"}});
  return [name](Expr x) { return where(x > 0.0, named(name, x), nan); };
}

Formula logarithm_of_sum(Fields& f, const ByFormula& of) {
  Numbers c = Numbers::scalar(0);
  const auto said = f.get("C_");
  if (said && said->is(plain::Kind::dict)) c = of.number_of_variables(f, "C_");
  else f("C_", c);
  return [c, log = logarithm(f)](Expr x) { return log(x + c); };
}

Formula power_of(Fields& f, const ByFormula&) {
  double exponent = 1;
  f("exp", exponent);
  return [exponent](Expr x) { return power(x, exponent); };
}

Formula inverse_sinh(Fields& f, const ByFormula&) {
  double loc = 0, scale = 1;
  f("loc", loc), f("scale", scale);
  return [=](Expr x) { return named("arcsinh", (x - loc) / scale); };
}

Formula reciprocal(Fields&, const ByFormula&) {
  return [](Expr x) { return where(equal(x, 0.0), nan, 1.0 / x); };
}

Formula arcsine_of_root(Fields&, const ByFormula&) {
  return [](Expr x) { return named("arcsin", sqrt(x)); };
}

Formula mean_normalized(Fields& f, const ByFormula& of) {
  return [mean = of.number_of_variables(f, "mean_"), range = of.number_of_variables(f, "range_")](Expr x) { return (x - mean) / range; };
}

// Winsorizer and ArbitraryOutlierCapper: numbers beyond a cap become the cap, and columns behind may say which did.
struct Capper : OfNumbers {
  bool refuses = true, indicates = false;
  enum class Tail { right, left, both } tail = Tail::both;
  Numbers above, below;

  void learned(Fields& f) {
    OfNumbers::learned(f);
    f.choice("missing_values", refuses, {{"raise", true}, {"ignore", false}});
    f.since("add_indicators", indicates);
    if (indicates) f.choice("tail", tail, {{"right", Tail::right}, {"left", Tail::left}, {"both", Tail::both}});
    above = number_of_variables(f, "right_tail_caps_", infinity), below = number_of_variables(f, "left_tail_caps_", -infinity);
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = checked(x, refuses);
    const Expr given = numbers(t), lowered = where(given > above, above, given), capped = where(lowered < below, below, lowered);
    Frame out = with_block(t, variables, capped, Frame::Keeps::missing);
    if (indicates) out.append(indicators(cast(capped > given, DataType::f64), cast(capped < given, DataType::f64)));
    return transformed(out);
  }

 private:
  Frame indicators(Expr left, Expr right) const {
    const Frame lefts(left, names_of_variables("_left")), rights(right, names_of_variables("_right"));
    if (tail != Tail::both) return tail == Tail::left ? lefts : rights;
    Frame both;
    for (int64_t k = 0; k < lefts.size(); ++k) both.append(lefts.select(std::vector{k})).append(rights.select(std::vector{k}));
    return both;
  }
};

// pandas.cut: the number of the interval, each with its right end, the first with its left end, too; NaN outside.
Expr interval_of(Expr x, const Numbers& edges) {
  const Expr above = where(equal(x, edges[0]), Array<int64_t>{1}, count_below(x, edges));
  const Expr outside = either(is_nan(x), either(equal(above, Array<int64_t>{0}), equal(above, Array<int64_t>{edges.size()})));
  return where(outside, nan, cast(above, DataType::f64) - 1.0);
}

struct Binned : OfNumbers {
  std::vector<std::pair<int64_t, Numbers>> edges;

  void learned(Fields& f) {
    OfNumbers::learned(f);
    bool as_text = false;
    f.since("return_boundaries", as_text);
    if (as_text) f.refuse("return_boundaries", "is True, which writes each interval as text", "convertible: the interval's number");
    read_edges(f);
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = checked(x);
    std::map<int64_t, Frame> changed;
    for (const auto& [i, ends] : edges) changed.insert_or_assign(i, t.replaced(i, interval_of(t.number(i), ends), Frame::Keeps::nothing));
    return transformed(with(t, changed));
  }

 protected:
  void read_edges(Fields& f) {
    for (const Said& one : said_of_columns(f, "binner_dict_")) {
      std::vector<double> ends;
      f.assign(one.place, one.value, ends, {});
      if (ends.size() < 2 || !std::is_sorted(ends.begin(), ends.end())) return f.bad(one.place, "is no ascending list of two and more edges");
      edges.emplace_back(one.column, Numbers({int64_t(ends.size())}, ends));
    }
  }
};

// Each column becomes what a tree makes of it alone, or the number of the leaf's interval.
struct ByTree : Binned {
  std::vector<std::pair<int64_t, Estimator>> trees;
  bool regression = true;
  std::optional<int64_t> precision;

  void learned(Fields& f) {
    OfNumbers::learned(f);
    enum class Output { prediction, bin_number } output = Output::prediction;  // since 1.7
    f.choice("bin_output", output, {{"prediction", Output::prediction}, {"bin_number", Output::bin_number}});
    if (output == Output::bin_number) return read_edges(f);
    f("regression", regression), f("precision", precision);
    if (precision && (*precision < 0 || *precision > 300)) f.bad("precision", text("is ", *precision));
    for (const Said& one : said_of_columns(f, "binner_dict_")) trees.emplace_back(one.column, f.estimator(one.value, one.place));
  }
  Outputs operator()(const Frame& x) const {
    if (trees.empty()) return Binned::operator()(x);
    const Frame t = checked(x);
    std::map<int64_t, Frame> changed;
    for (const auto& [i, tree] : trees) {
      const Outputs out = ask(tree, t.select(std::vector{i}), inputs[size_t(i)]);
      Expr answer = cast(regression ? column_of(vector_of(predicted(out))) : columns(probabilities_of(out), {1}), DataType::f64);
      if (const double by = std::pow(10, double(precision.value_or(0))); precision) answer = unary("Round", answer * by) / by;
      changed.insert_or_assign(i, t.replaced(i, answer, Frame::Keeps::nothing));
    }
    return transformed(with(t, changed));
  }
};

}  // namespace

Definitions feature_engine_numbers_estimators() {
  Definitions all = {
      by_formula("feature_engine.transformation.LogTransformer", [](Fields& f, const ByFormula&) { return logarithm(f); }),
      by_formula("feature_engine.transformation.LogCpTransformer", logarithm_of_sum),
      by_formula("feature_engine.transformation.ReciprocalTransformer", reciprocal),
      by_formula("feature_engine.transformation.PowerTransformer", power_of),
      by_formula("feature_engine.transformation.ArcsinTransformer", arcsine_of_root),
      by_formula("feature_engine.transformation.ArcSinhTransformer", inverse_sinh),
      by_formula("feature_engine.transformation.BoxCoxTransformer", [](Fields& f, const ByFormula& of) -> Formula {
        return [rates = of.number_of_variables(f, "lambda_dict_")](Expr x) { return where(x > 0.0, box_cox(x, rates), nan); };
      }),
      by_formula("feature_engine.transformation.YeoJohnsonTransformer", [](Fields& f, const ByFormula& of) -> Formula {
        return [rates = of.number_of_variables(f, "lambda_dict_")](Expr x) { return yeo_johnson(x, rates); };
      }),
      by_formula("feature_engine.scaling.MeanNormalizationScaler", mean_normalized),
      reads<ByTree>("feature_engine.discretisation.DecisionTreeDiscretiser", {.cases = {}}),
  };
  for (const std::string_view name : {"feature_engine.outliers.Winsorizer", "feature_engine.outliers.ArbitraryOutlierCapper"})
    all.push_back(reads<Capper>(name, {.cases = {}}));
  for (const std::string_view name : {"feature_engine.discretisation.EqualFrequencyDiscretiser", "feature_engine.discretisation.EqualWidthDiscretiser",
                                      "feature_engine.discretisation.GeometricWidthDiscretiser", "feature_engine.discretisation.ArbitraryDiscretiser"})
    all.push_back(reads<Binned>(name, {.cases = {}}));
  return all;
}

}  // namespace onward
