#include "onward/estimators/frame.h"

namespace onward {

Frame::Frame(Expr block, std::span<const std::string> names) {
  for (int64_t i = 0; i < block.columns(); ++i) columns_.push_back({size_t(i) < names.size() ? names[size_t(i)] : std::string(), block, i});
}

const Frame::Column& Frame::at(int64_t i) const {
  ONWARD_CHECK(i >= 0 && i < size());
  return columns_[size_t(i)];
}

Frame& Frame::append(const Frame& other) {
  columns_.insert(columns_.end(), other.columns_.begin(), other.columns_.end());
  sparse |= other.sparse;
  return *this;
}

Conversion& Frame::graph() const {
  if (columns_.empty()) fail(Code::unsupported_estimator, "a table without columns");
  return static_cast<Conversion&>(*columns_[0].block.graph);
}

Frame Frame::select(std::span<const int64_t> which) const {
  Frame f;
  for (int64_t i : which) {
    if (i < 0 || i >= size()) fail(Code::bad_file, "column ", i, " of a table with ", size());
    f.columns_.push_back(at(i));
  }
  f.sparse = sparse;
  return f;
}

Frame Frame::renamed(const std::vector<std::string>& names) const {
  Frame f = *this;
  for (size_t i = 0; i < f.columns_.size() && i < names.size(); ++i) f.columns_[i].name = names[i];
  return f;
}

Frame Frame::replaced(int64_t i, Expr values, Keeps keeps) const {
  Frame f;
  f.columns_.push_back({at(i).name, values, 0, at(i).origin, std::min(at(i).keeps, keeps)});
  f.sparse = sparse;
  return f;
}

Frame Frame::all_replaced(Expr values, Keeps keeps) const {
  Frame f(values);
  ONWARD_CHECK(f.size() == size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& old = columns_[i];
    f.columns_[i].name = old.name, f.columns_[i].origin = old.origin, f.columns_[i].keeps = std::min(old.keeps, keeps);
  }
  f.sparse = sparse;
  return f;
}

void Frame::need_numbers(int64_t i) const {
  if (is_text(i)) graph().numbers_needed.insert(at(i).origin);
}

Expr Frame::numbers(Location at) const {
  graph();
  for (int64_t i = 0; i < size(); ++i) need_numbers(i);
  std::vector<Expr> parts;
  for (size_t i = 0; i < columns_.size();) {  // neighbours of one block are taken together
    const Expr block = columns_[i].block;
    std::vector<int64_t> which;
    for (; i < columns_.size() && columns_[i].block.id == block.id; ++i) which.push_back(columns_[i].index);
    parts.push_back(onward::columns(Operand(as_numbers(Operand(block, at)), at), which));
  }
  return concat(parts, at);
}

Expr Frame::as(int64_t i, DataType type, Location where) const {
  const Column& c = at(i);
  if (type != DataType::str) need_numbers(i);
  return onward::columns(Operand(as_type(Operand(c.block, where), type), where), {c.index});
}
Expr Frame::number(int64_t i, Location where) const {
  const Column& c = at(i);
  need_numbers(i);
  return onward::columns(Operand(as_numbers(Operand(c.block, where)), where), {c.index});
}
Expr Frame::string(int64_t i, Location where) const {
  const Column& c = at(i);
  return onward::columns(Operand(as_strings(Operand(c.block, where)), where), {c.index});
}

Expr Frame::column(int64_t i) const {
  const Column& c = at(i);
  if (c.block.columns() == 1) return c.block;
  return onward::columns(graph().open(c.block) ? as_numbers(c.block) : c.block, {c.index});
}

bool Frame::is_text(int64_t i) const { return at(i).block.type() == DataType::str; }
bool Frame::open(int64_t i) const { return graph().open(at(i).block); }
bool Frame::mixed() const {
  int64_t words = 0;
  for (int64_t i = 0; i < size(); ++i) words += is_text(i);
  return words != 0 && words != size();
}
Expr Frame::matrix(Location at) const {
  if (size() == 0 || !is_text(0)) return numbers(at);
  std::vector<Expr> parts;
  for (int64_t i = 0; i < size(); ++i) parts.push_back(string(i, at));
  return concat(parts, at);
}

ColumnFacts* Frame::origin(int64_t i, Keeps least) const {
  const Column& c = at(i);
  return c.origin < 0 || c.keeps < least ? nullptr : &graph().table[size_t(c.origin)];
}
void Frame::from_table() {
  for (Column& c : columns_) {
    c.origin = int(graph().table.size());
    graph().table.push_back({.name = c.name});
  }
}
void Frame::refuse_missing() const {
  for (int64_t i = 0; i < size(); ++i)
    if (ColumnFacts* facts = origin(i, Keeps::missing)) facts->refuse_missing();
}
void Frame::refuse_infinity() const {
  for (int64_t i = 0; i < size(); ++i)
    if (ColumnFacts* facts = origin(i, Keeps::infinity)) facts->infinity = Infinity::refuse;
}

}  // namespace onward
