// Tables as JSON text.
#include <cmath>
#include <nlohmann/json.hpp>

#include "onward/data/cell_text.h"
#include "onward/data/json_lines.h"

namespace onward {
namespace {

std::string json_text(std::string_view s) { return nlohmann::json(s).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

void append_value(std::string& out, const Column& column, size_t row) {
  const size_t before = out.size();
  switch (column.type) {
    case ColumnType::float64:
      if (const double v = column.as<double>()[row]; std::isfinite(v)) append_float64(out, v);
      break;
    case ColumnType::float32:
      if (const float v = column.as<float>()[row]; std::isfinite(v)) append_float32(out, v);
      break;
    case ColumnType::int64: append_int64(out, column.as<int64_t>()[row]); break;
    case ColumnType::datetime: out += '"', append_datetime(out, column.as<int64_t>()[row]), out += '"'; break;
    case ColumnType::boolean: out += column.as<uint8_t>()[row] ? "true" : "false"; break;
    case ColumnType::string: out += json_text(column.strings()[row]); break;
  }
  if (out.size() == before) out += "null";
}

}  // namespace

void append_json_rows(std::string& out, const Table& table, std::string_view end) {
  std::vector<std::string> keys;
  for (const Column& column : table.columns) keys.push_back(json_text(column.name) + ":");
  for (size_t row = 0; row < size_t(table.rows); ++row) {
    out += '{';
    for (size_t i = 0; i < keys.size(); ++i) {
      if (i) out += ',';
      out += keys[i];
      if (table.columns[i].missing(row)) out += "null";
      else append_value(out, table.columns[i], row);
    }
    out += '}', out += end;
  }
}

}  // namespace onward
