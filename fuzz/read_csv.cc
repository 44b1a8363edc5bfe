// CSV and JSON of any bytes end in a table or an Error; what is read as CSV is written and read back the same.
// Rooms: data
#include <cstdlib>

#include "onward/base/error.h"
#include "onward/data/csv.h"
#include "onward/data/json_lines.h"

using namespace onward;

static Table read_as(TableReader& reader, std::vector<ColumnType> types) {
  std::vector<ColumnPlan> plan;
  for (const ColumnType type : types) plan.push_back({.type = type});
  reader.plan(plan);
  return read_all(reader);
}

static bool same(const Table& a, const Table& b) {
  if (a.rows != b.rows || a.columns.size() != b.columns.size()) return false;
  for (size_t i = 0; i < a.columns.size(); ++i) {
    const Column &x = a.columns[i], &y = b.columns[i];
    for (size_t row = 0; row < size_t(a.rows); ++row) {
      if (x.missing(row) != y.missing(row)) return false;
      const bool equal = x.missing(row) || std::visit([&]<class V>(const V& v) { return v[row] == std::get<V>(y.values)[row]; }, x.values);
      if (!equal) return false;
    }
  }
  return true;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  CsvOptions options{.header = bool(data[0] & 1), .quoted_is_text = true, .batch_rows = 1 + data[1] % 16, .batch_bytes = size_t{64} << data[1] / 16, .row_bytes = 1 << 16};
  if (data[0] & 2) options.separator = ",;\t|"[data[0] / 4 % 4];
  if (data[0] & 128) {
    try {
      read_all(*open_json(memory_source(bytes), {.batch_rows = options.batch_rows, .object_bytes = 1 << 16}));
    } catch (const Error&) {
    }
    return 0;
  }
  Table table;
  try {
    table = read_all(*open_csv(memory_source(bytes), options));
  } catch (const Error&) {
    return 0;
  }
  std::string written;
  CsvText().append_header(written, table), CsvText().append_rows(written, table);
  std::vector<ColumnType> types;
  for (const Column& c : table.columns) types.push_back(c.type);
  if (!same(table, read_as(*open_csv(memory_source(written), {.separator = ',', .quoted_is_text = true}), types))) std::abort();
  return 0;
}
