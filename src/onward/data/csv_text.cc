// Tables as CSV text.
#include "onward/data/csv.h"

namespace onward {

void CsvText::append_header(std::string& out, const Table& table) const {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (i) out += separator_;
    append_text(out, table.columns[i].name);
  }
  out += '\n';
}

void CsvText::append_rows(std::string& out, const Table& table) const {
  for (size_t row = 0; row < size_t(table.rows); ++row) {
    const size_t begin = out.size();
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (i) out += separator_;
      append_cell(out, table.columns[i], row);
    }
    if (table.columns.size() == 1 && out.size() == begin) out += "NA";    // an empty line would be no row
    out += '\n';
  }
}

void CsvText::append_text(std::string& out, std::string_view text) const {
  const char special[] = {separator_, '"', '\n', '\r'};
  const bool plain = text.find_first_of(std::string_view(special, 4)) == std::string_view::npos && !markers_.contains(text);
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    out += c;
    if (c == '"') out += '"';
  }
  out += '"';
}

void CsvText::append_cell(std::string& out, const Column& column, size_t row) const {
  if (column.missing(row)) return;
  switch (column.type) {
    case ColumnType::float64:
      if (const double v = column.as<double>()[row]; v == v) append_float64(out, v);
      break;
    case ColumnType::float32:
      if (const float v = column.as<float>()[row]; v == v) append_float32(out, v);
      break;
    case ColumnType::int64: append_int64(out, column.as<int64_t>()[row]); break;
    case ColumnType::datetime: append_datetime(out, column.as<int64_t>()[row]); break;
    case ColumnType::boolean: out += column.as<uint8_t>()[row] ? "True" : "False"; break;
    case ColumnType::string: append_text(out, column.strings()[row]); break;
  }
}

}  // namespace onward
