// JSON objects to typed columns.
#include "onward/data/json_lines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "onward/base/error.h"
#include "onward/data/cell_text.h"
#include "onward/data/json_objects.h"

namespace onward {
namespace {

using Json = nlohmann::json;
constexpr int deepest = 32;

struct Nested {};                                        // an object or list, which is no cell
using Scalar = std::variant<std::monostate, bool, int64_t, double, std::string, Nested>;
struct Entry {
  size_t row;
  Scalar value;
};

// Takes an object's members apart into columns. What the parser demands of it is more than what it needs.
class Members {
 public:
  std::vector<std::string> names;
  std::vector<std::vector<Entry>> columns;
  bool growing = true;                                   // whether keys not seen before become columns
  size_t row = 0, error_at = 0;

  void begin() { depth_ = 0, column_ = none; }
  bool null() { return put({}); }
  bool boolean(bool v) { return put(v); }
  bool number_integer(int64_t v) { return put(v); }
  bool number_unsigned(uint64_t v) { return v > uint64_t(INT64_MAX) ? put(double(v)) : put(int64_t(v)); }
  bool number_float(double v, const std::string&) { return put(v); }
  bool string(std::string& v) { return put(std::move(v)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(size_t) { return open(); }
  bool end_object() { return --depth_, true; }
  bool start_array(size_t) { return open(); }
  bool end_array() { return --depth_, true; }
  bool key(std::string& name) {
    if (depth_ != 1) return true;
    const auto it = places_.find(name);
    column_ = it != places_.end() ? it->second : none;
    if (column_ != none || !growing) return true;
    column_ = names.size();
    places_.emplace(name, column_), names.push_back(name), columns.emplace_back();
    return true;
  }
  bool parse_error(size_t position, const std::string&, const Json::exception&) { return error_at = position, false; }

 private:
  static constexpr size_t none = SIZE_MAX;
  bool open() {
    if (depth_ == 1) put(Nested{});
    if (++depth_ > deepest) fail(Code::limit_size, "values nest deeper than ", deepest, " levels");
    return true;
  }
  bool put(Scalar value) {
    if (depth_ != 1 || column_ == none) return true;
    auto& column = columns[column_];
    if (!column.empty() && column.back().row == row) column.back().value = std::move(value);   // a key twice: the last counts
    else column.push_back({row, std::move(value)});
    return true;
  }
  std::unordered_map<std::string, size_t> places_;
  int depth_ = 0;
  size_t column_ = none;
};

class JsonReader : public TableReader {
 public:
  JsonReader(std::unique_ptr<ByteSource> source, JsonOptions options) : options_(options), objects_(std::move(source), options.object_bytes) {
    read_batch();
    members_.growing = false;
    plan_.resize(members_.names.size());
  }
  const std::vector<std::string>& names() const override { return members_.names; }
  void plan(std::vector<ColumnPlan> plan) override {
    ONWARD_CHECK(plan.size() == members_.names.size() && taken_ == 0);
    plan_ = std::move(plan);
  }
  std::optional<Table> next() override;

 private:
  void read_batch();
  ColumnType judged(size_t i) const;
  Column column(size_t i) const;
  void append(Column& column, const Entry& entry, Written numbers) const;
  template <class T, class Parse> void append_number(Column& column, const Entry& entry, Parse parse, std::string_view what) const;
  [[noreturn]] void refuse(const Column& column, const Entry& entry, std::string_view what) const;

  JsonOptions options_;
  JsonObjects objects_;
  Members members_;
  std::vector<int64_t> lines_;                           // of the batch's rows
  std::vector<ColumnPlan> plan_;
  bool ready_ = true;                                    // the batch that told the names is still to come
  int64_t taken_ = 0;
};

void JsonReader::read_batch() {
  for (auto& column : members_.columns) column.clear();
  lines_.clear();
  size_t bytes = 0;
  while (int64_t(lines_.size()) < options_.batch_rows && bytes < options_.batch_bytes) {
    const auto object = objects_.next();
    if (!object) break;
    bytes += object->size();
    members_.row = lines_.size(), members_.begin();
    lines_.push_back(objects_.line());
    const std::string where = text(objects_.name(), ": line ", objects_.line());
    try {
      if (!Json::sax_parse(object->begin(), object->end(), &members_)) fail(Code::bad_file, "byte ", members_.error_at, " of the object is not what JSON allows there");
    } catch (Error& e) {
      throw e.within(where);
    }
  }
}

std::optional<Table> JsonReader::next() {
  const bool first = std::exchange(ready_, false);
  if (!first) read_batch();
  if (lines_.empty() && !first) return {};
  Table table;
  table.rows = int64_t(lines_.size()), table.first_row = taken_;
  for (size_t i = 0; i < plan_.size(); ++i) {
    if (plan_[i].skip) continue;
    if (!plan_[i].type) plan_[i].type = judged(i);
    table.columns.push_back(column(i));
  }
  taken_ += table.rows;
  return table;
}

ColumnType JsonReader::judged(size_t i) const {
  const auto& entries = members_.columns[i];
  const auto every = [&](auto is) { return std::all_of(entries.begin(), entries.end(), [&](const Entry& e) { return e.value.index() == 0 || is(e.value); }); };
  const bool gaps = entries.size() < lines_.size() || std::any_of(entries.begin(), entries.end(), [](const Entry& e) { return e.value.index() == 0; });
  if (!gaps && every([](const Scalar& v) { return std::holds_alternative<int64_t>(v); })) return ColumnType::int64;
  if (every([](const Scalar& v) { return std::holds_alternative<int64_t>(v) || std::holds_alternative<double>(v); })) return ColumnType::float64;
  return every([](const Scalar& v) { return std::holds_alternative<bool>(v); }) ? ColumnType::boolean : ColumnType::string;
}

void append_gap(Column& column) {
  std::visit([]<class V>(V& values) {
    if constexpr (std::is_same_v<V, Strings>) values.push_back("");
    else if constexpr (std::is_floating_point_v<typename V::value_type>) values.push_back(std::numeric_limits<typename V::value_type>::quiet_NaN());
    else values.push_back(0);
  }, column.values);
  column.set_missing(column.size() - 1);
}

Column JsonReader::column(size_t i) const {
  Column out(members_.names[i], *plan_[i].type);
  const auto& entries = members_.columns[i];
  size_t next = 0;
  for (size_t row = 0; row < lines_.size(); ++row) {
    const Entry* entry = next < entries.size() && entries[next].row == row ? &entries[next++] : nullptr;
    if (!out.cells.empty()) out.cells.push_back(Cell::value);
    if (entry && entry->value.index() != 0) append(out, *entry, plan_[i].numbers);
    else append_gap(out);
  }
  return out;
}

void JsonReader::append(Column& column, const Entry& entry, Written numbers) const {
  switch (column.type) {
    case ColumnType::float64: return append_number<double>(column, entry, number_from, "a number");
    case ColumnType::float32: return append_number<float>(column, entry, number_from, "a number");
    case ColumnType::int64: return append_number<int64_t>(column, entry, int64_from, "a whole number");
    case ColumnType::datetime: return append_number<int64_t>(column, entry, datetime_from, "a date or time such as \"2024-02-29 13:30:00\"");
    case ColumnType::boolean: return append_number<uint8_t>(column, entry, bool_from, "true or false");
    case ColumnType::string: break;
  }
  std::string scratch;
  if (const auto* s = std::get_if<std::string>(&entry.value)) scratch = *s;
  else if (numbers == Written::refuse || (numbers == Written::digits && std::holds_alternative<double>(entry.value)))
    refuse(column, entry, numbers == Written::refuse ? "a text" : "a text, a whole number or a bool");
  else if (const auto* b = std::get_if<bool>(&entry.value)) scratch = numbers == Written::digits ? (*b ? "1" : "0") : *b ? "True" : "False";
  else if (const auto* n = std::get_if<int64_t>(&entry.value)) append_int64(scratch, *n);
  else if (const auto* d = std::get_if<double>(&entry.value)) append_float64(scratch, *d);
  else refuse(column, entry, "a text");
  std::get<Strings>(column.values).push_back(scratch);
}

template <class T, class Parse> void JsonReader::append_number(Column& column, const Entry& entry, Parse parse, std::string_view what) const {
  auto& into = std::get<std::vector<T>>(column.values);
  constexpr bool floating = std::is_floating_point_v<T>;
  const bool truth = column.type == ColumnType::boolean;
  if (const auto* s = std::get_if<std::string>(&entry.value)) {
    if (const auto parsed = parse(*s)) return into.push_back(T(*parsed));
  } else if (const auto* b = std::get_if<bool>(&entry.value)) {
    if (truth || floating) return into.push_back(T(*b));
  } else if (const auto* n = std::get_if<int64_t>(&entry.value)) {
    if (!truth || *n == 0 || *n == 1) return into.push_back(T(*n));
  } else if (const auto* d = std::get_if<double>(&entry.value)) {
    if (floating || (truth && (*d == 0 || *d == 1))) return into.push_back(T(*d));
    if (!truth && *d == std::trunc(*d) && std::abs(*d) < 0x1p63) return into.push_back(T(int64_t(*d)));
  }
  refuse(column, entry, what);
}

void JsonReader::refuse(const Column& column, const Entry& entry, std::string_view what) const {
  std::string found = "an object or list";
  if (const auto* s = std::get_if<std::string>(&entry.value)) found = text("\"", std::string_view(*s).substr(0, 60), "\"");
  else if (const auto* b = std::get_if<bool>(&entry.value)) found = text(*b);
  else if (const auto* n = std::get_if<int64_t>(&entry.value)) found = text(*n);
  else if (const auto* d = std::get_if<double>(&entry.value)) found = text(*d);
  fail(Code::bad_data, objects_.name(), ": line ", lines_[entry.row], ": '", column.name, "' is ", found, ", expected ", what, " (", name_of(column.type), ")");
}

}  // namespace

std::unique_ptr<TableReader> open_json(std::unique_ptr<ByteSource> source, JsonOptions options) { return std::make_unique<JsonReader>(unpacked(std::move(source)), options); }

}  // namespace onward
