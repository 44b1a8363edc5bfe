#include "onward/estimators/convert.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "onward/base/suggest.h"
#include "onward/estimators/assumptions.h"
#include "onward/estimators/describe.h"
#include "onward/estimators/outputs.h"

namespace onward {
namespace {

DataType type_of_input(const ConvertOptions& o, const std::string& column) {
  const auto known = o.column_types.find(column);
  return known == o.column_types.end() ? DataType::none : known->second;
}

std::vector<std::string> fitted_columns(const Facts& facts, const ConvertOptions& o) {
  std::vector<std::string> names = facts.feature_names_in;
  if (names.empty() && facts.n_features_in < 0) names = o.columns;
  if (names.empty() && facts.n_features_in < 0)
    throw Error(Code::unsupported_estimator, text(facts.class_name, " does not say how many columns it was fitted on"), "give an example of its input, or a schema");
  if (facts.n_features_in > 1'000'000) fail(Code::limit_size, facts.class_name, " takes ", facts.n_features_in, " columns");
  for (int64_t i = int64_t(names.size()); i < facts.n_features_in; ++i) names.push_back(text("x", i));
  return names;
}

// The columns that a caller gives: those of the model that no step makes, and those that steps read before any makes them.
std::vector<std::string> given_columns(const std::vector<std::string>& fitted, const std::vector<NewColumn>& steps) {
  std::set<std::string> made, read;
  std::vector<std::string> more;
  for (const NewColumn& step : steps) {
    for (const std::string& name : step.value.names())
      if (!made.contains(name) && read.insert(name).second && std::find(fitted.begin(), fitted.end(), name) == fitted.end()) more.push_back(name);
    made.insert(step.name);
  }
  std::vector<std::string> given;
  for (const std::string& name : fitted)
    if (!made.contains(name) || read.contains(name)) given.push_back(name);
  given.insert(given.end(), more.begin(), more.end());
  return given;
}

// The model's columns out of the given ones.
Frame with_steps(const Frame& given, const std::vector<std::string>& fitted, const std::vector<NewColumn>& steps) {
  Conversion& g = given.graph();
  std::map<std::string, Frame, std::less<>> known;
  for (int64_t i = 0; i < given.size(); ++i) known.emplace(given.name(i), given.select(std::vector{i}));
  for (const NewColumn& step : steps) {
    const GraphBuilder::Scope scope(g, step.name);
    Expr made = step.value.in(g, [&](const std::string& name) { return known.at(name).column(0); });
    if (made.shape().size() != 2 || made.shape()[0] != rows)
      throw Error(Code::usage, text("the step '", step.name, "=", step.value.text().substr(0, 200), "' reads no column"), "an expression names at least one column");
    known.insert_or_assign(step.name, Frame(made, std::vector{step.name}));
  }
  Frame x;
  for (const std::string& name : fitted) x.append(known.at(name));
  return x;
}

Frame make_inputs(Conversion& g, const Facts& facts, const ConvertOptions& o) {
  const std::vector<std::string> fitted = fitted_columns(facts, o), names = given_columns(fitted, o.steps);
  const bool named = !facts.feature_names_in.empty() || (facts.n_features_in < 0 && !o.columns.empty()), other = names != fitted;
  for (const NewColumn& step : o.steps)
    if (std::find(fitted.begin(), fitted.end(), step.name) == fitted.end() &&
        std::none_of(o.steps.begin(), o.steps.end(), [&](const NewColumn& s) { return std::count(s.value.names().begin(), s.value.names().end(), step.name) > 0; }))
      throw Error(Code::usage, text("the step makes a column '", step.name, "' that neither the model nor another step reads", suggestion(step.name, fitted)), "steps make columns that the model was fitted on");
  const bool by_column = o.inputs == Inputs::columns || (o.inputs == Inputs::automatic && (named || other));
  if (!by_column && other) throw Error(Code::usage, "with these steps the columns that come in are not those of the model, so they are no matrix of it", "leave out --inputs matrix");
  Frame x;
  if (!by_column && facts.documents) {
    x = Frame(reshaped(g.input("X", DataType::str, {rows}), {rows, 1}), names);
  } else if (!by_column) {
    x = Frame(g.input("X", type_of_input(o, "X"), {rows, int64_t(names.size())}), names);
  } else {
    for (const std::string& name : names) x.append(Frame(g.input(name, type_of_input(o, name), {rows, 1}), std::vector{name}));
  }
  x.from_table();
  return o.steps.empty() ? x : with_steps(x, fitted, o.steps);
}

// A column that nothing reads and of which nothing is known is no input: any table fits, with it or without.
void settle_unread(Conversion& g) {
  const std::vector<int> inputs = g.inputs();
  for (size_t i = inputs.size(); i-- > 0;) {
    const Expr input = g.value(inputs[i]);
    if (!g.open(input)) continue;
    if (g.inputs().size() == 1) {
      as_numbers(input);
      continue;
    }
    g.drop_input(input);
    g.table.erase(g.table.begin() + long(i));
  }
}

std::vector<NamedOutput> outputs_of(const Estimator& e, const Frame& x, const Attempt& g, const ConvertOptions& options) {
  try {
    return chosen_outputs(e(x), options.outputs);
  } catch (const Error& error) {
    ColumnsOfNumbers assumed, needed;
    std::ranges::set_difference(g.assumed_words, g.numbers, std::inserter(assumed, assumed.end()));
    std::ranges::set_intersection(assumed, g.numbers_needed, std::inserter(needed, needed.end()));
    if (error.code == Code::unsupported_estimator && !assumed.empty()) throw AssumedWords{error, needed.empty() ? assumed : needed};
    throw;
  }
}

std::map<std::string, DataType> types_of_inputs(Conversion& g) {
  std::map<std::string, DataType> types;
  for (const int id : g.inputs())
    if (const Expr input = g.value(id); !g.open(input)) types.emplace(input.name(), input.type());
  return types;
}

Model attempt(const Estimator& e, const ConvertOptions& options, const MissingWords& words, const ColumnsOfNumbers& numbers, const std::optional<TypesFound>& found) {
  Attempt g(words, numbers, found.has_value());
  g.registry = options.registry.get();
  g.own_ops = options.own_ops;
  if (options.input_type != DataType::none) g.number_type = options.input_type;
  ConvertOptions typed = options;
  if (found) typed.column_types.insert(found->types.begin(), found->types.end());
  const Frame x = make_inputs(g, e.facts(), typed);
  const std::vector<NamedOutput> outputs = outputs_of(e, x, g, options);
  if (g.needs_types) throw TypesFound{types_of_inputs(g)};
  settle_unread(g);
  std::vector<GraphBuilder::Output> named;
  for (const NamedOutput& o : outputs) named.push_back({o.name, o.value});
  Model m = g.model(named);
  set_schema(m, describe(m.graph, g, outputs, e.facts(), options));
  return m;
}

Model with_missing_words(const Estimator& e, const ConvertOptions& options, const ColumnsOfNumbers& numbers) {
  MissingWords words;
  std::optional<TypesFound> found;
  for (int tries = 0; tries < 16; ++tries) {
    try {
      return attempt(e, options, words, numbers, found);
    } catch (const TypesFound& types) {
      found = types;
    } catch (const MissingWordsClash&) {
      words = {"<" + words.nan + ">", "<" + words.none + ">"};
    }
  }
  fail(Code::unsupported_estimator, "every text that could stand for a missing value is one of the model's categories");
}

}  // namespace

NewColumn parse_step(const std::string& given) {
  const size_t equals = given.find('=');
  const size_t end = equals == given.npos ? equals : given.find_last_not_of(" \t", equals - 1);
  if (equals == given.npos || equals == 0 || end == given.npos || given[equals + 1] == '=')
    throw Error(Code::usage, text("the step '", given.substr(0, 200), "' does not begin with NAME="), "write a column's name, =, and an expression: fare_log=log1p(fare)");
  return {given.substr(0, end + 1), Expression(given.substr(equals + 1))};
}

Model convert(const Estimator& e, const ConvertOptions& given) {
  ONWARD_CHECK(bool(e));
  ConvertOptions options = given;
  if (!options.registry) options.registry = std::make_shared<const Registry>(Registry::builtin());
  constexpr int most_tries = 50;
  ColumnsOfNumbers numbers;
  std::optional<Error> first;
  for (int tries = 0; tries < most_tries; ++tries) {
    try {
      return with_missing_words(e, options, numbers);
    } catch (const AssumedWords& words) {
      if (!first) first = words.otherwise;
      numbers.insert(words.columns.begin(), words.columns.end());
    } catch (const Error&) {
      if (first) throw *first;
      throw;
    }
  }
  throw *first;
}

}  // namespace onward
