#include "onward/estimators/convert.h"

#include "onward/estimators/describe.h"
#include "onward/estimators/outputs.h"

namespace onward {
namespace {

DataType type_of_input(const ConvertOptions& o, const std::string& column) {
  const auto known = o.column_types.find(column);
  return known == o.column_types.end() ? DataType::none : known->second;
}

Frame make_inputs(Conversion& g, const Facts& facts, const ConvertOptions& o) {
  if (facts.n_features_in < 0)
    fail(Code::unsupported_estimator, facts.class_name, " does not say how many columns it was fitted on; give a schema");
  if (facts.n_features_in > 1'000'000) fail(Code::limit_size, facts.class_name, " takes ", facts.n_features_in, " columns");
  std::vector<std::string> names = facts.feature_names_in;
  const bool named = !names.empty(), by_column = o.inputs == Inputs::columns || (o.inputs == Inputs::automatic && named);
  for (int64_t i = 0; !named && i < facts.n_features_in; ++i) names.push_back(text("x", i));
  Frame x;
  if (!by_column) {
    x = Frame(g.input("X", type_of_input(o, "X"), {rows, facts.n_features_in}), names);
  } else {
    for (const std::string& name : names) x.append(Frame(g.input(name, type_of_input(o, name), {rows, 1}), std::vector{name}));
  }
  x.from_table();
  return x;
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

Model attempt(const Estimator& e, const ConvertOptions& options, const MissingWords& words) {
  Conversion g(words);
  if (options.input_type != DataType::none) g.number_type = options.input_type;
  const Frame x = make_inputs(g, e.facts(), options);
  const std::vector<NamedOutput> outputs = chosen_outputs(e(x), options.outputs);
  settle_unread(g);
  std::vector<GraphBuilder::Output> named;
  for (const NamedOutput& o : outputs) named.push_back({o.name, o.value});
  Model m = g.model(named);
  set_schema(m, describe(m.graph, g, outputs, e.facts(), options));
  return m;
}

}  // namespace

Model convert(const Estimator& e, const ConvertOptions& options) {
  ONWARD_CHECK(bool(e));
  MissingWords words;
  for (int tries = 0; tries < 16; ++tries) {
    try {
      return attempt(e, options, words);
    } catch (const MissingWordsClash&) {
      words = {"<" + words.nan + ">", "<" + words.none + ">"};
    }
  }
  fail(Code::unsupported_estimator, "every text that could stand for a missing value is one of the model's categories");
}

}  // namespace onward
