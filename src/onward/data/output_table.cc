#include "onward/data/output_table.h"

#include <algorithm>
#include <limits>
#include <map>

#include "onward/base/error.h"
#include "onward/data/column_tensor.h"

namespace onward {
namespace {

// What one column of an output is called: "probabilities_2" holds columns probability_2_<class>.
std::string singular(const std::string& name) {
  static const std::pair<std::string, std::string> names[] = {{"probabilities", "probability"}, {"log_probabilities", "log_probability"}, {"scores", "score"}, {"distances", "distance"},
                                                              {"neighbors", "neighbor"}, {"output_label", "label"}, {"output_probability", "probability"}};
  for (const auto& [many, one] : names) {
    if (name == many) return one;
    const std::string_view rest = std::string_view(name).substr(std::min(name.size(), many.size()));
    const bool numbered = name.starts_with(many) && rest.size() > 1 && rest[0] == '_' && rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
    if (numbered) return text(one, rest);
  }
  return name;
}

void append_tensor(Table& table, const Field& field, const Tensor& tensor) {
  const auto dims = tensor.dims();
  if (dims.empty() || dims[0] != table.rows)
    throw Error(Code::bad_data, text("output '", field.name, "' has shape ", shown(dims), ", which are no columns of ", table.rows, " rows"), "leave it out, or run the model on tensors");
  const size_t width = size_t(product(dims, 1, int64_t(dims.size())));
  std::vector<std::string> names = output_columns(field, width);
  if (dims.size() == 2 && field.name == "transformed" && width == 1 && field.names.size() != 1) names = {"transformed_0"};
  for (size_t k = 0; k < width; ++k) table.columns.push_back(column_of(std::move(names[k]), tensor, k, width));
}

std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  if (map.keys.type() == DataType::str) keys.assign(map.keys.data<std::string>(), map.keys.data<std::string>() + map.keys.size());
  else if (map.keys)
    for (const int64_t key : integers(map.keys)) keys.push_back(text(key));
  return keys;
}

void append_maps(Table& table, const Field& field, const Sequence& maps) {
  if (int64_t(maps.items.size()) != table.rows) fail(Code::bad_data, "output '", field.name, "' has ", maps.items.size(), " items for ", table.rows, " rows");
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::map<std::string, size_t> places;
  for (size_t row = 0; row < maps.items.size(); ++row) {
    const Map* map = std::get_if<Map>(&maps.items[row]);
    if (!map) fail(Code::bad_data, "output '", field.name, "' is a sequence of tensors, which are no columns");
    const std::vector<std::string> keys = keys_of(*map);
    ONWARD_CHECK(int64_t(keys.size()) == map->values.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto [place, added] = places.try_emplace(keys[i], table.columns.size());
      if (added) table.columns.emplace_back(text(singular(field.name), "_", keys[i]), ColumnType::float64, std::vector<double>(size_t(table.rows), nan));
      const bool ok = for_type<f32 | f64>(map->values.type(), [&]<class T>() { std::get<std::vector<double>>(table.columns[place->second].values)[row] = map->values.data<T>()[i]; });
      if (!ok) fail(Code::bad_data, "output '", field.name, "' is a map to ", name_of(map->values.type()), ", which is no column");
    }
  }
}

}  // namespace

std::vector<std::string> output_columns(const Field& field, size_t width) {
  if (field.names.size() == width) return field.names;
  const std::string one = singular(field.name);
  const bool by_class = size(field.classes) == width && width > 1 && !one.starts_with("label");
  const bool alone = width == 1 && !one.starts_with("probability");
  std::vector<std::string> names;
  for (size_t k = 0; k < width; ++k) names.push_back(alone ? one : by_class ? text(one, "_", shown(field.classes, k)) : text(one, "_", k));
  return names;
}

Table output_table(const Schema& schema, std::span<const std::pair<std::string, Value>> outputs, int64_t rows) {
  Table table;
  table.rows = rows;
  for (const auto& [name, value] : outputs) {
    const auto it = std::find_if(schema.outputs.begin(), schema.outputs.end(), [&](const Field& f) { return f.name == name; });
    const Field unknown = it == schema.outputs.end() ? Field{.name = name} : Field();
    const Field& field = it == schema.outputs.end() ? unknown : *it;
    if (const Tensor* tensor = value.tensor()) append_tensor(table, field, *tensor);
    else if (const auto* sequence = std::get_if<Sequence>(&value)) append_maps(table, field, *sequence);
    else fail(Code::bad_data, "output '", name, "' is empty or a map, which are no columns");
  }
  return table;
}

}  // namespace onward
