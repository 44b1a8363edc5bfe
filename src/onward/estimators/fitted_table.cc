#include "onward/estimators/fitted_table.h"

#include "onward/estimators/assumptions.h"
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

std::string FittedTable::place_said(std::string_view field, int64_t column) const {
  return text(field, "['", clipped(inputs[size_t(column)]), "']");
}

std::vector<FittedTable::Said> FittedTable::said_of_columns(Fields& f, std::string_view field) const {
  const auto dict = f.get(field);
  if (dict) return said_of_columns(f, field, *dict);
  f.bad(field, "is missing: the estimator is not fitted");
  return {};
}

std::vector<FittedTable::Said> FittedTable::said_of_columns(Fields& f, std::string_view field, const plain::Value& dict) const {
  std::vector<Said> all;
  if (!dict.is(Kind::dict)) return f.bad(field, text("is ", plain::name(dict.kind), "; expected a dict")), all;
  const std::span<const plain::Value> items = dict.items();
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (const auto at = place_of_column(f, field, items[i])) all.push_back({*at, place_said(field, *at), items[i + 1]});
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

}  // namespace onward
