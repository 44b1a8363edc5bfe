// Writing tables: text as it comes, arrays at the end.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "onward/base/error.h"
#include "onward/base/file.h"
#include "onward/base/suggest.h"
#include "onward/data/json_lines.h"
#include "onward/data/npy.h"
#include "onward/data/open_table.h"

namespace onward {
namespace {

// Where text goes: a file that appears at the end, or standard output.
class Sink {
 public:
  explicit Sink(const std::string& path) {
    if (path != "-") file_.emplace(path);
  }
  void write(std::string_view bytes) {
    if (file_) return file_->write(bytes);
    while (!bytes.empty()) {
      const ssize_t n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR) fail(Code::io, "standard output cannot be written: ", std::strerror(errno));
      if (n > 0) bytes.remove_prefix(size_t(n));
    }
  }
  void finish() {
    if (file_) file_->commit();
  }

 private:
  std::optional<FileWriter> file_;
};

class CsvWriter : public TableWriter {
 public:
  CsvWriter(const std::string& path, char separator) : sink_(path), text_(separator) {}
  void write(const Table& table) override {
    std::string out;
    if (!std::exchange(started_, true)) text_.append_header(out, table);
    text_.append_rows(out, table);
    sink_.write(out);
  }
  void finish() override { sink_.finish(); }

 private:
  Sink sink_;
  CsvText text_;
  bool started_ = false;
};

class JsonWriter : public TableWriter {
 public:
  JsonWriter(const std::string& path, bool array) : sink_(path), array_(array) {}
  void write(const Table& table) override {
    std::string out;
    append_json_rows(out, table, array_ ? ",\n" : "\n");
    if (array_ && table.rows > 0) {
      out.insert(0, std::exchange(started_, true) ? ",\n" : "[\n");
      out.resize(out.size() - 2);
    }
    sink_.write(out);
  }
  void finish() override {
    if (array_) sink_.write(started_ ? "\n]\n" : "[]\n");
    sink_.finish();
  }

 private:
  Sink sink_;
  bool array_, started_ = false;
};

class ArrayWriter : public TableWriter {
 public:
  ArrayWriter(const std::string& path, bool archive) : sink_(path), archive_(archive) {}
  void write(const Table& table) override {
    if (!std::exchange(started_, true)) all_ = table;
    else for (size_t i = 0; i < all_.columns.size(); ++i) append(all_.columns[i], table.columns.at(i));
    if (all_.columns.empty() || &table == &all_) return;
    all_.rows = int64_t(all_.columns[0].size());
  }
  void finish() override {
    const auto arrays = arrays_of(all_);
    sink_.write(archive_ ? write_npz(arrays) : write_npy(matrix(arrays)));
    sink_.finish();
  }

 private:
  // One column is a vector; several are a matrix, of float64 where their types differ.
  Tensor matrix(std::vector<std::pair<std::string, Tensor>> arrays) const {
    if (arrays.size() == 1) return arrays[0].second;
    const bool text = std::any_of(arrays.begin(), arrays.end(), [](const auto& a) { return a.second.type() == DataType::str; });
    if (text || arrays.empty()) throw Error(Code::unsupported_format, "a .npy file holds one array of one type, and the table has columns of text beside others", "write .npz or .csv");
    const bool same = std::all_of(arrays.begin(), arrays.end(), [&](const auto& a) { return a.second.type() == arrays[0].second.type(); });
    Tensor out(same ? arrays[0].second.type() : DataType::f64, {all_.rows, int64_t(arrays.size())});
    for (size_t k = 0; k < arrays.size(); ++k)
      for_type<f64 | f32 | i64 | b8>(arrays[k].second.type(), [&]<class T>() {
        for (int64_t i = 0; i < all_.rows; ++i) {
          const T value = arrays[k].second.template data<T>()[i];
          const int64_t place = i * int64_t(arrays.size()) + int64_t(k);
          if (same) out.data<T>()[place] = value;
          else out.data<double>()[place] = double(value);
        }
      });
    return out;
  }

  Sink sink_;
  bool archive_, started_ = false;
  Table all_;
};

}  // namespace

std::unique_ptr<TableWriter> create_table(const std::string& path) {
  const size_t slash = path.find_last_of('/'), dot = path.find_last_of('.');
  const bool has_suffix = dot != std::string::npos && (slash == std::string::npos || dot > slash);
  std::string suffix = has_suffix ? path.substr(dot + 1) : "";
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (path == "-" || suffix == "csv" || suffix == "txt") return std::make_unique<CsvWriter>(path, ',');
  if (suffix == "tsv") return std::make_unique<CsvWriter>(path, '\t');
  if (suffix == "json") return std::make_unique<JsonWriter>(path, true);
  if (suffix == "jsonl" || suffix == "ndjson") return std::make_unique<JsonWriter>(path, false);
  if (suffix == "npy" || suffix == "npz") return std::make_unique<ArrayWriter>(path, suffix == "npz");
  if (path == "/dev/null" || path == "/dev/stdout") return std::make_unique<CsvWriter>(path, ',');
  if (suffix == "parquet" || suffix == "arrow" || suffix == "feather" || suffix == "xlsx")
    throw Error(Code::unsupported_format, text(path, ": .", suffix, " files are not written yet"), "write .csv, .json, .jsonl, .npy or .npz");
  const std::string known[] = {"csv", "tsv", "json", "jsonl", "ndjson", "npy", "npz"};
  const auto near = nearest(suffix, known);
  throw Error(Code::usage, text(path, ": the suffix says no kind of table", near ? text("; did you mean .", *near) : ""), "known are .csv, .tsv, .json, .jsonl, .ndjson, .npy and .npz");
}

}  // namespace onward
