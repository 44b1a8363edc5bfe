// What Python calls a column, as one of onward's tables: lists and arrays, and the blocks in which pandas keeps its frames.
#include "extension.h"

#include <cmath>
#include <cstring>
#include <deque>
#include <limits>

namespace onward_python {
namespace {

// Cells of a column of Python objects: each a text, a number, or one of three kinds of nothing.
class Objects {
 public:
  // `items` and what they hold outlive this: texts are read in place.
  Objects(const std::string& name, const Lines& items, nb::handle numbers) : name_(name), how_(nb::cast<std::string>(numbers)), items_(items) {
    const size_t rows = size_t(items.length);
    pointers_.reserve(rows), lengths_.reserve(rows), reals_.reserve(rows), integers_.reserve(rows), cells_.reserve(rows);
    for (size_t row = 0; row < rows; ++row) add(item(row));
  }
  void add_to(onward_table* table) {
    const uint8_t* cells = gaps_ ? cells_.data() : nullptr;
    if (texts_ || !numbers_) {
      if (numbers_) write_numbers_as_texts();
      check(onward_table_add_strings(table, name_.c_str(), pointers_.data(), lengths_.data(), cells));
    } else if (whole_) {
      check(onward_table_add_numbers(table, name_.c_str(), booleans_ == numbers_ ? ONWARD_COLUMN_BOOL : ONWARD_COLUMN_INT64, booleans_ == numbers_ ? static_cast<const void*>(bools().data()) : integers_.data(), cells));
    } else {
      check(onward_table_add_numbers(table, name_.c_str(), ONWARD_COLUMN_FLOAT64, reals_.data(), cells));
    }
  }

 private:
  nb::handle item(size_t row) const {
    PyObject* const found = *reinterpret_cast<PyObject* const*>(items_.data + Py_ssize_t(row) * items_.step);
    return found ? found : Py_None;                       // numpy's arrays of objects begin as nothing
  }
  void add(nb::handle item) {
    pointers_.push_back(nullptr), lengths_.push_back(0), reals_.push_back(std::numeric_limits<double>::quiet_NaN()), integers_.push_back(0);
    cells_.push_back(ONWARD_CELL_VALUE);
    PyObject* o = item.ptr();
    if (o == Py_None) return gap(ONWARD_CELL_NONE);
    if (PyUnicode_Check(o)) {
      Py_ssize_t length = 0;
      pointers_.back() = PyUnicode_AsUTF8AndSize(o, &length);
      if (!pointers_.back()) throw nb::python_error();
      lengths_.back() = size_t(length), ++texts_;
    } else if (PyBytes_Check(o)) {
      pointers_.back() = PyBytes_AS_STRING(o), lengths_.back() = size_t(PyBytes_GET_SIZE(o)), ++texts_;
    } else if (PyFloat_Check(o)) {
      number(PyFloat_AS_DOUBLE(o));
    } else if (PyBool_Check(o)) {
      ++numbers_, ++booleans_, integers_.back() = o == Py_True, reals_.back() = double(o == Py_True);
    } else if (PyLong_Check(o) || PyIndex_Check(o)) {
      integer(o);
    } else {
      other(item);
    }
  }
  void gap(onward_cell kind) { cells_.back() = uint8_t(kind), gaps_ = true; }
  void number(double value) {
    if (std::isnan(value)) return gap(ONWARD_CELL_NAN);
    ++numbers_, whole_ = false, reals_.back() = value;
  }
  void integer(PyObject* o) {
    const nb::object index = nb::steal(PyNumber_Index(o));
    if (!index.is_valid()) throw nb::python_error();
    int overflow = 0;
    integers_.back() = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow) fail(ONWARD_BAD_DATA, "row " + std::to_string(cells_.size()) + ", column '" + name_ + "': a whole number beyond int64");
    ++numbers_, reals_.back() = double(integers_.back());
  }
  void other(nb::handle item) {
    const std::string type = nb::cast<std::string>(nb::handle(item.type()).attr("__name__"));
    if (type == "NAType") return gap(ONWARD_CELL_NA);
    if (type == "NaTType") return gap(ONWARD_CELL_NAN);
    if (type == "bool" || type == "bool_") {             // numpy's
      ++numbers_, ++booleans_, integers_.back() = nb::cast<bool>(nb::bool_(item)), reals_.back() = double(integers_.back());
      return;
    }
    const nb::object real = nb::steal(PyNumber_Float(item.ptr()));
    if (real.is_valid()) return number(PyFloat_AS_DOUBLE(real.ptr()));
    PyErr_Clear();
    fail(ONWARD_BAD_DATA, "row " + std::to_string(cells_.size()) + ", column '" + name_ + "': expected text, a number or nothing, found " + type);
  }
  std::vector<uint8_t>& bools() {
    bools_.assign(integers_.begin(), integers_.end());
    return bools_;
  }
  void write_numbers_as_texts() {
    for (size_t row = 0; row < cells_.size(); ++row) {
      if (cells_[row] || pointers_[row]) continue;
      written_.push_back(written(row));
      pointers_[row] = written_.back().data(), lengths_[row] = written_.back().size();
    }
  }

  std::string written(size_t row) const {
    if (how_ == "text") return nb::cast<std::string>(nb::str(item(row)));
    const bool whole = reals_[row] == double(integers_[row]);
    if (how_ == "digits" && whole && !PyFloat_Check(item(row).ptr())) return std::to_string(integers_[row]);
    fail(ONWARD_BAD_DATA, "row " + std::to_string(row + 1) + ", column '" + name_ + "': " + nb::cast<std::string>(nb::str(item(row))) + " is a number among texts, which to the model is none of its categories");
  }

  std::string name_, how_;
  Lines items_;
  std::vector<const char*> pointers_;
  std::vector<size_t> lengths_;
  std::vector<double> reals_;
  std::vector<int64_t> integers_;
  std::vector<uint8_t> cells_, bools_;
  std::deque<std::string> written_;
  size_t texts_ = 0, numbers_ = 0, booleans_ = 0;
  bool gaps_ = false, whole_ = true;
};

// The C interface takes names that end at the first zero byte.
const char* name_of(nb::handle name) {
  Py_ssize_t length = 0;
  const char* text = PyUnicode_AsUTF8AndSize(name.ptr(), &length);
  if (!text) throw nb::python_error();
  if (std::strlen(text) != size_t(length)) fail(ONWARD_BAD_DATA, std::string("the name of column '") + text + "…' holds a zero byte");
  return text;
}

void check_rows(const onward_table* table, const char* name, size_t rows) {
  if (int64_t(rows) != onward_table_rows(table)) fail(ONWARD_BAD_DATA, std::string("column '") + name + "' has " + std::to_string(rows) + " rows, the table has " + std::to_string(onward_table_rows(table)));
}

// -1: no column holds such elements as they are.
int column_type(int element) {
  switch (element) {
    case ONWARD_DOUBLE: return ONWARD_COLUMN_FLOAT64;
    case ONWARD_FLOAT: return ONWARD_COLUMN_FLOAT32;
    case ONWARD_INT64: return ONWARD_COLUMN_INT64;
    case ONWARD_BOOL: return ONWARD_COLUMN_BOOL;
    default: return -1;
  }
}
size_t width_of(int type) { return type == ONWARD_COLUMN_BOOL ? 1 : type == ONWARD_COLUMN_FLOAT32 ? 4 : 8; }

bool add_line(onward_table* table, const char* name, Lines block, Py_ssize_t line, nb::handle numbers) {
  const int type = column_type(block.element);
  if (block.element && type < 0) return false;
  check_rows(table, name, size_t(block.length));
  block.data += line * block.line_step, block.count = 1;
  if (!block.element) return Objects(name, block, numbers).add_to(table), true;
  const size_t width = width_of(type), rows = size_t(block.length);
  if (rows <= 1 || block.step == Py_ssize_t(width)) return check(onward_table_add_numbers(table, name, type, block.data, nullptr)), true;
  std::vector<char> side_by_side(rows * width);
  for (size_t row = 0; row < rows; ++row) std::memcpy(side_by_side.data() + row * width, block.data + Py_ssize_t(row) * block.step, width);
  check(onward_table_add_numbers(table, name, type, side_by_side.data(), nullptr));
  return true;
}

bool is_list(nb::handle values, Lines& lines) {
  if (!PyList_Check(values.ptr()) && !PyTuple_Check(values.ptr())) return false;
  lines = {.data = reinterpret_cast<const char*>(PySequence_Fast_ITEMS(values.ptr())), .length = PySequence_Fast_GET_SIZE(values.ptr()), .step = sizeof(PyObject*)};
  return true;
}

// Where a column lies: a line of an array or an Arrow stream; in neither, nowhere.
struct Place {
  Lines block;
  Py_ssize_t line = 0;
  nb::handle stream, gap;
};

void find_places(nb::handle block, std::vector<Place>& places) {
  const nb::object values = block[0], where = block[1];
  Lines lines, at;
  const bool stream = PyTuple_Check(values.ptr()) && nb::len(values) == 2;
  if (!lines_of(where, at) || at.element != ONWARD_INT64 || at.axes != 1) return;
  if (!stream && (!lines_of(values, lines) || lines.count != at.length)) return;
  for (Py_ssize_t line = 0; line < at.length; ++line) {
    int64_t place = 0;
    std::memcpy(&place, at.data + line * at.step, sizeof place);
    if (place < 0 || size_t(place) >= places.size()) continue;
    if (stream) places[size_t(place)] = {.stream = nb::handle(PyTuple_GET_ITEM(values.ptr(), 0)), .gap = nb::handle(PyTuple_GET_ITEM(values.ptr(), 1))};
    else places[size_t(place)] = {.block = lines, .line = line};
  }
}

}  // namespace

bool add_column(Table& table, nb::handle name, nb::handle values, nb::handle numbers) {
  Lines lines;
  if (!is_list(values, lines) && (!lines_of(values, lines) || lines.axes != 1)) return false;
  return add_line(table.handle.get(), name_of(name), lines, 0, numbers);
}

void add_array(Table& table, nb::handle given_name, nb::handle array, bool datetime, nb::handle cells) {
  const char* const name = name_of(given_name);
  nb::object keep, keep_cells;
  const ValuePtr value = to_value(array, {name}, keep);
  check_rows(table.handle.get(), name, onward_value_size(value.get()));
  ValuePtr kinds;
  if (!cells.is_none()) kinds = to_value(cells, {}, keep_cells);
  const int type = column_type(onward_value_element_type(value.get()));
  if (type < 0) fail(ONWARD_BAD_DATA, std::string("column '") + name + "': expected float64, float32, int64 or bool");
  check(onward_table_add_numbers(table.handle.get(), name, datetime && type == ONWARD_COLUMN_INT64 ? ONWARD_COLUMN_DATETIME : type, onward_value_data(value.get()),
                                 kinds ? static_cast<const uint8_t*>(onward_value_data(kinds.get())) : nullptr));
}

ArrowArrayStream* arrow_stream(nb::handle capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
  if (!stream) throw nb::python_error();
  return stream;
}

void add_blocks(Table& table, nb::list names, nb::list numbers, nb::list blocks, nb::handle otherwise) {
  std::vector<Place> places(std::min(nb::len(names), nb::len(numbers)));
  for (nb::handle block : blocks) find_places(block, places);
  for (size_t k = 0; k < places.size(); ++k) {
    const Place& at = places[k];
    if (at.stream.is_valid()) check(onward_table_add_arrow(table.handle.get(), name_of(names[k]), arrow_stream(at.stream), nb::cast<int>(at.gap)));
    else if (!at.block.data || !add_line(table.handle.get(), name_of(names[k]), at.block, at.line, numbers[k])) otherwise(k);
  }
}

}  // namespace onward_python
