// Schemas and the models that carry them.
#include "onward/model/schema.h"

#include <algorithm>

#include "onward/base/suggest.h"

namespace onward {

std::string_view name_of(ColumnType t) {
  constexpr std::string_view names[] = {"float64", "float32", "int64", "bool", "string", "datetime"};
  return names[size_t(t)];
}
std::string_view name_of(Missing m) {
  constexpr std::string_view names[] = {"refuse", "impute", "nan", "category"};
  return names[size_t(m)];
}
std::string_view name_of(Unknown u) {
  constexpr std::string_view names[] = {"refuse", "ignore", "category"};
  return names[size_t(u)];
}
std::string_view name_of(OutOfRange o) {
  constexpr std::string_view names[] = {"accept", "clip", "refuse"};
  return names[size_t(o)];
}
std::string_view name_of(Infinity i) { return i == Infinity::accept ? "accept" : "refuse"; }
std::string_view name_of(Written w) {
  constexpr std::string_view names[] = {"text", "digits", "refuse"};
  return names[size_t(w)];
}

size_t size(const Categories& categories) {
  return std::visit([]<class C>(const C& c) -> size_t { if constexpr (std::is_same_v<C, std::monostate>) return 0; else return c.size(); }, categories);
}

std::string shown(const Categories& categories, size_t i) {
  return std::visit([&]<class C>(const C& c) { if constexpr (std::is_same_v<C, std::monostate>) return std::string(); else return text(c.at(i)); }, categories);
}

DataType tensor_type(const Field& field) {
  if (field.element != DataType::none) return field.element;
  switch (field.type) {
    case ColumnType::float64: return DataType::f64;
    case ColumnType::float32: return DataType::f32;
    case ColumnType::boolean: return DataType::b8;
    case ColumnType::string: return DataType::str;
    case ColumnType::int64: case ColumnType::datetime: break;
  }
  return DataType::i64;
}

void set_schema(Model& model, const Schema& schema) { model.metadata[std::string(schema_key)] = write_schema(schema); }

namespace {

// What a given schema does not say of text stays the model's: no schema of an earlier release says it.
void keep_unsaid(Field& wanted, const Field& known) {
  if (!wanted.numbers) wanted.numbers = known.numbers;
  if (!wanted.true_false) wanted.true_false = known.true_false;
  wanted.category_codes = known.category_codes;
  for (size_t i = 0; i < wanted.columns.size(); ++i) keep_unsaid(wanted.columns[i], i < known.columns.size() ? known.columns[i] : known);
}

}  // namespace

void set_policies(Model& model, const Schema& given) {
  Schema schema = schema_of(model);
  std::vector<std::string> names;
  for (const Field& f : schema.inputs) names.push_back(f.name);
  for (Field wanted : given.inputs) {
    const auto it = std::find_if(schema.inputs.begin(), schema.inputs.end(), [&](const Field& f) { return f.name == wanted.name; });
    if (it == schema.inputs.end()) fail(Code::bad_schema, "the schema has an input '", wanted.name, "' that the model lacks", suggestion(wanted.name, names));
    it->nullable = wanted.nullable, it->range = wanted.range, it->missing = wanted.missing, it->unknown = wanted.unknown, it->out_of_range = wanted.out_of_range;
    keep_unsaid(wanted, *it);
    it->infinity = wanted.infinity, it->numbers = wanted.numbers, it->true_false = wanted.true_false;
    it->columns = wanted.columns;
    if (size(wanted.categories)) it->categories = wanted.categories;
    if (wanted.missing_text) it->missing_text = wanted.missing_text;
  }
  set_schema(model, schema);
}

namespace {

// A sequence of maps (what ZipMap makes) is a column per key.
const TypeInfo& carried(const TypeInfo& type) {
  const bool inside = type.item && type.kind != TypeInfo::Kind::tensor;
  return inside ? carried(*type.item) : type;
}

std::optional<ColumnType> column_type(DataType element) {
  if (element == DataType::f64) return ColumnType::float64;
  if (element == DataType::str) return ColumnType::string;
  if (element == DataType::b8) return ColumnType::boolean;
  if (contains(f32 | small_floats, element)) return ColumnType::float32;
  if (contains(i8 | i16 | i32 | i64 | u8 | u16 | u32 | u64 | small_ints, element)) return ColumnType::int64;
  return {};
}

Field field_of(const ValueInfo& value, bool input) {
  const TypeInfo& type = input ? value.type : carried(value.type);
  const auto column = type.kind == TypeInfo::Kind::tensor ? column_type(type.element) : std::nullopt;
  if (!column && input) fail(Code::bad_schema, "input '", value.name, "' is ", shown(value.type), ", which no column of a table can fill");
  Field field{.name = value.name, .type = column.value_or(ColumnType::string)};
  if (&type == &value.type && type.shape)
    for (const DimInfo& d : *type.shape) field.shape.push_back(d.size);
  else
    field.shape = {std::nullopt, std::nullopt};
  if (input && is_floating(field.type)) field.nullable = true, field.missing = Missing::nan;
  return field;
}

bool is_constant(const Graph& graph, const std::string& input) { return graph.initializers.contains(input); }

std::vector<std::string> names_of(const std::vector<ValueInfo>& values) {
  std::vector<std::string> names;
  for (const ValueInfo& v : values) names.push_back(v.name);
  return names;
}

void check_agreement(const std::vector<Field>& fields, const std::vector<ValueInfo>& values, const char* kind) {
  for (const Field& field : fields) {
    if (std::any_of(values.begin(), values.end(), [&](const ValueInfo& v) { return v.name == field.name; })) continue;
    throw Error(Code::bad_schema, text("the model's schema has an ", kind, " '", field.name, "' that its graph lacks", suggestion(field.name, names_of(values))),
                "another program may have renamed it; convert the model again or remove the metadata key onward.schema");
  }
}

// The graph has the last word on element types: a stored schema may say int64 where the graph takes int32.
void take_elements(std::vector<Field>& fields, const std::vector<ValueInfo>& values) {
  for (Field& field : fields)
    for (const ValueInfo& v : values)
      if (v.name == field.name && v.type.kind == TypeInfo::Kind::tensor) {
        field.element = DataType::none;
        if (tensor_type(field) != v.type.element) field.element = v.type.element;
      }
}

}  // namespace

Schema schema_of(const Model& model) {
  const Graph& graph = model.graph;
  Schema schema;
  if (const auto stored = model.metadata.find(std::string(schema_key)); stored != model.metadata.end()) {
    schema = read_schema(stored->second);
    check_agreement(schema.inputs, graph.inputs, "input");
    check_agreement(schema.outputs, graph.outputs, "output");
    for (const ValueInfo& v : graph.inputs)
      if (!is_constant(graph, v.name) && std::none_of(schema.inputs.begin(), schema.inputs.end(), [&](const Field& f) { return f.name == v.name; }))
        fail(Code::bad_schema, "the model's graph has an input '", v.name, "' that its schema lacks");
  } else {
    for (const ValueInfo& v : graph.inputs)
      if (!is_constant(graph, v.name)) schema.inputs.push_back(field_of(v, true));
    for (const ValueInfo& v : graph.outputs) schema.outputs.push_back(field_of(v, false));
  }
  take_elements(schema.inputs, graph.inputs);
  take_elements(schema.outputs, graph.outputs);
  return schema;
}

}  // namespace onward
