#include "onward/data/table_schema.h"

#include <cmath>
#include <set>

namespace onward {
namespace {

struct Seen {
  Field field;
  std::set<std::string> texts;
  bool many = false;

  void add_number(double x) {
    if (std::isnan(x)) field.nullable = true;
    else if (!field.range) field.range = {x, x};
    else field.range = {std::min(field.range->min, x), std::max(field.range->max, x)};
  }
  void add(const Column& column) {
    for (size_t row = 0; row < column.size(); ++row) {
      if (column.missing(row)) {
        field.nullable = true;
        continue;
      }
      std::visit([&]<class V>(const V& values) {
        if constexpr (!std::is_same_v<V, Strings>) {
          if (column.type != ColumnType::boolean) add_number(double(values[row]));
        } else if (!many) {
          texts.emplace(values[row]);
          many = texts.size() > most_categories;
        }
      }, column.values);
    }
  }
};

}  // namespace

Schema schema_of(TableReader& table) {
  std::vector<Seen> seen;
  while (const std::optional<Table> batch = table.next()) {
    seen.resize(batch->columns.size());
    for (size_t i = 0; i < seen.size(); ++i) {
      seen[i].field.name = batch->columns[i].name, seen[i].field.type = batch->columns[i].type;
      seen[i].add(batch->columns[i]);
    }
  }
  Schema schema;
  for (Seen& s : seen) {
    Field& f = schema.inputs.emplace_back(std::move(s.field));
    f.shape = {std::nullopt, 1};
    f.missing = f.nullable ? Missing::nan : Missing::refuse;
    if (f.range && !(std::isfinite(f.range->min) && std::isfinite(f.range->max))) f.range.reset();
    if (f.type == ColumnType::string && !s.many && !s.texts.empty()) f.categories = std::vector<std::string>(s.texts.begin(), s.texts.end());
  }
  return schema;
}

}  // namespace onward
