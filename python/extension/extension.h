// The Python extension: what its files share. Everything goes through the C interface.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>
#include <vector>

#include "onward/graph.h"

namespace nb = nanobind;

namespace onward_python {

template <auto release> struct Release { template <class T> void operator()(T* p) const { release(p); } };
using ValuePtr = std::unique_ptr<onward_value, Release<onward_value_release>>;
using BufferPtr = std::unique_ptr<onward_buffer, Release<onward_buffer_release>>;
using TablePtr = std::unique_ptr<onward_table, Release<onward_table_release>>;

// Raises the Python exception of a status (onward.errors makes it); releases the status.
void check(onward_status* status);
[[noreturn]] void fail(onward_code code, const std::string& message, const std::string& hint = "");

// A tensor, sequence or map that Python holds: onward.OrtValue.
struct Value {
  ValuePtr handle;
  nb::object owner;                                      // of borrowed memory
};

// ---- arrays.cc: numpy arrays, lists and Python values to onward's values and back

// What a value is to become: a port of a session, or anything at all.
struct Wanted {
  const char* name = "";
  const char* type = "";                                 // "tensor(double)", "seq(…)"; "" takes what comes
  int element = 0;
};
// Reads arrays in place: `keep` is what must stay alive as long as the value.
ValuePtr to_value(nb::handle object, const Wanted& wanted, nb::object& keep);
// The value's memory becomes the array's. Sequences become lists, maps dicts, nothing None.
nb::object to_python(ValuePtr value);
nb::object copy_to_python(const onward_value* value);
// A one-dimensional array that is a copy; a two-dimensional one, of a copy of each line.
nb::object array_of(int element, const void* data, size_t size);
nb::object array_of_lines(int element, const std::vector<const void*>& lines, size_t length);

// An array of one or two axes, read where it lies: `count` lines of `length` elements, steps in bytes.
struct Lines {
  int axes = 1, element = 0;                             // 0: Python objects
  const char* data = nullptr;
  Py_ssize_t count = 1, length = 0, line_step = 0, step = 0;
};
// False for another number of axes, and for elements that are neither numbers in the machine's byte order nor objects.
bool lines_of(nb::handle array, Lines& lines);

// ---- columns.cc: what Python calls a column to those of onward's tables

struct Table {
  TablePtr handle;
};
// A list, a tuple, or an array of one axis; false, and nothing added, for what Python must make one of these first. `numbers`: "text",
// "digits" or "refuse", as the schema says: what becomes of a number among texts.
bool add_column(Table& table, nb::handle name, nb::handle values, nb::handle numbers);
// A one-dimensional array of numbers. `cells`: None or uint8.
void add_array(Table& table, nb::handle name, nb::handle array, bool datetime, nb::handle cells);
// A frame's columns in order. blocks: [(values, places)], places an array that says which column each line of the values is; values an
// array, a tuple (capsule of an Arrow stream, its kind of gap) for one column, or None. What no block holds so otherwise(place) adds.
void add_blocks(Table& table, nb::list names, nb::list numbers, nb::list blocks, nb::handle otherwise);
ArrowArrayStream* arrow_stream(nb::handle capsule);     // the capsule releases it

// ---- Callbacks: the status of a Python exception says what was raised, and where in the user's code. The caller holds the lock.
onward_status* status_of(nb::python_error& raised);
// Runs `body` with the interpreter's lock.
template <class Body> onward_status* guarded(Body&& body) noexcept {
  nb::gil_scoped_acquire locked;
  try {
    body();
    return nullptr;
  } catch (nb::python_error& raised) {
    return status_of(raised);
  } catch (const std::exception& e) {
    return onward_status_create(ONWARD_BAD_VALUE, e.what(), "");
  }
}

void define_session(nb::module_& module);
void define_graphs(nb::module_& module);
void define_values(nb::module_& module);
void define_tables(nb::module_& module);
void define_convert(nb::module_& module);
void define_operators(nb::module_& module);

}  // namespace onward_python
