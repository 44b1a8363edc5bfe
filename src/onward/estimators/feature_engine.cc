// feature_engine: the imputers, the selectors, the wrapper, and what answers fewer rows than it is given.
#include "onward/estimators/assumptions.h"
#include "onward/estimators/delegation.h"
#include "onward/estimators/fitted_table.h"

namespace onward {

using plain::Kind;

namespace {

void tell_imputed(const Frame& x, int64_t i) {
  if (ColumnFacts* facts = x.origin(i, Frame::Keeps::missing); facts && facts->missing == Missing::nan) facts->missing = Missing::impute;
}

struct Imputer : FittedTable {
  std::vector<int64_t> of_numbers;
  std::vector<double> numbers;
  std::vector<std::pair<int64_t, std::string>> words;

  void learned(Fields& f) {
    read_variables(f);
    for (const Said& one : said_of_columns(f, "imputer_dict_")) {
      if (one.value.is(Kind::text)) f.assign(one.place, one.value, words.emplace_back(one.column, "").second, {});
      else of_numbers.push_back(one.column), f.assign(one.place, one.value, numbers.emplace_back(), {});
    }
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = with_numbers(table(x));
    std::map<int64_t, Frame> changed;
    for (const auto& [i, word] : words) {
      if (holds_words(t, i)) {
        tell_imputed(t, i);
        changed.insert_or_assign(i, t.replaced(i, where(is_missing(t, i), Array<std::string>{word}, t.string(i)), Frame::Keeps::values));
      } else {  // a number that is missing would become a word, which no later step takes
        t.select(std::vector{i}).refuse_missing();
      }
    }
    return transformed(with(t, changed));
  }

 private:
  Frame with_numbers(const Frame& t) const {
    if (of_numbers.empty()) return t;
    for (const int64_t i : of_numbers) tell_imputed(t, i);
    const Expr all = t.select(of_numbers).numbers();
    return with_block(t, of_numbers, where(is_nan(all), Numbers({int64_t(numbers.size())}, numbers), all), Frame::Keeps::values);
  }
  static bool holds_words(const Frame& x, int64_t i) {
    if (!x.is_text(i) && (attempt_of(x).word_fills_numbers(x, i) || x.as(i, DataType::str).type() != DataType::str)) return false;
    attempt_of(x).assume_words(x, i);
    return true;
  }
};

// A column of zeros and ones for each variable, behind the others.
struct AddMissingIndicator : FittedTable {
  void learned(Fields& f) { read_variables(f); }
  Outputs operator()(const Frame& x) const {
    Frame t = table(x);
    if (variables.empty()) return transformed(t);
    std::vector<Expr> gone;
    for (const int64_t i : variables) gone.push_back(is_missing(t, i));
    return transformed(t.append(Frame(cast(concat(gone), DataType::f64), names_of_variables("_na"))));
  }
};

// All of them are told apart by how they choose, which fitting was for.
struct DropsColumns : FittedTable {
  std::map<int64_t, Frame> dropped;
  void learned(Fields& f) {
    read_inputs(f);
    for (const int64_t i : places_of_columns(f, "features_to_drop_")) dropped.try_emplace(i);
  }
  Outputs operator()(const Frame& x) const { return transformed(with(table(x), dropped)); }
};

// A transformer of scikit-learn for some of the columns: what it makes of them takes their places, or stands behind the others.
struct Wrapper : FittedTable {
  Estimator wrapped;
  std::optional<std::map<int64_t, Frame>> dropped;  // by a selector, which is not asked again

  void learned(Fields& f) {
    read_variables(f);
    if (f.get("features_to_drop_")) {
      dropped.emplace();
      for (const int64_t i : places_of_columns(f, "features_to_drop_")) dropped->try_emplace(i);
    } else {
      f("transformer_", wrapped);
    }
  }
  Outputs operator()(const Frame& x) const {
    const Frame t = table(x);
    if (dropped) return transformed(with(t, *dropped));
    const Outputs out = ask(wrapped, t.select(variables), "transformer");
    if (!out.transform) fail(Code::unsupported_estimator, "wraps a ", wrapped.facts().class_name, ", which does not transform");
    const std::string& name = wrapped.facts().class_name;
    const bool behind = name == "OneHotEncoder" || name == "PolynomialFeatures";
    if (!behind && out.transform->size() != int64_t(variables.size()))
      fail(Code::bad_file, "wraps a ", name, " that makes ", out.transform->size(), " columns of ", variables.size());
    std::map<int64_t, Frame> changed;
    for (size_t k = 0; k < variables.size(); ++k)
      changed.insert_or_assign(variables[k], behind ? Frame() : out.transform->select(std::vector{int64_t(k)}).renamed({inputs[size_t(variables[k])]}));
    Frame all = with(t, changed);
    return transformed(behind ? all.append(*out.transform) : all);
  }
};

struct DropsRows {
  void learned(Fields& f) {
    f.refuse("transform", "drops rows, and a model answers each row that it is given",
             "fit the pipeline on rows that are cleaned already, and leave this step out");
  }
  Outputs operator()(const Frame& x) const { return transformed(x); }  // never called: reading it is a problem already
};

}  // namespace

Definitions feature_engine_estimators() {
  Definitions all;
  for (const std::string_view name : {"feature_engine.imputation.MeanMedianImputer", "feature_engine.imputation.ArbitraryNumberImputer",
                                      "feature_engine.imputation.EndTailImputer", "feature_engine.imputation.CategoricalImputer"})
    all.push_back(reads<Imputer>(name, {.cases = {}}));
  all.push_back(reads<AddMissingIndicator>("feature_engine.imputation.AddMissingIndicator", {.cases = {}}));
  all.push_back(reads<Wrapper>("feature_engine.wrappers.SklearnTransformerWrapper", {.cases = {}}));
  all.push_back(reads<DropsColumns>("feature_engine.selection.*", {.cases = {}}));
  for (const std::string_view name : {"feature_engine.imputation.DropMissingData", "feature_engine.outliers.OutlierTrimmer"})
    all.push_back(reads<DropsRows>(name, {.cases = {}}));
  return all;
}

}  // namespace onward
