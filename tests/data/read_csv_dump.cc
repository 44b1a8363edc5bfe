// Prints a CSV file as onward reads it, for compare_pandas.py: one JSON object, gaps as null, floats in hexadecimal.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "onward/base/error.h"
#include "onward/data/open_table.h"

using namespace onward;
using Json = nlohmann::ordered_json;

static Json cell(const Column& column, size_t row) {
  if (column.missing(row)) return nullptr;
  switch (column.type) {
    case ColumnType::boolean: return column.as<uint8_t>()[row] != 0;
    case ColumnType::int64: return column.as<int64_t>()[row];
    case ColumnType::string: return std::string(column.strings()[row]);
    default: break;
  }
  char hexadecimal[40];
  std::snprintf(hexadecimal, sizeof hexadecimal, "%a", column.as<double>()[row]);
  return hexadecimal;
}

int main(int, char** argv) {
  try {
    const Table table = read_all(*open_table(argv[1]));
    Json columns = Json::array();
    for (const Column& column : table.columns) {
      Json cells = Json::array();
      for (size_t row = 0; row < size_t(table.rows); ++row) cells.push_back(cell(column, row));
      columns.push_back({{"name", column.name}, {"type", name_of(column.type)}, {"cells", std::move(cells)}});
    }
    std::printf("%s\n", Json{{"columns", std::move(columns)}}.dump().c_str());
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 3;
  }
}
