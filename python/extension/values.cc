// onward._core.Value: what OrtValue holds.
#include "extension.h"

namespace onward_python {

void define_values(nb::module_& module) {
  nb::class_<Value>(module, "Value")
      .def("to_python", [](const Value& v) { return copy_to_python(v.handle.get()); })
      .def_prop_ro("kind", [](const Value& v) { return onward_value_kind(v.handle.get()); })
      .def_prop_ro("element_type", [](const Value& v) { return onward_value_element_type(v.handle.get()); })
      .def_prop_ro("bytes", [](const Value& v) { return onward_value_bytes(v.handle.get()); })
      .def_prop_ro("data_ptr", [](const Value& v) { return reinterpret_cast<uintptr_t>(onward_value_data(v.handle.get())); })
      .def_prop_ro("shape", [](const Value& v) {
        nb::list shape;
        for (size_t axis = 0; axis < onward_value_rank(v.handle.get()); ++axis) shape.append(onward_value_dims(v.handle.get())[axis]);
        return shape;
      });
  module.def("value_of", [](nb::handle object, const std::string& type) {
    Value value;
    value.handle = to_value(object, {"", type.c_str(), 0}, value.owner);
    return value;
  }, nb::arg("object"), nb::arg("type") = "");
  module.def("empty_value", [](const std::vector<int64_t>& dims, int element) {
    onward_value* made = nullptr;
    check(onward_value_create_empty(element, dims.data(), dims.size(), &made));
    return Value{ValuePtr(made), {}};
  });
}

}  // namespace onward_python
