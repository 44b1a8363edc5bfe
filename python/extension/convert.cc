// onward._core.convert: fitted models to ONNX models.
#include "extension.h"

namespace onward_python {

const onward_operators* operators_of(nb::handle operators);
const onward_converters* converters_of(nb::handle converters);

namespace {

nb::bytes bytes_of(const onward_buffer* buffer) { return nb::bytes(onward_buffer_data(buffer), onward_buffer_size(buffer)); }

// (model, report): `source` is a path or bytes.
nb::tuple convert(nb::handle source, const std::vector<std::string>& outputs, int inputs, int input_type, nb::dict column_types, const std::string& schema, nb::dict opsets, const std::vector<std::string>& steps,
                  const std::vector<std::string>& columns, nb::handle operators, nb::handle converters, bool own_ops) {
  onward_convert_options* made = nullptr;
  check(onward_convert_options_create(&made));
  const std::unique_ptr<onward_convert_options, Release<onward_convert_options_release>> options(made);
  for (const std::string& name : outputs) check(onward_convert_options_add_output(made, name.c_str()));
  check(onward_convert_options_set_inputs(made, inputs));
  check(onward_convert_options_set_input_type(made, input_type));
  for (const auto& [column, element] : column_types) check(onward_convert_options_set_column_type(made, nb::cast<std::string>(column).c_str(), nb::cast<int>(element)));
  if (!schema.empty()) check(onward_convert_options_set_schema(made, schema.c_str()));
  for (const auto& [domain, version] : opsets) check(onward_convert_options_set_opset(made, nb::cast<std::string>(domain).c_str(), nb::cast<int64_t>(version)));

  for (const std::string& step : steps) check(onward_convert_options_add_step(made, step.c_str()));
  for (const std::string& column : columns) check(onward_convert_options_add_column(made, column.c_str()));
  check(onward_convert_options_allow_own_operators(made, own_ops));
  if (!operators.is_none()) check(onward_convert_options_add_operators(made, operators_of(operators)));
  if (!converters.is_none()) check(onward_convert_options_add_converters(made, converters_of(converters)));

  onward_buffer *model = nullptr, *report = nullptr;
  onward_status* status = nullptr;
  if (nb::isinstance<nb::bytes>(source)) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    PyBytes_AsStringAndSize(source.ptr(), &data, &size);
    nb::gil_scoped_release unlocked;
    status = onward_convert_bytes(data, size_t(size), made, &model, &report);
  } else {
    const std::string path = nb::cast<std::string>(source);
    nb::gil_scoped_release unlocked;
    status = onward_convert(path.c_str(), made, &model, &report);
  }
  check(status);
  const BufferPtr own_model(model), own_report(report);
  return nb::make_tuple(bytes_of(model), bytes_of(report));
}

}  // namespace

void define_convert(nb::module_& module) {
  module.def("convert", &convert, nb::arg("source"), nb::arg("outputs"), nb::arg("inputs"), nb::arg("input_type"), nb::arg("column_types"), nb::arg("schema"), nb::arg("opsets"),
             nb::arg("steps"), nb::arg("columns"), nb::arg("operators").none(), nb::arg("converters").none(), nb::arg("own_ops"));
  module.def("infer_types", [](nb::bytes model, bool strict) {
    onward_buffer* made = nullptr;
    onward_status* status = nullptr;
    {
      nb::gil_scoped_release unlocked;
      status = onward_infer_types(model.data(), model.size(), strict, &made);
    }
    check(status);
    const BufferPtr buffer(made);
    return bytes_of(made);
  });
  module.def("model_schema", [](nb::bytes model) {
    onward_buffer* made = nullptr;
    check(onward_model_schema(model.data(), model.size(), &made));
    const BufferPtr buffer(made);
    return bytes_of(made);
  });
}

}  // namespace onward_python
