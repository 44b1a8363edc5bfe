#include "onward/estimators/describe.h"

#include <algorithm>

namespace onward {
namespace {

ColumnType column_type(DataType type) {
  switch (type) {
    case DataType::f32:
      return ColumnType::float32;
    case DataType::f64:
      return ColumnType::float64;
    case DataType::b8:
      return ColumnType::boolean;
    case DataType::str:
      return ColumnType::string;
    default:
      return ColumnType::int64;
  }
}

Categories listed(const Tensor& values) {
  Categories out;
  const auto copied = [&]<class To, class From>() {
    std::vector<To> all;
    for (const From& v : values.values<From>()) all.push_back(To(v));
    out = std::move(all);
  };
  switch (values.type()) {
    case DataType::str:
      copied.operator()<std::string, std::string>();
      break;
    case DataType::i64:
      copied.operator()<int64_t, int64_t>();
      break;
    case DataType::b8:
      copied.operator()<int64_t, bool>();
      break;
    case DataType::f64:
      copied.operator()<double, double>();
      break;
    default:
      break;
  }
  return out;
}

Field field(const ValueInfo& value) {
  Field f{.name = value.name, .type = column_type(value.type.element)};
  for (const DimInfo& d : *value.type.shape) f.shape.push_back(d.size);
  return f;
}

// The field with all that is known of the one column that fills it.
Field told(Field f, const ColumnFacts& column) {
  const bool floating = is_floating(f.type);
  // Integers and bools have no room for a gap.
  const bool full = f.type == ColumnType::int64 || f.type == ColumnType::boolean;
  f.missing = full ? Missing::refuse : column.missing;
  f.nullable = f.missing != Missing::refuse;
  if (floating) f.infinity = column.infinity;
  f.unknown = column.unknown;
  f.category_codes = column.category_codes;
  if (f.type == ColumnType::string) f.numbers = column.numbers;
  if (f.type == ColumnType::string && column.true_false != Written::text) f.true_false = column.true_false;
  f.categories = listed(column.categories);
  if (auto* whole = std::get_if<std::vector<int64_t>>(&f.categories); whole && floating)
    f.categories = std::vector<double>(whole->begin(), whole->end());
  return f;
}

// A matrix says what holds for every column, and each column for itself where they differ.
Field matrix(Field f, std::span<const ColumnFacts> columns) {
  bool refused = false, differ = false;
  f.missing = Missing::nan;
  for (const ColumnFacts& c : columns) {
    f.names.push_back(c.name);
    f.columns.push_back(told({.name = c.name, .type = f.type}, c));
    const Field& first = f.columns.front();
    Field& column = f.columns.back();
    refused |= !column.nullable;
    if (column.infinity == Infinity::refuse) f.infinity = Infinity::refuse;
    column.name = first.name;
    differ |= column != first;
    column.name = c.name;
  }
  if (!columns.empty()) {
    const Field& first = f.columns[0];
    f.missing = first.missing, f.unknown = first.unknown, f.numbers = first.numbers, f.true_false = first.true_false;
    f.category_codes = first.category_codes;
  }
  for (const Field& c : f.columns) {
    if (c.missing != f.missing) f.missing = refused ? Missing::refuse : Missing::nan;
    if (c.unknown != f.unknown) f.unknown = Unknown::ignore;
  }
  f.nullable = f.missing != Missing::refuse;
  if (!differ && (f.columns.empty() || size(f.columns[0].categories) == 0)) f.columns.clear();
  return f;
}

// As Python prints it, unless that is a category.
std::string word_for_na(std::span<const ColumnFacts> columns) {
  std::string word = "<NA>";
  const auto known = [&](const ColumnFacts& c) { return c.categories && c.categories.type() == DataType::str && std::ranges::count(c.categories.values<std::string>(), word); };
  while (std::ranges::any_of(columns, known)) word = "<" + word + ">";
  return word;
}

Field input(const ValueInfo& value, std::span<const ColumnFacts> columns, const MissingWords& words) {
  Field f = columns.size() == 1 ? told(field(value), columns[0]) : matrix(field(value), columns);
  const bool gaps = f.nullable || std::ranges::any_of(f.columns, &Field::nullable);
  const bool apart = std::ranges::any_of(columns, &ColumnFacts::tells_missing_apart);
  if (f.type == ColumnType::string && (apart || gaps)) f.missing_text = MissingText{words.nan, words.none, {}};
  // To an encoder that knows missing items NA is none of them; an imputer fills it like NaN.
  const bool encoded = std::ranges::any_of(columns, [](const ColumnFacts& c) { return c.missing == Missing::category && c.unknown != Unknown::refuse; });
  const bool imputed = std::ranges::any_of(columns, [](const ColumnFacts& c) { return c.missing == Missing::impute; });
  if (f.missing_text && encoded && !imputed) f.missing_text->na = word_for_na(columns);
  return f;
}

}  // namespace

Schema describe(const Graph& graph, const Conversion& conversion, const std::vector<NamedOutput>& outputs, const Facts& facts,
                const ConvertOptions& options) {
  Schema s;
  const bool matrix = graph.inputs.size() != conversion.table.size();
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const std::span<const ColumnFacts> all(conversion.table);
    s.inputs.push_back(input(graph.inputs[i], matrix ? all : all.subspan(i, 1), conversion.missing_words));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    Field& f = s.outputs.emplace_back(field(graph.outputs[i]));
    f.names = outputs[i].columns;
    if (outputs[i].classes) f.classes = listed(outputs[i].classes);
  }
  s.source = {facts.library, facts.version, facts.class_name, options.source_sha256};
  return s;
}

}  // namespace onward
