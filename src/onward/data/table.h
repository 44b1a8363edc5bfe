// Tables: named columns of one type each, with gaps. A batch of rows on its way between a file, a model's inputs and its outputs.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onward/model/schema.h"

namespace onward {

// Texts back to back: one allocation for a column, not one for a cell.
class Strings {
 public:
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t i) const {
    const size_t begin = i ? ends_[i - 1] : 0;
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  void append(const Strings& more) {
    const size_t behind = bytes_.size();
    bytes_ += more.bytes_;
    ends_.reserve(ends_.size() + more.size());
    for (size_t end : more.ends_) ends_.push_back(behind + end);
  }
  void push_back(std::string_view s) { bytes_ += s, ends_.push_back(bytes_.size()); }
  void reserve(size_t n, size_t bytes) { ends_.reserve(n), bytes_.reserve(bytes); }
  bool operator==(const Strings&) const = default;

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

// Whether a cell holds a value, and what kind of nothing otherwise. Files know one kind, Python three.
enum class Cell : uint8_t { value, nan, none, na };

struct Column {
  using Values = std::variant<std::vector<double>, std::vector<float>, std::vector<int64_t>, std::vector<uint8_t>, Strings>;

  Column() = default;
  Column(std::string name, ColumnType type) : name(std::move(name)), type(type) {
    switch (type) {
      case ColumnType::float64: values.emplace<std::vector<double>>(); break;
      case ColumnType::float32: values.emplace<std::vector<float>>(); break;
      case ColumnType::int64: case ColumnType::datetime: values.emplace<std::vector<int64_t>>(); break;
      case ColumnType::boolean: values.emplace<std::vector<uint8_t>>(); break;
      case ColumnType::string: values.emplace<Strings>(); break;
    }
  }
  template <class T> Column(std::string name, ColumnType type, std::vector<T> cells) : name(std::move(name)), type(type), values(std::move(cells)) {}

  // double, float, int64_t (also datetime) or uint8_t (bool); throws std::bad_variant_access for another type than the column's.
  template <class T> std::span<const T> as() const { return std::get<std::vector<T>>(values); }
  const Strings& strings() const { return std::get<Strings>(values); }
  size_t size() const { return std::visit([](const auto& v) { return v.size(); }, values); }
  bool missing(size_t row) const { return !cells.empty() && cells[row] != Cell::value; }
  Cell cell(size_t row) const { return cells.empty() ? Cell::value : cells[row]; }
  void set_missing(size_t row, Cell kind = Cell::nan) {                // the value there stays as a placeholder
    if (cells.empty()) cells.resize(size());
    cells[row] = kind;
  }

  std::string name;
  ColumnType type = ColumnType::float64;
  Values values;
  std::vector<Cell> cells;                               // empty: every cell holds a value. A NaN in a float column is missing too
};

struct Table {
  std::vector<Column> columns;
  int64_t rows = 0;
  int64_t first_row = 0;                                 // of this batch in its file, from 0: errors count from there

  const Column* find(std::string_view name) const {
    const auto it = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
    return it == columns.end() ? nullptr : &*it;
  }
};

void append(Column& column, const Column& more);         // rows of the same type behind the others
Column rows_of(const Column& column, size_t from, size_t n);
Table rows_of(const Table& table, int64_t from, int64_t n);

}  // namespace onward
