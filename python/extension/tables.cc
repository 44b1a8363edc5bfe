// onward._core.Table: columns of a frame on their way into a session, and its predictions back.
#include "extension.h"

#include <cmath>
#include <deque>
#include <limits>

struct ArrowArrayStream;

namespace onward_python {

const onward_session* session_of(nb::handle session);
const onward_run_options* run_options_of(nb::handle options);

namespace {

struct Table {
  TablePtr handle;
};

// Cells of a column of Python objects: each a text, a number, or one of three kinds of nothing.
class Objects {
 public:
  // `numbers`: "text", "digits" or "refuse", as the schema says: what becomes of a number among texts.
  Objects(const std::string& name, nb::handle items, std::string numbers) : name_(name), how_(std::move(numbers)), items_(nb::steal(PySequence_Fast(items.ptr(), "a column must be a list"))) {
    if (!items_.is_valid()) throw nb::python_error();
    const size_t rows = size_t(PySequence_Fast_GET_SIZE(items_.ptr()));
    pointers_.reserve(rows), lengths_.reserve(rows), reals_.reserve(rows), integers_.reserve(rows), cells_.reserve(rows);
    for (size_t row = 0; row < rows; ++row) add(item(row));
  }
  void add_to(onward_table* table) {
    if (int64_t(cells_.size()) != onward_table_rows(table)) fail(ONWARD_BAD_DATA, "column '" + name_ + "' has " + std::to_string(cells_.size()) + " rows, the table has " + std::to_string(onward_table_rows(table)));
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
  nb::handle item(size_t row) const { return PySequence_Fast_GET_ITEM(items_.ptr(), Py_ssize_t(row)); }
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
  nb::object items_;                                     // a list or tuple: texts are read in place
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
void check_name(const std::string& name) {
  if (name.find('\0') != name.npos) fail(ONWARD_BAD_DATA, "the name of column '" + name.substr(0, name.find('\0')) + "…' holds a zero byte");
}

// A one-dimensional array of numbers. `cells`: None or uint8.
void add_array(Table& table, const std::string& name, nb::handle array, bool datetime, nb::handle cells) {
  check_name(name);
  nb::object keep, keep_cells;
  const ValuePtr value = to_value(array, {name.c_str()}, keep);
  const size_t rows = size_t(onward_table_rows(table.handle.get()));
  if (onward_value_size(value.get()) != rows) fail(ONWARD_BAD_DATA, "column '" + name + "' has " + std::to_string(onward_value_size(value.get())) + " rows, the table has " + std::to_string(rows));
  ValuePtr kinds;
  if (!cells.is_none()) kinds = to_value(cells, {}, keep_cells);
  onward_column type = ONWARD_COLUMN_FLOAT64;
  switch (onward_value_element_type(value.get())) {
    case ONWARD_DOUBLE: break;
    case ONWARD_FLOAT: type = ONWARD_COLUMN_FLOAT32; break;
    case ONWARD_INT64: type = datetime ? ONWARD_COLUMN_DATETIME : ONWARD_COLUMN_INT64; break;
    case ONWARD_BOOL: type = ONWARD_COLUMN_BOOL; break;
    default: fail(ONWARD_BAD_DATA, "column '" + name + "': expected float64, float32, int64 or bool");
  }
  check(onward_table_add_numbers(table.handle.get(), name.c_str(), type, onward_value_data(value.get()), kinds ? static_cast<const uint8_t*>(onward_value_data(kinds.get())) : nullptr));
}

nb::object column(const Table& table, size_t k) {
  const onward_table* t = table.handle.get();
  const size_t rows = size_t(onward_table_rows(t));
  const void* data = onward_table_column_data(t, k);
  switch (onward_table_column_type(t, k)) {
    case ONWARD_COLUMN_FLOAT64: return array_of(ONWARD_DOUBLE, data, rows);
    case ONWARD_COLUMN_FLOAT32: return array_of(ONWARD_FLOAT, data, rows);
    case ONWARD_COLUMN_BOOL: return array_of(ONWARD_BOOL, data, rows);
    case ONWARD_COLUMN_INT64: return array_of(ONWARD_INT64, data, rows);
    case ONWARD_COLUMN_DATETIME: return array_of(ONWARD_INT64, data, rows).attr("view")("datetime64[ns]");
    default: break;
  }
  const uint8_t* cells = onward_table_column_cells(t, k);
  nb::list texts;
  for (size_t row = 0; row < rows; ++row) {
    const char* text = nullptr;
    size_t length = 0;
    check(onward_table_string(t, k, int64_t(row), &text, &length));
    if (cells && cells[row]) texts.append(nb::none());
    else texts.append(nb::str(text, length));
  }
  const nb::module_ numpy = nb::module_::import_("numpy");
  const nb::object out = numpy.attr("empty")(rows, "O");
  out.attr("__setitem__")(nb::slice(nb::none(), nb::none(), nb::none()), texts);
  return out;
}

// (report as JSON, report as a page): `expected` has a value for each output's name.
nb::tuple compare(nb::handle session, const Table& table, const std::string& who, nb::dict expected, nb::handle refused, double relative, double absolute) {
  std::vector<std::string> names;
  std::vector<const char*> name_pointers;
  std::vector<const onward_value*> values;
  for (const auto& [name, value] : expected) names.push_back(nb::cast<std::string>(name)), values.push_back(nb::cast<const Value&>(value).handle.get());
  for (const std::string& name : names) name_pointers.push_back(name.c_str());
  nb::object keep;
  const ValuePtr rows = to_value(refused, {}, keep);
  if (onward_value_element_type(rows.get()) != ONWARD_UINT8 || int64_t(onward_value_size(rows.get())) != onward_table_rows(table.handle.get()))
    fail(ONWARD_BAD_DATA, "the library answered for another number of rows than the table has");
  onward_buffer *json = nullptr, *page = nullptr;
  onward_status* status = nullptr;
  const onward_session* runs = session_of(session);
  {
    nb::gil_scoped_release unlocked;
    status = onward_session_compare(runs, nullptr, table.handle.get(), who.c_str(), name_pointers.data(), values.data(), values.size(),
                                    static_cast<const uint8_t*>(onward_value_data(rows.get())), relative, absolute, &json, &page);
  }
  check(status);
  const BufferPtr own_json(json), own_page(page);
  return nb::make_tuple(nb::str(onward_buffer_data(json), onward_buffer_size(json)), nb::str(onward_buffer_data(page), onward_buffer_size(page)));
}

}  // namespace

void define_tables(nb::module_& module) {
  static constexpr const char* types[] = {"float64", "float32", "int64", "bool", "string", "datetime"};
  nb::class_<Table>(module, "Table")
      .def("__init__", [](Table* self, int64_t rows) {
        onward_table* made = nullptr;
        check(onward_table_create(rows, &made));
        new (self) Table{TablePtr(made)};
      })
      .def_static("from_arrow_stream", [](nb::handle capsule) {
        auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
        if (!stream) throw nb::python_error();
        onward_table* made = nullptr;
        check(onward_table_import_arrow_stream(stream, &made));   // the capsule releases the stream
        return Table{TablePtr(made)};
      })
      .def("add_array", &add_array, nb::arg("name"), nb::arg("array"), nb::arg("datetime") = false, nb::arg("cells").none() = nb::none())
      .def("add_objects", [](Table& table, const std::string& name, nb::handle items, std::string numbers) {
        check_name(name);
        Objects(name, items, std::move(numbers)).add_to(table.handle.get());
      },
           nb::arg("name"), nb::arg("items"), nb::arg("numbers") = "text")
      .def_prop_ro("rows", [](const Table& t) { return onward_table_rows(t.handle.get()); })
      .def("columns", [](const Table& t) {
        nb::list out;
        for (size_t k = 0; k < onward_table_column_count(t.handle.get()); ++k)
          out.append(nb::make_tuple(nb::str(onward_table_column_name(t.handle.get(), k)), nb::str(types[onward_table_column_type(t.handle.get(), k)]), column(t, k)));
        return out;
      })
      .def("types", [](const Table& t) {
        nb::list out;
        for (size_t k = 0; k < onward_table_column_count(t.handle.get()); ++k)
          out.append(nb::make_tuple(nb::str(onward_table_column_name(t.handle.get(), k)), nb::str(types[onward_table_column_type(t.handle.get(), k)])));
        return out;
      });
  module.def("compare", &compare);
  module.def("predict", [](nb::handle session, const Table& table, nb::handle options) {
    onward_table* made = nullptr;
    const onward_session* runs = session_of(session);
    const onward_run_options* how = run_options_of(options);
    onward_status* status = nullptr;
    {
      nb::gil_scoped_release unlocked;
      status = onward_session_predict(runs, how, table.handle.get(), &made);
    }
    check(status);
    return Table{TablePtr(made)};
  }, nb::arg("session"), nb::arg("table"), nb::arg("run_options").none() = nb::none());
}

}  // namespace onward_python
