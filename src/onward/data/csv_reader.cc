// CSV rows to typed columns.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "onward/base/error.h"
#include "onward/data/csv_rows.h"

namespace onward {
namespace {

// A name that was there before gets a number, one that makes no name of the header: as pandas counts.
void tell_apart(std::vector<std::string>& names) {
  std::unordered_set<std::string> header(names.begin(), names.end());
  std::unordered_map<std::string, size_t> counts;
  for (std::string& name : names) {
    const std::string first = name;
    size_t n = counts[first];
    while (n > 0) {
      counts[first] = n + 1;
      name = text(first, ".", n);
      n = header.contains(name) ? n + 1 : counts[name];
    }
    header.insert(name);
    counts[name] = 1;
  }
}

class CsvReader : public TableReader {
 public:
  CsvReader(std::unique_ptr<ByteSource> source, CsvOptions options) : options_(std::move(options)), markers_(options_.missing), rows_(std::move(source), options_) { read_names(); }

  const std::vector<std::string>& names() const override { return names_; }
  void plan(std::vector<ColumnPlan> plan) override {
    ONWARD_CHECK(plan.size() == names_.size() && taken_ == 0);
    plan_ = std::move(plan);
  }
  std::optional<Table> next() override;

 private:
  void read_names();
  void check_widths() const;
  ColumnType judged(size_t column) const;
  Column column(size_t i) const;
  template <class Store, class Parse> void convert(Column& column, size_t i, Store store, Parse parse, std::string_view what) const;
  void fill_strings(Column& column, size_t i) const;
  std::string_view as_planned(size_t row, size_t i, std::string_view word) const;
  CsvCell cell(size_t row, size_t i) const { return rows_.cells()[row * names_.size() + i]; }
  bool missing(CsvCell c) const { return !(c.quoted && options_.quoted_is_text) && markers_.contains(rows_.raw(c)); }
  [[noreturn]] void refuse(size_t row, size_t i, std::string_view what) const;

  CsvOptions options_;
  MissingMarkers markers_;
  CsvRows rows_;
  std::vector<std::string> names_;
  std::vector<ColumnPlan> plan_;
  std::vector<bool> judged_;                             // whose type was taken from the first batch
  bool first_row_ready_ = false;                         // no header: the row that told the width is still to come
  bool started_ = false;
  int64_t taken_ = 0;
};

void CsvReader::read_names() {
  if (!rows_.next(1)) throw Error(Code::bad_data, text(rows_.name(), ": the file is empty, expected a header line, or rows of JSON"));
  std::string scratch;
  for (const CsvCell& c : rows_.row(0)) {
    const size_t k = names_.size();
    if (rows_.raw(c).find('\0') != std::string_view::npos) rows_.fail_at(c.begin, "a zero byte where the columns' names should be: this is no text");
    names_.push_back(options_.header ? std::string(rows_.unquoted(c, scratch)) : text("x", k));
    if (names_.back().empty()) names_.back() = text("Unnamed: ", k);
  }
  tell_apart(names_);
  first_row_ready_ = !options_.header;
  plan_.resize(names_.size()), judged_.resize(names_.size());
}

std::optional<Table> CsvReader::next() {
  const bool rows = std::exchange(first_row_ready_, false) || rows_.next(options_.batch_rows);
  if (!rows && started_) return {};
  Table table;
  table.first_row = taken_;
  if (rows) table.rows = rows_.rows(), check_widths();
  for (size_t i = 0; i < names_.size(); ++i) {
    if (plan_[i].skip) continue;
    if (!plan_[i].type) plan_[i].type = judged(i), judged_[i] = true;
    table.columns.push_back(table.rows ? column(i) : Column(names_[i], *plan_[i].type));
  }
  started_ = true, taken_ += table.rows;
  return table;
}

void CsvReader::check_widths() const {
  const size_t width = names_.size();
  if (rows_.cells().size() == width * size_t(rows_.rows()) && rows_.cells_before(rows_.rows()) == rows_.cells().size()) {
    bool even = true;
    for (int64_t r = 0; r < rows_.rows() && even; ++r) even = rows_.row(r).size() == width;
    if (even) return;
  }
  for (int64_t r = 0; r < rows_.rows(); ++r)
    if (const auto row = rows_.row(r); row.size() != width)
      rows_.fail_at(row[0].begin, text("the row has ", row.size(), " cells, the ", options_.header ? "header" : "first row", " has ", width),
                    row.size() > width ? "put cells that hold the separator in quotes" : "");
}

// Bools are also written as 1 and 0, and those of a column with gaps as 1.0 and 0.0.
std::optional<bool> truth_from(std::string_view text) {
  const auto number = number_from(text);
  return number == 0 || number == 1 ? std::optional(number == 1) : std::nullopt;
}

// Whole numbers of a column with gaps are written as 1.0.
std::optional<int64_t> whole_from(std::string_view text) {
  if (const auto whole = int64_from(text)) return whole;
  const auto number = float64_from(text);
  return number && *number == std::trunc(*number) && std::abs(*number) < 0x1p63 ? std::optional(int64_t(*number)) : std::nullopt;
}

// As pandas judges: whole numbers (without gaps), numbers, booleans, else text. All gaps are numbers.
ColumnType CsvReader::judged(size_t i) const {
  bool whole = true, number = true, boolean = true, gaps = false;   // while number is, nothing but gaps may have been seen
  for (size_t r = 0; r < size_t(rows_.rows()); ++r) {
    const CsvCell c = cell(r, i);
    if (missing(c)) {
      gaps = true;
      continue;
    }
    const std::string_view s = rows_.raw(c);
    whole = whole && int64_from(s);
    number = number && (whole || float64_from(s));
    boolean = boolean && bool_from(s);
    if (!number && !boolean) return ColumnType::string;
  }
  if (rows_.rows() == 0) return ColumnType::string;
  if (number) return whole && !gaps ? ColumnType::int64 : ColumnType::float64;
  return boolean ? ColumnType::boolean : ColumnType::string;
}

Column CsvReader::column(size_t i) const {
  Column out(names_[i], *plan_[i].type);
  const auto numbers = [&]<class T>(std::vector<T>& into, auto parse, std::string_view what) {
    into.resize(size_t(rows_.rows()));
    convert(out, i, [&](size_t r, auto value) { into[r] = T(value); }, parse, what);
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  switch (out.type) {
    case ColumnType::float64: numbers(std::get<std::vector<double>>(out.values), number_from, "a number"); break;
    // By way of double, as every program that reads a file into float32 does.
    case ColumnType::float32: numbers(std::get<std::vector<float>>(out.values), number_from, "a number"); break;
    case ColumnType::int64: numbers(std::get<std::vector<int64_t>>(out.values), whole_from, "a whole number"); break;
    case ColumnType::datetime: numbers(std::get<std::vector<int64_t>>(out.values), datetime_from, "a date or time such as 2024-02-29 13:30:00"); break;
    case ColumnType::boolean:
      numbers(std::get<std::vector<uint8_t>>(out.values), truth_from, "True or False");
      break;
    case ColumnType::string: fill_strings(out, i); break;
  }
  for (size_t r = 0; r < out.cells.size(); ++r) {
    if (out.cells[r] == Cell::value) continue;
    if (auto* d = std::get_if<std::vector<double>>(&out.values)) (*d)[r] = nan;
    if (auto* f = std::get_if<std::vector<float>>(&out.values)) (*f)[r] = float(nan);
  }
  return out;
}

template <class Store, class Parse> void CsvReader::convert(Column& column, size_t i, Store store, Parse parse, std::string_view what) const {
  const bool gaps_first = markers_.any_number();
  for (size_t r = 0; r < size_t(rows_.rows()); ++r) {
    const CsvCell c = cell(r, i);
    const std::string_view s = rows_.raw(c);
    const auto value = gaps_first && markers_.contains(s) ? decltype(parse(s)){} : parse(s);
    if (value) store(r, *value);
    else if (markers_.contains(s)) store(r, 0), column.set_missing(r);
    else refuse(r, i, what);
  }
}

void CsvReader::fill_strings(Column& column, size_t i) const {
  auto& into = std::get<Strings>(column.values);
  std::string scratch;
  size_t bytes = 0;
  for (size_t r = 0; r < size_t(rows_.rows()); ++r) bytes += cell(r, i).size;
  into.reserve(size_t(rows_.rows()), bytes);
  for (size_t r = 0; r < size_t(rows_.rows()); ++r) {
    const CsvCell c = cell(r, i);
    const bool gap = missing(c);
    into.push_back(gap ? std::string_view() : as_planned(r, i, rows_.unquoted(c, scratch)));
    if (!gap) continue;
    column.cells.resize(size_t(rows_.rows()));
    column.cells[r] = Cell::nan;
  }
}

// A file of text does not say whether True is a word or a bool.
std::string_view CsvReader::as_planned(size_t row, size_t i, std::string_view word) const {
  if (plan_[i].true_false == Written::text) return word;
  const auto truth = word.find_first_of(" \t") == word.npos ? bool_from(word) : std::nullopt;
  if (!truth) return word;
  if (plan_[i].true_false == Written::digits) return *truth ? "1" : "0";
  rows_.fail_at(cell(row, i).begin, text("column '", names_[i], "' is '", word, "', and the model does not tell whether it knows that as a word or as a bool"),
                "say which in a schema at conversion: \"true_false\": \"text\" or \"digits\"");
}

void CsvReader::refuse(size_t row, size_t i, std::string_view what) const {
  std::string found(rows_.raw(cell(row, i)).substr(0, 60));
  const std::string_view type = name_of(*plan_[i].type);
  if (judged_[i])
    rows_.fail_at(cell(row, i).begin, text("column '", names_[i], "' is '", found, "', expected ", what, " (", type, ", judged from the first ", options_.batch_rows, " rows)"),
                  "give the column's type in a schema");
  const bool comma = std::count(found.begin(), found.end(), ',') == 1;
  rows_.fail_at(cell(row, i).begin, text("column '", names_[i], "' is '", found, "', expected ", what, " (", type, ")"),
                comma ? "numbers are written with a decimal point" : "if it stands for a missing value, add it to the missing markers");
}

}  // namespace

std::unique_ptr<TableReader> open_csv(std::unique_ptr<ByteSource> source, CsvOptions options) {
  return std::make_unique<CsvReader>(unpacked(std::move(source)), std::move(options));
}

}  // namespace onward
