#include "onward/estimators/describe.h"

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

// A column's own input says all that is known of it; a matrix says what holds for every column.
Field input(const ValueInfo& value, std::span<const ColumnFacts> columns, const MissingWords& words) {
  Field f = field(value);
  const bool alone = columns.size() == 1, floating = is_floating(f.type);
  bool refused = false, apart = false;
  for (const ColumnFacts& c : columns) {
    refused |= c.missing == Missing::refuse;
    apart |= c.tells_missing_apart;
    if (floating && c.infinity == Infinity::refuse) f.infinity = Infinity::refuse;
    if (!alone) f.names.push_back(c.name);
  }
  f.missing = columns.empty() ? Missing::nan : columns[0].missing;
  for (const ColumnFacts& c : columns)
    if (c.missing != f.missing) f.missing = refused ? Missing::refuse : Missing::nan;
  // Integers and bools have no room for a gap.
  if (f.type == ColumnType::int64 || f.type == ColumnType::boolean) f.missing = Missing::refuse;
  f.nullable = f.missing != Missing::refuse;
  if (f.type == ColumnType::string && (apart || f.nullable)) f.missing_text = MissingText{words.nan, words.none, {}};
  if (alone) {
    f.unknown = columns[0].unknown;
    f.categories = listed(columns[0].categories);
    if (auto* whole = std::get_if<std::vector<int64_t>>(&f.categories); whole && floating)
      f.categories = std::vector<double>(whole->begin(), whole->end());
  }
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
