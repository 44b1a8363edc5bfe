// The module onward._core.
#include "extension.h"

namespace onward_python {

void fail(onward_code code, const std::string& message, const std::string& hint) {
  const nb::object error = nb::module_::import_("onward.errors").attr("error_of")(int(code), "", message, hint);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw nb::python_error();
}

void check(onward_status* status) {
  if (!status) return;
  const std::unique_ptr<onward_status, Release<onward_status_release>> owner(status);
  const auto text = [](const char* utf8) { return nb::steal(PyUnicode_DecodeUTF8(utf8, Py_ssize_t(strlen(utf8)), "replace")); };
  const nb::object error = nb::module_::import_("onward.errors").attr("error_of")(
      onward_status_code(status), onward_status_name(status), text(onward_status_message(status)), text(onward_status_hint(status)),
      text(onward_status_problems(status)));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw nb::python_error();
}

}  // namespace onward_python

NB_MODULE(_core, module) {
  nb::set_leak_warnings(false);                          // what is global lives until the process ends
  module.attr("version") = onward_version();
  onward_python::define_values(module);
  onward_python::define_session(module);
  onward_python::define_tables(module);
  onward_python::define_convert(module);
  onward_python::define_operators(module);
  onward_python::define_graphs(module);
}
