// onward._core.Table: a session's answers for tables, as arrays.
#include "extension.h"

namespace onward_python {

const onward_session* session_of(nb::handle session);
const onward_run_options* run_options_of(nb::handle options);

namespace {

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

// [(array, places)]: the columns of each type of numbers, a line each, and where they stand; texts each for themselves. None where some
// are times.
nb::object blocks(const Table& table) {
  const onward_table* t = table.handle.get();
  const size_t columns = onward_table_column_count(t);
  constexpr std::pair<int, int> kinds[] = {{ONWARD_COLUMN_INT64, ONWARD_INT64}, {ONWARD_COLUMN_FLOAT32, ONWARD_FLOAT}, {ONWARD_COLUMN_FLOAT64, ONWARD_DOUBLE}, {ONWARD_COLUMN_BOOL, ONWARD_BOOL}};
  std::vector<int64_t> places;
  std::vector<const void*> lines;
  size_t found = 0;
  nb::list out;
  for (size_t k = 0; k < columns; ++k) {
    if (onward_table_column_type(t, k) != ONWARD_COLUMN_STRING) continue;
    const int64_t place = int64_t(k);
    out.append(nb::make_tuple(column(table, k), array_of(ONWARD_INT64, &place, 1)));
    ++found;
  }
  for (const auto& [kind, element] : kinds) {
    places.clear(), lines.clear();
    for (size_t k = 0; k < columns; ++k)
      if (onward_table_column_type(t, k) == kind) places.push_back(int64_t(k)), lines.push_back(onward_table_column_data(t, k));
    if (places.empty()) continue;
    found += places.size();
    out.append(nb::make_tuple(array_of_lines(element, lines, size_t(onward_table_rows(t))), array_of(ONWARD_INT64, places.data(), places.size())));
  }
  return found == columns ? nb::object(out) : nb::none();
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
        onward_table* made = nullptr;
        check(onward_table_import_arrow_stream(arrow_stream(capsule), &made));
        return Table{TablePtr(made)};
      })
      .def("add", &add_column, nb::arg("name"), nb::arg("values"), nb::arg("numbers") = "text")
      .def("add_array", &add_array, nb::arg("name"), nb::arg("array"), nb::arg("datetime") = false, nb::arg("cells").none() = nb::none())
      .def("add_blocks", &add_blocks, nb::arg("names"), nb::arg("numbers"), nb::arg("blocks"), nb::arg("otherwise"))
      .def_prop_ro("rows", [](const Table& t) { return onward_table_rows(t.handle.get()); })
      .def("blocks", &blocks)
      .def("names", [](const Table& t) {
        nb::list out;
        for (size_t k = 0; k < onward_table_column_count(t.handle.get()); ++k) out.append(nb::str(onward_table_column_name(t.handle.get(), k)));
        return nb::tuple(out);
      })
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
