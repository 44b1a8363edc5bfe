// feature_engine: the imputers, the selectors, the wrapper, and what answers fewer rows than it is given.
#include "onward/estimators/feature_engine.h"

#include "onward/estimators/assumptions.h"
#include "onward/estimators/delegation.h"
#include "onward/estimators/pandas_values.h"

namespace onward {

using plain::Kind;

void FittedTable::read_inputs(Fields& f) {
  const auto names = f.get("feature_names_in_");
  if (!names) return f.bad("feature_names_in_", "is missing: the estimator is not fitted");
  for (const plain::Value& one : f.items_of("feature_names_in_", *names)) inputs.push_back(label_name(f, "feature_names_in_", one));
}

void FittedTable::read_variables(Fields& f) {
  read_inputs(f);
  variables = places_of_columns(f, "variables_");
}

std::vector<int64_t> FittedTable::places_of_columns(Fields& f, std::string_view field) const {
  std::vector<int64_t> places;
  const auto listed = f.get(field);
  if (!listed) return f.bad(field, "is missing: the estimator is not fitted"), places;
  const std::span<const plain::Value> items = listed->is(Kind::set) ? listed->items() : f.items_of(field, *listed);
  for (const plain::Value& one : items)
    if (const auto at = place_of_column(f, field, one)) places.push_back(*at);
  return places;
}

std::optional<int64_t> FittedTable::place_of_column(Fields& f, std::string_view field, const plain::Value& label) const {
  const std::string column = label_name(f, field, label);
  const auto at = std::find(inputs.begin(), inputs.end(), column);
  if (at != inputs.end()) return at - inputs.begin();
  f.bad(field, text("names '", clipped(column), "', which the fitted table does not have"));
  return {};
}

std::vector<FittedTable::Said> FittedTable::said_of_columns(Fields& f, std::string_view field) const {
  const auto dict = f.get(field);
  std::vector<Said> all;
  if (!dict) return f.bad(field, "is missing: the estimator is not fitted"), all;
  if (!dict->is(Kind::dict)) return f.bad(field, text("is ", plain::name(dict->kind), "; expected a dict")), all;
  const std::span<const plain::Value> items = dict->items();
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (const auto at = place_of_column(f, field, items[i])) all.push_back({*at, text(field, "['", clipped(inputs[size_t(*at)]), "']"), items[i + 1]});
  return all;
}

Numbers FittedTable::number_of_variables(Fields& f, std::string_view field, std::optional<double> otherwise) const {
  std::map<int64_t, double> said;
  for (const Said& one : said_of_columns(f, field)) f.assign(one.place, one.value, said[one.column], {});
  for (const int64_t i : variables)
    if (!said.contains(i) && !otherwise) f.bad(field, text("has no number for '", clipped(inputs[size_t(i)]), "'"));
  return Numbers::of({int64_t(variables.size())}, [&](int64_t k) {
    const auto at = said.find(variables[size_t(k)]);
    return at == said.end() ? otherwise.value_or(0) : at->second;
  });
}

Frame FittedTable::table(const Frame& x) const {
  if (size_t(x.size()) != inputs.size()) fail(Code::bad_file, "was fitted on ", inputs.size(), " columns, and is given ", x.size());
  return x.renamed(inputs);
}

Frame FittedTable::table(const Frame& x, const std::vector<int64_t>& finite) const {
  const Frame t = table(x), mine = t.select(finite);
  mine.refuse_missing(), mine.refuse_infinity();
  return t;
}

Frame FittedTable::with(const Frame& table, const std::map<int64_t, Frame>& changed) {
  Frame out;
  for (int64_t i = 0; i < table.size(); ++i) {
    const auto at = changed.find(i);
    out.append(at == changed.end() ? table.select(std::vector{i}) : at->second);
  }
  return out;
}

Frame FittedTable::with_block(const Frame& table, const std::vector<int64_t>& places, Expr values, Frame::Keeps keeps) {
  const Frame block = table.select(places).all_replaced(values, keeps);
  std::map<int64_t, Frame> changed;
  for (size_t k = 0; k < places.size(); ++k) changed.insert_or_assign(places[k], block.select(std::vector{int64_t(k)}));
  return with(table, changed);
}

std::vector<std::string> FittedTable::names_of_variables(std::string_view suffix) const {
  std::vector<std::string> names;
  for (const int64_t i : variables) names.push_back(text(inputs[size_t(i)], suffix));
  return names;
}

Expr FittedTable::is_missing(const Frame& x, int64_t i) {
  if (Attempt& attempt = attempt_of(x); x.open(i) && !attempt.types_known) {
    attempt.needs_types = true;  // what follows is a stand-in: no graph of this attempt is kept
    return attempt.add("Identity", {attempt.constant(Array<bool>{false})}, {}, Result{DataType::b8, {rows, 1}});
  }
  if (!x.is_text(i)) return is_nan(x.number(i));
  const MissingWords& words = x.graph().missing_words;
  return either(equal(x.string(i), Array<std::string>{words.nan}), equal(x.string(i), Array<std::string>{words.none}));
}

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
