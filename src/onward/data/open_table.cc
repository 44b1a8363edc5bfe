#include "onward/data/open_table.h"

#include <algorithm>

#include "onward/base/error.h"
#include "onward/base/file.h"
#include "onward/base/suggest.h"
#include "onward/base/zip.h"
#include "onward/data/json_lines.h"
#include "onward/data/npy.h"

namespace onward {
namespace {

struct OtherKind { std::string_view begins, name, advice; };

constexpr OtherKind other_kinds[] = {
    {"PAR1", "Parquet", "convert it with pandas: pandas.read_parquet(path).to_csv('table.csv', index=False)"},
    {"ARROW1", "Arrow (Feather)", "convert it with pandas: pandas.read_feather(path).to_csv('table.csv', index=False)"},
    {"\xff\xff\xff\xff", "Arrow stream", "convert it with pyarrow: pyarrow.ipc.open_stream(path).read_pandas().to_csv('table.csv', index=False)"},
    {"FEA1", "Feather", "convert it with pandas: pandas.read_feather(path).to_csv('table.csv', index=False)"},
    {"ORC", "ORC", "convert it with pandas: pandas.read_orc(path).to_csv('table.csv', index=False)"},
    {"\x89HDF", "HDF5", "convert it with pandas: pandas.read_hdf(path).to_csv('table.csv', index=False)"},
    {"SQLite format 3", "SQLite", "export the table: sqlite3 -header -csv FILE 'select * from TABLE' > table.csv"},
    {"\xd0\xcf\x11\xe0", "old Excel", "save it as CSV"},
    {"BZh", "bzip2", "unpack it first: bunzip2 -k FILE"},
    {"\xfd" "7zXZ", "xz", "unpack it first: unxz -k FILE"},
    {"\x28\xb5\x2f\xfd", "Zstandard", "unpack it first: unzstd FILE"},
    {"\x80\x04", "pickle", "a table in a pickle is a program; write it as CSV: frame.to_csv('table.csv', index=False)"},
    {"\x80\x05", "pickle", "a table in a pickle is a program; write it as CSV: frame.to_csv('table.csv', index=False)"},
};

[[noreturn]] void not_read(const std::string& path, std::string_view kind, std::string_view advice) {
  throw Error(Code::unsupported_format, text(path, ": ", kind, " files are not read yet"), std::string(advice));
}

bool looks_like_json(std::string_view first) {
  if (first.starts_with("\xef\xbb\xbf")) first.remove_prefix(3);
  const size_t at = first.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos || (first[at] != '{' && first[at] != '[')) return false;
  const size_t next = first.find_first_not_of(" \t\r\n", at + 1);
  return next != std::string_view::npos && (first[at] == '{' ? first[next] == '"' || first[next] == '}' : first[next] == '{' || first[next] == ']');
}

// A matrix alone has no names for its columns.
struct ArrayTable {
  Table table;
  bool named;
};

ArrayTable array_table(const std::string& path, std::string_view bytes, std::shared_ptr<const void> owner) {
  std::vector<NpyArray> arrays;
  if (is_npy(bytes)) {
    arrays.push_back(read_npy(bytes, owner));
  } else {
    const std::vector<ZipEntry> entries = zip_entries(bytes);
    const bool npz = !entries.empty() && std::all_of(entries.begin(), entries.end(), [](const ZipEntry& e) { return e.name.ends_with(".npy"); });
    const bool excel = std::any_of(entries.begin(), entries.end(), [](const ZipEntry& e) { return e.name.starts_with("xl/"); });
    if (excel) not_read(path, "Excel", "save it as CSV");
    if (!npz) not_read(path, "zip", "of zip archives only .npz is a table; unpack it first");
    arrays = read_npz(bytes, owner);
  }
  const bool matrix = arrays.size() == 1 && (arrays[0].name.empty() || arrays[0].tensor.rank() == 2);
  return {table_of(arrays), !matrix};
}

ArrayTable array_table(const std::string& path, ByteSource& source) {
  constexpr size_t most_bytes = size_t{16} << 30;
  const bool file = path != "-" && source.is_file();
  const MappedFile mapped = file ? map_file(path) : MappedFile{};
  auto bytes = std::make_shared<std::string>(file ? std::string() : read_whole(source, most_bytes));
  return file ? array_table(path, mapped.bytes, mapped.owner) : array_table(path, *bytes, bytes);
}

// The binder converts types, so a plan's types need not be followed here.
class MemoryReader : public TableReader {
 public:
  MemoryReader(Table table, int64_t batch, bool named) : table_(std::move(table)), batch_(batch), named_(named), plan_(table_.columns.size()) {
    for (const Column& c : table_.columns) names_.push_back(c.name);
  }
  const std::vector<std::string>& names() const override { return names_; }
  bool named() const override { return named_; }
  void plan(std::vector<ColumnPlan> plan) override { plan_ = std::move(plan); }
  std::optional<Table> next() override {
    if (at_ == table_.rows && started_) return {};
    Table out{.rows = std::min(batch_, table_.rows - at_), .first_row = at_};
    for (size_t i = 0; i < names_.size(); ++i)
      if (!plan_[i].skip) out.columns.push_back(rows_of(table_.columns[i], size_t(at_), size_t(out.rows)));
    at_ += out.rows, started_ = true;
    return out;
  }

 private:
  Table table_;
  int64_t batch_, at_ = 0;
  bool named_, started_ = false;
  std::vector<std::string> names_;
  std::vector<ColumnPlan> plan_;
};

}  // namespace

std::unique_ptr<TableReader> open_table(const std::string& path, const CsvOptions& csv) {
  constexpr size_t enough = 4096;
  auto [first, source] = peeked(open_source(path), enough);
  if (is_npy(first) || is_zip(first)) {
    try {
      ArrayTable arrays = array_table(path, *source);
      return std::make_unique<MemoryReader>(std::move(arrays.table), csv.batch_rows, arrays.named);
    } catch (Error& e) {
      if (e.message.starts_with(path)) throw;
      throw e.within(source->name);
    }
  }
  for (const OtherKind& kind : other_kinds)
    if (first.starts_with(kind.begins)) not_read(source->name, kind.name, kind.advice);
  auto [unpacked_first, text] = peeked(unpacked(std::move(source)), enough);
  if (looks_like_json(unpacked_first)) return open_json(std::move(text));
  CsvOptions options = csv;
  if (options.separator == 0 && (path.ends_with(".tsv") || path.ends_with(".tsv.gz"))) options.separator = '\t';
  return open_csv(std::move(text), options);
}

std::unique_ptr<TableReader> table_reader(Table table, int64_t batch_rows) { return std::make_unique<MemoryReader>(std::move(table), batch_rows, true); }

}  // namespace onward
