// Arrow arrays to tables: every value is copied once, into a column of the nearest type.
#include <cmath>

#include "onward/api/arrow_structs.h"
#include "onward/api/boundary.h"

using namespace onward;
using onward::api::guarded;
using onward::api::require;

namespace {

constexpr int64_t second = 1'000'000'000, day = 86'400 * second;

struct Reader {
  const ArrowSchema& schema;
  const ArrowArray& array;
  int64_t first, rows;                                   // of the array, without its own offset

  std::string_view format() const { return schema.format; }
  std::string name() const { return schema.name ? schema.name : ""; }

  template <class T> const T* values(int buffer) const {
    if (buffer >= array.n_buffers || !array.buffers || (!array.buffers[buffer] && rows)) fail(Code::bad_data, "column '", name(), "': the Arrow array lacks buffer ", buffer);
    return static_cast<const T*>(array.buffers[buffer]) + array.offset + first;
  }
  static bool bit(const void* bits, int64_t i) { return (static_cast<const uint8_t*>(bits)[i / 8] >> (i % 8)) & 1; }
  bool valid(int64_t row) const {
    return array.null_count == 0 || array.n_buffers == 0 || !array.buffers[0] || bit(array.buffers[0], array.offset + first + row);
  }
  // A null is NaN, as pandas makes of it.
  void mark_gaps(Column& column) const {
    for (int64_t row = 0; row < rows; ++row) if (!valid(row)) column.set_missing(size_t(row));
  }

  template <class From, class To> Column numbers(ColumnType type, auto&& convert) const {
    const From* from = rows ? values<From>(1) : nullptr;
    std::vector<To> to(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row) if (valid(row)) to[size_t(row)] = convert(from[row]);
    Column column(name(), type, std::move(to));
    mark_gaps(column);
    return column;
  }
  template <class From> Column integers() const {
    return numbers<From, int64_t>(ColumnType::int64, [&](From v) {
      if (!std::in_range<int64_t>(v)) fail(Code::bad_data, "column '", name(), "': ", v, " does not fit int64");
      return int64_t(v);
    });
  }
  template <class From> Column times(int64_t unit) const {
    return numbers<From, int64_t>(ColumnType::datetime, [&](From v) {
      int64_t nanoseconds;
      if (__builtin_mul_overflow(int64_t(v), unit, &nanoseconds)) fail(Code::bad_data, "column '", name(), "': a time is outside of the years 1678 to 2262");
      return nanoseconds;
    });
  }
  Column booleans() const {
    std::vector<uint8_t> to(static_cast<size_t>(rows));
    if (rows) values<uint8_t>(1);
    for (int64_t row = 0; row < rows; ++row) to[size_t(row)] = valid(row) && bit(array.buffers[1], array.offset + first + row);
    Column column(name(), ColumnType::boolean, std::move(to));
    mark_gaps(column);
    return column;
  }
  template <class Offset> Column texts() const {
    Column column(name(), ColumnType::string);
    Strings& strings = std::get<Strings>(column.values);
    if (rows) {
      const Offset* offsets = values<Offset>(1);
      const char* bytes = array.n_buffers > 2 ? static_cast<const char*>(array.buffers[2]) : nullptr;
      for (int64_t row = 0; row < rows; ++row) {
        const bool real = valid(row) && offsets[row + 1] > offsets[row];
        if (real && (!bytes || offsets[row] < 0)) fail(Code::bad_data, "column '", name(), "': the Arrow array has no bytes for its texts");
        strings.push_back(real ? std::string_view(bytes + offsets[row], size_t(offsets[row + 1] - offsets[row])) : std::string_view());
      }
    }
    mark_gaps(column);
    return column;
  }
  // 16 bytes a text: its length, then itself or where it stands.
  Column text_views() const {
    struct View { int32_t length; char prefix[4]; int32_t buffer, offset; };
    Column column(name(), ColumnType::string);
    Strings& strings = std::get<Strings>(column.values);
    const View* views = rows ? values<View>(1) : nullptr;
    for (int64_t row = 0; row < rows; ++row) {
      const View& v = views[row];
      if (!valid(row) || v.length <= 0) {
        strings.push_back("");
      } else if (v.length <= 12) {
        strings.push_back({v.prefix, size_t(v.length)});
      } else {
        if (v.buffer < 0 || v.buffer + 2 >= array.n_buffers || v.offset < 0) fail(Code::bad_data, "column '", name(), "': a text lies outside of the Arrow array");
        strings.push_back({static_cast<const char*>(array.buffers[v.buffer + 2]) + v.offset, size_t(v.length)});
      }
    }
    mark_gaps(column);
    return column;
  }
  Column nothing() const {
    Column column(name(), ColumnType::float64, std::vector<double>(size_t(rows), NAN));
    for (int64_t row = 0; row < rows; ++row) column.set_missing(size_t(row));
    return column;
  }

  Column plain() const {
    const std::string_view f = format();
    if (f == "n") return nothing();
    if (f == "b") return booleans();
    if (f == "c") return integers<int8_t>();
    if (f == "C") return integers<uint8_t>();
    if (f == "s") return integers<int16_t>();
    if (f == "S") return integers<uint16_t>();
    if (f == "i") return integers<int32_t>();
    if (f == "I") return integers<uint32_t>();
    if (f == "l") return integers<int64_t>();
    if (f == "L") return integers<uint64_t>();
    if (f == "e") return numbers<float16, float>(ColumnType::float32, [](float16 v) { return float(v); });
    if (f == "f") return numbers<float, float>(ColumnType::float32, [](float v) { return v; });
    if (f == "g") return numbers<double, double>(ColumnType::float64, [](double v) { return v; });
    if (f == "u") return texts<int32_t>();
    if (f == "U") return texts<int64_t>();
    if (f == "vu") return text_views();
    if (f == "tdD") return times<int32_t>(day);
    if (f == "tdm") return times<int64_t>(second / 1000);
    if (f.starts_with("tss")) return times<int64_t>(second);
    if (f.starts_with("tsm")) return times<int64_t>(second / 1000);
    if (f.starts_with("tsu")) return times<int64_t>(1000);
    if (f.starts_with("tsn")) return times<int64_t>(1);
    throw Error(Code::bad_data, text("column '", name(), "' has the Arrow type '", f, "', which no column holds"), "cast it to numbers, booleans, texts or timestamps");
  }
};

Column column_of(const ArrowSchema& schema, const ArrowArray& array, int64_t first, int64_t rows);

template <class V> void gather(Column& out, const V& values, const Column& known, const std::vector<int64_t>& indices, const Column& index) {
  V to;
  for (size_t row = 0; row < indices.size(); ++row) {
    const bool gap = index.missing(row);
    const int64_t at = indices[row];
    if (!gap && (at < 0 || size_t(at) >= known.size())) fail(Code::bad_data, "column '", out.name, "', row ", row + 1, ": entry ", at, " of a dictionary of ", known.size());
    if constexpr (std::is_same_v<V, Strings>) to.push_back(gap ? std::string_view() : values[size_t(at)]);
    else to.push_back(gap ? typename V::value_type() : values[size_t(at)]);
  }
  out.values = std::move(to);
  for (size_t row = 0; row < indices.size(); ++row)
    if (index.missing(row) || known.missing(size_t(indices[row]))) out.set_missing(row);
}

Column dictionary_column(const ArrowSchema& schema, const ArrowArray& array, int64_t first, int64_t rows) {
  if (!array.dictionary || schema.dictionary->dictionary) fail(Code::bad_data, "column '", schema.name ? schema.name : "", "': a dictionary that is none");
  const Column known = column_of(*schema.dictionary, *array.dictionary, 0, array.dictionary->length);
  const Column index = Reader{schema, array, first, rows}.plain();
  if (index.type != ColumnType::int64) fail(Code::bad_data, "column '", index.name, "': the entries of a dictionary are numbered by whole numbers");
  const std::vector<int64_t>& indices = std::get<std::vector<int64_t>>(index.values);
  Column out(index.name, known.type);
  std::visit([&](const auto& values) { gather(out, values, known, indices, index); }, known.values);
  return out;
}

Column column_of(const ArrowSchema& schema, const ArrowArray& array, int64_t first, int64_t rows) {
  if (!schema.format || array.offset < 0 || array.length < 0 || rows > array.length - first) fail(Code::bad_data, "column '", schema.name ? schema.name : "", "' is shorter than its table");
  return schema.dictionary ? dictionary_column(schema, array, first, rows) : Reader{schema, array, first, rows}.plain();
}

Table table_of(const ArrowSchema& schema, const ArrowArray& array) {
  if (!schema.format || std::string_view(schema.format) != "+s") fail(Code::bad_data, "expected an Arrow struct of columns, given the type '", schema.format ? schema.format : "", "'");
  if (array.n_children != schema.n_children || array.length < 0 || array.offset < 0) fail(Code::bad_data, "the Arrow array does not fit its schema");
  if (schema.n_children && (!schema.children || !array.children)) fail(Code::bad_data, "the Arrow array has no columns");
  Table table{.rows = array.length};
  for (int64_t k = 0; k < schema.n_children; ++k) table.columns.push_back(column_of(*schema.children[k], *array.children[k], array.offset, array.length));
  return table;
}

// No rows, but the columns.
Table empty_table(const ArrowSchema& schema) {
  std::vector<ArrowArray> columns(static_cast<size_t>(schema.n_children)), dictionaries(columns.size());
  std::vector<ArrowArray*> children;
  for (size_t k = 0; k < columns.size(); ++k) columns[k].dictionary = &dictionaries[k], children.push_back(&columns[k]);
  ArrowArray array{};
  array.n_children = schema.n_children, array.children = children.data();
  return table_of(schema, array);
}

template <class Struct> struct Owned : Struct {
  Owned() : Struct{} {}
  ~Owned() { if (this->release) this->release(this); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
};

// A stream's schema and its batches, until there are no more.
class Batches {
 public:
  explicit Batches(ArrowArrayStream& stream) : stream_(stream) { check(stream.get_schema(&stream, &schema)); }
  bool next(Owned<ArrowArray>& batch) const {
    check(stream_.get_next(&stream_, &batch));
    return batch.release;
  }
  Owned<ArrowSchema> schema;

 private:
  void check(int code) const {
    if (!code) return;
    const char* why = stream_.get_last_error ? stream_.get_last_error(&stream_) : nullptr;
    fail(Code::bad_data, "the Arrow stream failed: ", why ? why : "no reason given", " (", code, ")");
  }
  ArrowArrayStream& stream_;
};

Table read_table(ArrowArrayStream& stream) {
  const Batches batches(stream);
  std::optional<Table> all;
  for (;;) {
    Owned<ArrowArray> batch;
    if (!batches.next(batch)) return all ? std::move(*all) : empty_table(batches.schema);
    Table more = table_of(batches.schema, batch);
    if (!all) {
      all = std::move(more);
      continue;
    }
    for (size_t k = 0; k < more.columns.size(); ++k) append(all->columns[k], more.columns[k]);
    all->rows += more.rows;
  }
}

Column read_column(ArrowArrayStream& stream, const char* name) {
  const Batches batches(stream);
  ArrowSchema schema = batches.schema;                    // what it points to stays that one's
  schema.name = name;
  std::optional<Column> all;
  for (;;) {
    Owned<ArrowArray> chunk;
    if (!batches.next(chunk)) break;
    Column more = column_of(schema, chunk, 0, chunk.length);
    if (all) append(*all, more);
    else all = std::move(more);
  }
  if (all) return std::move(*all);
  ArrowArray nothing{}, no_entries{};
  nothing.dictionary = &no_entries;
  return column_of(schema, nothing, 0, 0);
}

}  // namespace

onward_status* onward_table_import_arrow(const ArrowSchema* schema, const ArrowArray* array, onward_table** table) {
  return guarded([&] { require(schema, "schema"), require(array, "array"), require(table, "table"), *table = new onward_table{table_of(*schema, *array)}; });
}

onward_status* onward_table_import_arrow_stream(ArrowArrayStream* stream, onward_table** table) {
  return guarded([&] { require(stream, "stream"), require(table, "table"), *table = new onward_table{read_table(*stream)}; });
}

onward_status* onward_table_add_arrow(onward_table* table, const char* name, ArrowArrayStream* stream, int gap) {
  return guarded([&] {
    require(table, "table"), require(name, "name"), require(stream, "stream");
    if (gap < ONWARD_CELL_NAN || gap > ONWARD_CELL_NA) fail(Code::usage, "column '", name, "': ", gap, " is no kind of gap");
    Column column = read_column(*stream, name);
    if (int64_t(column.size()) != table->table.rows) fail(Code::bad_data, "column '", name, "' has ", column.size(), " rows, the table has ", table->table.rows);
    for (Cell& cell : column.cells) if (cell != Cell::value) cell = Cell(gap);
    table->table.columns.push_back(std::move(column));
  });
}
