// Tables across the boundary, and predictions on them.
#include "onward/api/boundary.h"

using namespace onward;
using onward::api::guarded;
using onward::api::require;

namespace {

std::vector<Cell> cells_of(const uint8_t* cells, int64_t rows, const char* name) {
  if (!cells) return {};
  std::vector<Cell> out(static_cast<size_t>(rows));
  for (size_t row = 0; row < out.size(); ++row) {
    if (cells[row] > ONWARD_CELL_NA) fail(Code::usage, "column '", name, "', row ", row + 1, ": cell kind ", int(cells[row]), " does not exist");
    out[row] = Cell(cells[row]);
  }
  return out;
}

template <class T> Column column_of(const char* name, ColumnType type, const void* data, int64_t rows) {
  const T* values = static_cast<const T*>(data);
  return Column(name, type, std::vector<T>(values, values + rows));
}

const Column* column_at(const onward_table* table, size_t column) {
  return table && column < table->table.columns.size() ? &table->table.columns[column] : nullptr;
}

// Columns are found once for tables that follow each other with the same columns.
std::shared_ptr<const TableSession> answering(const onward_session& handle, const Table& table) {
  const auto same = [&](const std::vector<std::string>& names) {
    return std::equal(table.columns.begin(), table.columns.end(), names.begin(), names.end(), [](const Column& c, const std::string& name) { return c.name == name; });
  };
  {
    const std::lock_guard lock(handle.mutex);
    if (handle.tables && same(handle.tables->binder().columns())) return handle.tables;
  }
  std::vector<std::string> names;
  for (const Column& c : table.columns) names.push_back(c.name);
  auto tables = std::make_shared<const TableSession>(handle.session, std::move(names));
  const std::lock_guard lock(handle.mutex);
  return handle.tables = std::move(tables);
}

}  // namespace

onward_status* onward_table_create(int64_t rows, onward_table** table) {
  return guarded([&] {
    require(table, "table");
    if (rows < 0) fail(Code::usage, "a table of ", rows, " rows");
    *table = new onward_table{Table{.rows = rows}};
  });
}
void onward_table_release(onward_table* table) { delete table; }

onward_status* onward_table_add_numbers(onward_table* table, const char* name, int type, const void* data, const uint8_t* cells) {
  return guarded([&] {
    require(table, "table"), require(name, "name");
    const int64_t rows = table->table.rows;
    if (rows) require(data, "data");
    Column column;
    switch (type) {
      case ONWARD_COLUMN_FLOAT64: column = column_of<double>(name, ColumnType::float64, data, rows); break;
      case ONWARD_COLUMN_FLOAT32: column = column_of<float>(name, ColumnType::float32, data, rows); break;
      case ONWARD_COLUMN_INT64: column = column_of<int64_t>(name, ColumnType::int64, data, rows); break;
      case ONWARD_COLUMN_BOOL: column = column_of<uint8_t>(name, ColumnType::boolean, data, rows); break;
      case ONWARD_COLUMN_DATETIME: column = column_of<int64_t>(name, ColumnType::datetime, data, rows); break;
      default: fail(Code::usage, "column '", name, "': ", type, " is no type of numbers");
    }
    column.cells = cells_of(cells, rows, name);
    table->table.columns.push_back(std::move(column));
  });
}

onward_status* onward_table_add_strings(onward_table* table, const char* name, const char* const* texts, const size_t* lengths, const uint8_t* cells) {
  return guarded([&] {
    require(table, "table"), require(name, "name");
    const int64_t rows = table->table.rows;
    if (rows) require(texts, "texts");
    Column column(name, ColumnType::string);
    column.cells = cells_of(cells, rows, name);
    Strings& strings = std::get<Strings>(column.values);
    for (size_t row = 0; row < size_t(rows); ++row) {
      const bool gap = column.missing(row);
      if (!gap) require(texts[row], "a text");
      if (gap || !texts[row]) strings.push_back("");
      else strings.push_back(lengths ? std::string_view(texts[row], lengths[row]) : std::string_view(texts[row]));
    }
    table->table.columns.push_back(std::move(column));
  });
}

int64_t onward_table_rows(const onward_table* table) { return table ? table->table.rows : 0; }
size_t onward_table_column_count(const onward_table* table) { return table ? table->table.columns.size() : 0; }

const char* onward_table_column_name(const onward_table* table, size_t column) {
  const Column* found = column_at(table, column);
  return found ? found->name.c_str() : nullptr;
}

int onward_table_column_type(const onward_table* table, size_t column) {
  const Column* found = column_at(table, column);
  return found ? int(found->type) : -1;
}

const void* onward_table_column_data(const onward_table* table, size_t column) {
  const Column* found = column_at(table, column);
  if (!found) return nullptr;
  return std::visit([]<class V>(const V& values) -> const void* {
    if constexpr (std::is_same_v<V, Strings>) return nullptr;
    else return values.data();
  }, found->values);
}

const uint8_t* onward_table_column_cells(const onward_table* table, size_t column) {
  const Column* found = column_at(table, column);
  return found && !found->cells.empty() ? reinterpret_cast<const uint8_t*>(found->cells.data()) : nullptr;
}

onward_status* onward_table_string(const onward_table* table, size_t column, int64_t row, const char** text, size_t* length) {
  return guarded([&] {
    require(table, "table"), require(text, "text"), require(length, "length");
    const Column* found = column_at(table, column);
    if (!found || found->type != ColumnType::string) fail(Code::usage, "column ", column, " of the table holds no strings");
    if (row < 0 || row >= table->table.rows) fail(Code::usage, "row ", row, " of ", table->table.rows);
    const std::string_view cell = found->strings()[size_t(row)];
    *text = cell.data(), *length = cell.size();
  });
}

onward_status* onward_session_predict(const onward_session* session, const onward_run_options* options, const onward_table* table, onward_table** predictions) {
  return guarded([&] {
    require(session, "session"), require(table, "table"), require(predictions, "predictions");
    *predictions = new onward_table{answering(*session, table->table)->predict(table->table, options ? options->options : RunOptions{})};
  });
}
