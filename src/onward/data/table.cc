// Putting batches of rows together, and taking them apart.
#include "onward/data/table.h"

#include "onward/data/table_stream.h"

namespace onward {

void append(Column& column, const Column& more) {
  if (column.type != more.type)
    throw Error(Code::bad_data, text("column '", column.name, "' is ", name_of(column.type), " at first and ", name_of(more.type), " later"), "give the column's type");
  if (!column.cells.empty() || !more.cells.empty()) {
    column.cells.resize(column.size());
    column.cells.insert(column.cells.end(), more.cells.begin(), more.cells.end());
    column.cells.resize(column.size() + more.size());
  }
  std::visit([&]<class V>(V& values) {
    const V& others = std::get<V>(more.values);
    if constexpr (std::is_same_v<V, Strings>) values.append(others);
    else values.insert(values.end(), others.begin(), others.end());
  }, column.values);
}

Column rows_of(const Column& column, size_t from, size_t n) {
  Column out(column.name, column.type);
  std::visit([&]<class V>(V& values) {
    const V& all = std::get<V>(column.values);
    if constexpr (std::is_same_v<V, Strings>) for (size_t i = from; i < from + n; ++i) values.push_back(all[i]);
    else values.assign(all.begin() + ptrdiff_t(from), all.begin() + ptrdiff_t(from + n));
  }, out.values);
  if (!column.cells.empty()) out.cells.assign(column.cells.begin() + ptrdiff_t(from), column.cells.begin() + ptrdiff_t(from + n));
  return out;
}

Table rows_of(const Table& table, int64_t from, int64_t n) {
  Table out{.rows = n, .first_row = table.first_row + from};
  for (const Column& column : table.columns) out.columns.push_back(rows_of(column, size_t(from), size_t(n)));
  return out;
}

Table read_all(TableReader& reader) {
  std::optional<Table> all = reader.next();
  if (!all) return {};
  while (const std::optional<Table> more = reader.next()) {
    for (size_t i = 0; i < all->columns.size(); ++i) append(all->columns[i], more->columns.at(i));
    all->rows += more->rows;
  }
  return std::move(*all);
}

}  // namespace onward
