// Tables to Arrow arrays.
#include "onward/api/arrow_structs.h"
#include "onward/api/boundary.h"

using namespace onward;
using onward::api::guarded;
using onward::api::require;

namespace {

// What an exported struct points to; freed by its release callback. Children that were moved away have no callback left.
struct SchemaParts {
  std::string format, name;
  std::vector<ArrowSchema> columns;
  std::vector<ArrowSchema*> children;
};
struct ArrayParts {
  std::vector<uint8_t> validity, bits;
  std::vector<int64_t> offsets;
  Column column;
  std::string bytes;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> columns;
  std::vector<ArrowArray*> children;
};

template <class Struct, class Parts> void release(Struct* exported) {
  auto* parts = static_cast<Parts*>(exported->private_data);
  for (Struct* child : parts->children) if (child->release) child->release(child);
  delete parts;
  exported->release = nullptr;
}

ArrowSchema schema_of(std::unique_ptr<SchemaParts> parts) {
  ArrowSchema schema{};
  for (ArrowSchema& column : parts->columns) parts->children.push_back(&column);
  schema.format = parts->format.c_str(), schema.name = parts->name.c_str();
  schema.flags = arrow_nullable;
  schema.n_children = int64_t(parts->children.size()), schema.children = parts->children.data();
  schema.release = release<ArrowSchema, SchemaParts>;
  schema.private_data = parts.release();
  return schema;
}

ArrowArray array_of(std::unique_ptr<ArrayParts> parts, int64_t rows, int64_t nulls) {
  ArrowArray array{};
  for (ArrowArray& column : parts->columns) parts->children.push_back(&column);
  array.length = rows, array.null_count = nulls;
  array.n_buffers = int64_t(parts->buffers.size()), array.buffers = parts->buffers.data();
  array.n_children = int64_t(parts->children.size()), array.children = parts->children.data();
  array.release = release<ArrowArray, ArrayParts>;
  array.private_data = parts.release();
  return array;
}

const char* format_of(ColumnType type) {
  switch (type) {
    case ColumnType::float64: return "g";
    case ColumnType::float32: return "f";
    case ColumnType::int64: return "l";
    case ColumnType::boolean: return "b";
    case ColumnType::string: return "U";
    case ColumnType::datetime: return "tsn:UTC";
  }
  return "n";
}

std::vector<uint8_t> bitmap(size_t rows, auto&& is_set) {
  std::vector<uint8_t> bits((rows + 7) / 8);
  for (size_t row = 0; row < rows; ++row) if (is_set(row)) bits[row / 8] |= uint8_t(1u << (row % 8));
  return bits;
}

ArrowArray column_array(const Column& column, int64_t rows) {
  auto parts = std::make_unique<ArrayParts>();
  int64_t nulls = 0;
  for (size_t row = 0; row < size_t(rows); ++row) nulls += column.missing(row);
  if (nulls) parts->validity = bitmap(size_t(rows), [&](size_t row) { return !column.missing(row); });
  parts->buffers.push_back(nulls ? parts->validity.data() : nullptr);
  if (column.type == ColumnType::string) {
    parts->offsets.push_back(0);
    for (size_t row = 0; row < size_t(rows); ++row) {
      parts->bytes += column.strings()[row];
      parts->offsets.push_back(int64_t(parts->bytes.size()));
    }
    parts->buffers.push_back(parts->offsets.data());
    parts->buffers.push_back(parts->bytes.data());
  } else if (column.type == ColumnType::boolean) {
    parts->bits = bitmap(size_t(rows), [&](size_t row) { return column.as<uint8_t>()[row] != 0; });
    parts->buffers.push_back(parts->bits.data());
  } else {
    parts->column = column;
    std::visit([&]<class V>(const V& values) { if constexpr (!std::is_same_v<V, Strings>) parts->buffers.push_back(values.data()); }, parts->column.values);
  }
  return array_of(std::move(parts), rows, nulls);
}

}  // namespace

onward_status* onward_table_export_arrow(const onward_table* table, ArrowSchema* schema, ArrowArray* array) {
  return guarded([&] {
    require(table, "table"), require(schema, "schema"), require(array, "array");
    auto schema_parts = std::make_unique<SchemaParts>(SchemaParts{.format = "+s"});
    auto array_parts = std::make_unique<ArrayParts>();
    for (const Column& column : table->table.columns) {
      schema_parts->columns.push_back(schema_of(std::make_unique<SchemaParts>(SchemaParts{.format = format_of(column.type), .name = column.name})));
      array_parts->columns.push_back(column_array(column, table->table.rows));
    }
    array_parts->buffers.push_back(nullptr);
    *schema = schema_of(std::move(schema_parts));
    *array = array_of(std::move(array_parts), table->table.rows, 0);
  });
}
