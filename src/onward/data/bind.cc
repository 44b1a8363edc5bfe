#include "onward/data/bind.h"

#include <algorithm>
#include <unordered_map>

#include "onward/base/suggest.h"
#include "onward/data/fill.h"

namespace onward {

namespace {

constexpr size_t in_many_places = SIZE_MAX;

size_t one_place(const std::string& name, size_t place) {
  if (place == in_many_places) throw Error(Code::bad_data, text("the table has several columns '", name, "', and the model needs one"), "rename or drop the others");
  return place;
}

// What a column may be called whose name the model has changed: LightGBM writes "_" for blanks, and columns that have no names are counted.
bool is_called(const std::string& wanted, const std::string& given) {
  std::string spaced = given;
  std::replace(spaced.begin(), spaced.end(), ' ', '_');
  return spaced == wanted || (!given.empty() && given.find_first_not_of("0123456789") == given.npos && wanted == "x" + given);
}

// Columns by name; most tables still have them where they were when the binder was made.
class Lookup {
 public:
  explicit Lookup(const Table& table) : columns_(table.columns) {}
  const Column& at(size_t place, const std::string& name) {
    if (place < columns_.size() && columns_[place].name == name) return columns_[place];
    if (by_name_.empty())
      for (const Column& c : columns_) by_name_.emplace(c.name, &c);
    const auto it = by_name_.find(name);
    if (it == by_name_.end()) fail(Code::bad_data, "the table has no column '", name, "'");
    return *it->second;
  }

 private:
  const std::vector<Column>& columns_;
  std::unordered_map<std::string_view, const Column*> by_name_;
};

}  // namespace

Binder::Binder(Schema schema, std::vector<std::string> columns, bool named)
    : schema_(std::move(schema)), columns_(std::move(columns)), named_(named) {
  for (size_t i = 0; i < columns_.size(); ++i)
    if (const auto [it, fresh] = places_.emplace(columns_[i], i); !fresh) it->second = in_many_places;
  for (Field& field : schema_.inputs) {
    sources_.push_back(sources(field));
    complete(field, sources_.back().size());
  }
}

// What a matrix says of its columns, each as a field of its own.
void Binder::complete(Field& matrix, size_t width) const {
  if (!matrix.columns.empty() && matrix.columns.size() != width)
    fail(Code::bad_schema, "input '", matrix.name, "' has ", width, " columns and tells of ", matrix.columns.size());
  for (Field& column : matrix.columns) {
    column.type = matrix.type, column.element = matrix.element;
    column.missing_text = matrix.missing_text;
  }
}

std::vector<ColumnPlan> Binder::plan(std::span<const std::string> keep) const {
  std::vector<ColumnPlan> plan(columns_.size(), ColumnPlan{.skip = true});
  for (const std::string& name : keep) {
    const auto it = places_.find(name);
    if (it == places_.end()) fail(Code::bad_data, "the table has no column '", name, "' to keep", suggestion(name, columns_));
    plan[one_place(name, it->second)] = {.type = ColumnType::string};
  }
  for (size_t i = 0; i < sources_.size(); ++i)
    for (size_t k = 0; k < sources_[i].size(); ++k) {
      const Field& field = schema_.inputs[i];
      const Field& column = field.columns.empty() ? field : field.columns[k];
      plan[sources_[i][k]] = {.type = field.type, .numbers = column.numbers.value_or(Written::text), .true_false = column.true_false.value_or(Written::text)};
    }
  return plan;
}

std::vector<std::string> Binder::used() const {
  std::vector<std::string> names;
  for (const auto& input : sources_)
    for (const size_t column : input) names.push_back(columns_[column]);
  return names;
}

Tensors Binder::bind(const Table& table) const {
  Tensors named;
  std::vector<Tensor> made = tensors(table);
  for (size_t i = 0; i < made.size(); ++i) named.emplace(schema_.inputs[i].name, std::move(made[i]));
  return named;
}

std::vector<Tensor> Binder::tensors(const Table& table) const {
  std::vector<Tensor> tensors;
  tensors.reserve(sources_.size());
  Lookup lookup(table);
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Field& field = schema_.inputs[i];
    const size_t width = sources_[i].size();
    Dims dims{table.rows};
    if (field.shape.size() != 1) dims.push_back(int64_t(width));
    Tensor tensor(tensor_type(field), dims);
    for (size_t k = 0; k < width; ++k) {
      const Field& column = field.columns.empty() ? field : field.columns[k];
      fill(tensor, k, width, column, lookup.at(sources_[i][k], columns_[sources_[i][k]]), table.first_row);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::vector<size_t> Binder::sources(const Field& field) const {
  if (field.shape.size() > 2) fail(Code::bad_schema, "input '", field.name, "' has ", field.shape.size(), " axes, a table's columns fill at most 2");
  const bool single = field.shape.size() < 2 || field.shape[1] == 1;
  if (!single) return matrix_sources(field);
  // A model of one unnamed feature takes the only column there is.
  if (field.names.empty() && schema_.inputs.size() == 1 && columns_.size() == 1) return {0};
  const bool renamed = field.names.size() == 1 && !places_.contains(field.name);
  return {source(field, renamed ? field.names[0] : field.name)};
}

size_t Binder::source(const Field& field, const std::string& name) const {
  if (const auto it = places_.find(name); it != places_.end()) return one_place(name, it->second);
  std::vector<size_t> like;
  for (size_t i = 0; i < columns_.size(); ++i)
    if (is_called(name, columns_[i])) like.push_back(i);
  if (like.size() == 1) return like[0];
  constexpr size_t longest = 60;
  std::string some;
  for (size_t i = 0; i < std::min<size_t>(columns_.size(), 8); ++i)
    some += text(i ? ", " : "", columns_[i].substr(0, longest), columns_[i].size() > longest ? "…" : "");
  if (columns_.size() > 8) some += ", …";
  throw Error(Code::bad_data, text("the table has no column '", name, "', which the model needs (", name_of(field.type), ")", suggestion(name, columns_)),
              text("its ", columns_.size(), " columns: ", some));
}

std::vector<size_t> Binder::matrix_sources(const Field& field) const {
  std::vector<size_t> out;
  if (!named_ && schema_.inputs.size() == 1 && field.shape[1] && size_t(*field.shape[1]) != columns_.size())
    throw Error(Code::bad_data, text("the table has ", columns_.size(), " columns without names, the model takes ", *field.shape[1]),
                "give just these columns in the order of training, or name them");
  for (const std::string& name : field.names) out.push_back(source(field, name));
  if (field.names.empty() && field.shape[1]) {
    const size_t k = size_t(*field.shape[1]);
    if (all_present("x", k, out) || all_present(field.name + "_", k, out)) return out;
    if (k != columns_.size())
      throw Error(Code::bad_data, text("input '", field.name, "' takes ", k, " columns without names, the table has ", columns_.size()),
                  text("give the table just these columns in the order of training, or name them x0 to x", k - 1));
  }
  if (field.names.empty())
    for (size_t i = 0; i < columns_.size(); ++i) out.push_back(i);
  return out;
}

bool Binder::all_present(const std::string& prefix, size_t k, std::vector<size_t>& into) const {
  if (k > columns_.size()) return false;
  std::vector<size_t> found;
  for (size_t i = 0; i < k; ++i) {
    const auto it = places_.find(text(prefix, i));
    if (it == places_.end()) return false;
    found.push_back(one_place(it->first, it->second));
  }
  into = std::move(found);
  return true;
}

}  // namespace onward
