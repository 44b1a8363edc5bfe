// feature_engine's makers of columns: each stands behind those of the table, whose originals may be dropped.
#include "onward/estimators/fitted_table.h"
#include "onward/graph/named_functions.h"

namespace onward {
namespace {

constexpr double nan = __builtin_nan(""), infinity = __builtin_inf();

struct Maker : FittedTable {
  bool drops = false;

 protected:
  std::vector<int64_t> used;  // what it makes columns of

  void read_table(Fields& f) {
    read_variables(f);
    f.since("drop_original", drops);
    used = variables;
  }
  Frame checked(const Frame& x, bool refuses) const { return refuses ? table(x, used) : table(x); }
  Outputs behind(const Frame& t, const std::vector<Expr>& made, const std::vector<std::string>& names) const {
    std::map<int64_t, Frame> gone;
    if (drops)
      for (const int64_t i : used) gone.try_emplace(i);
    return transformed(with(t, gone).append(Frame(concat(made), names)));
  }
};

// Sine and cosine of a number that turns once for each of its largest values.
struct Cyclical : Maker {
  Numbers largest;
  void learned(Fields& f) {
    read_table(f);
    largest = number_of_variables(f, "max_values_");
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = checked(x, true);
    std::vector<Expr> made;
    std::vector<std::string> names;
    for (size_t k = 0; k < variables.size(); ++k) {
      const Expr angle = t.number(variables[k]) * (2 * M_PI / largest[int64_t(k)]);
      for (const auto& [op, suffix] : {std::pair{"Sin", "_sin"}, {"Cos", "_cos"}}) {
        made.push_back(unary(op, angle));
        names.push_back(inputs[size_t(variables[k])] + suffix);
      }
    }
    return behind(t, made, names);
  }
};

// What pandas makes of a row: of those of its numbers that are there.
struct Row {
  explicit Row(Expr x) : given(x), gone(is_nan(x)), count(onward::sum(cast(negation(gone), DataType::f64))) {}
  Expr filled(double by) const { return where(gone, by, given); }
  Expr sum() const { return onward::sum(filled(0)); }
  Expr mean() const { return sum() / count; }
  Expr product() const {
    const Expr all = filled(1);
    Expr out = columns(all, {0});
    for (int64_t k = 1; k < all.columns(); ++k) out = out * columns(all, {k});
    return out;
  }
  Expr variance() const {
    const Expr off = where(gone, 0.0, given - mean());
    return where(count > 1.0, onward::sum(off * off) / (count - 1.0), nan);
  }
  Expr if_any(Expr x) const { return where(count > 0.0, x, nan); }
  Expr given, gone, count;
};

struct RowFunction {
  std::string_view name;
  Expr (*of)(const Row&);
};
constexpr RowFunction row_functions[] = {
    {"sum", [](const Row& r) { return r.sum(); }},
    {"mean", [](const Row& r) { return r.mean(); }},
    {"prod", [](const Row& r) { return r.product(); }},
    {"min", [](const Row& r) { return r.if_any(min(r.filled(infinity))); }},
    {"max", [](const Row& r) { return r.if_any(max(r.filled(-infinity))); }},
    {"var", [](const Row& r) { return r.variance(); }},
    {"std", [](const Row& r) { return sqrt(r.variance()); }},
};

// A function of two columns; those that divide have an answer of their own for zero.
struct PairFunction {
  std::string_view name;
  Expr (*of)(Expr, Expr);
  bool divides = false;
};
constexpr PairFunction pair_functions[] = {
    {"add", [](Expr a, Expr b) { return a + b; }},       {"sub", [](Expr a, Expr b) { return a - b; }},
    {"mul", [](Expr a, Expr b) { return a * b; }},       {"div", [](Expr a, Expr b) { return a / b; }, true},
    {"truediv", [](Expr a, Expr b) { return a / b; }, true}, {"pow", [](Expr a, Expr b) { return power(a, b); }},
};

// The functions that func names, one or several.
template <class F, size_t n>
std::vector<F> functions_of(Fields& f, const F (&known)[n]) {
  const auto func = f.get("func");
  if (!func) return f.bad("func", "is missing"), std::vector<F>();
  std::string offered;
  for (const F& one : known) offered += (offered.empty() ? "" : ", ") + std::string(one.name);
  std::vector<F> all;
  const std::span<const plain::Value> listed = func->is(plain::Kind::list) ? func->items() : std::span(&*func, 1);
  for (const plain::Value& one : listed) {
    const F* at = std::find_if(std::begin(known), std::end(known), [&](const F& k) { return k.name == one.str(); });
    if (at == std::end(known)) f.refuse("func", text("is ", f.said(one)), text("convertible: ", offered));
    else all.push_back(*at);
  }
  return all;
}

struct MathFeatures : Maker {
  std::vector<RowFunction> functions;
  std::vector<std::string> names;
  bool refuses = true;

  void learned(Fields& f) {
    read_table(f);
    functions = functions_of(f, row_functions);
    f.choice("missing_values", refuses, {{"raise", true}, {"ignore", false}});
    std::optional<std::vector<std::string>> given;
    f("new_variables_names", given);
    std::string joined;
    for (const std::string& name : names_of_variables("")) joined += "_" + name;
    for (const RowFunction& one : functions) names.push_back(std::string(one.name) + joined);
    if (given) names = *given;
    if (f.ok() && names.size() != functions.size()) f.bad("new_variables_names", text("has ", names.size(), " names for ", functions.size(), " functions"));
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = checked(x, refuses);
    const Row row(t.select(variables).numbers());
    std::vector<Expr> made;
    for (const RowFunction& one : functions) made.push_back(one.of(row));
    return behind(t, made, names);
  }
};

struct RelativeFeatures : Maker {
  std::vector<int64_t> references;
  std::vector<PairFunction> functions;
  double at_zero = nan;  // where none is given the library raises
  bool refuses = false;

  void learned(Fields& f) {
    read_table(f);
    references = places_of_columns(f, "reference");
    used.insert(used.end(), references.begin(), references.end());
    functions = functions_of(f, pair_functions);
    f.choice("missing_values", refuses, {{"ignore", false}, {"raise", true}});
    std::optional<double> fill;
    f("fill_value", fill);
    at_zero = fill.value_or(nan);
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = checked(x, refuses);
    std::vector<Expr> made;
    std::vector<std::string> names;
    for (const PairFunction& function : functions)
      for (const int64_t reference : references)
        for (const int64_t i : variables) {
          const Expr by = t.number(reference), all = function.of(t.number(i), by);
          made.push_back(function.divides ? where(equal(by, 0.0), at_zero, all) : all);
          names.push_back(text(inputs[size_t(i)], "_", function.name, "_", inputs[size_t(reference)]));
        }
    return behind(t, made, names);
  }
};

}  // namespace

Definitions feature_engine_creation_estimators() {
  return {reads<Cyclical>("feature_engine.creation.CyclicalFeatures", {.cases = {}}), reads<MathFeatures>("feature_engine.creation.MathFeatures", {.cases = {}}),
          reads<RelativeFeatures>("feature_engine.creation.RelativeFeatures", {.cases = {}})};
}

}  // namespace onward
