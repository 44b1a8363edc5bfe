// onward._core.Operators: custom operators of shared libraries, and those whose kernels are Python functions. The interpreter's lock is
// taken only while such a function runs. What it is given are copies: it may keep them.
#include "extension.h"

#include <cstring>

namespace onward_python {

onward_status* status_of(nb::python_error& raised) {
  const nb::object error = nb::borrow(raised.value());
  int code = ONWARD_BAD_VALUE;
  std::string hint, message;
  try {
    if (nb::isinstance(error, nb::module_::import_("onward.errors").attr("Error"))) {
      code = nb::cast<int>(error.attr("code")), hint = nb::cast<std::string>(error.attr("hint")), message = nb::cast<std::string>(error.attr("message"));
    } else {
      message = nb::cast<std::string>(nb::module_::import_("onward.operators").attr("_said")(error));
    }
  } catch (...) {
    message = "its Python function raised an exception that cannot be shown";
  }
  return onward_status_create(code, message.c_str(), hint.c_str());
}

namespace {

const onward_extension_api& api() { return *onward_get_extension_api(); }

struct Attribute {
  std::string name, kind;                                // "FLOAT", …
};

// One operator: shared by all its nodes, released with the last session that has it.
struct Registered {
  nb::object function, infer;
  std::vector<Attribute> attributes;
  size_t inputs = 0;                                     // ports that are no list: what a node leaves out is None
  std::vector<int> output_elements;                      // by port: its type, ~i for that of input i, or 0; the last may stand for many
};

struct Kernel {
  const Registered& op;
  nb::dict attributes;
};

nb::object attribute_of(const onward_node* node, const Attribute& a) {
  const char* name = a.name.c_str();
  const auto text_of = [](const char* text, size_t length) { return nb::steal(PyUnicode_DecodeUTF8(text, Py_ssize_t(length), "surrogateescape")); };
  const char* text = nullptr;
  size_t size = 0;
  if (a.kind == "INT") {
    int64_t value = 0;
    return check(api().node_int(node, name, &value)), nb::int_(value);
  }
  if (a.kind == "FLOAT") {
    float value = 0;
    return check(api().node_float(node, name, &value)), nb::float_(double(value));
  }
  if (a.kind == "STRING") return check(api().node_string(node, name, &text, &size)), text_of(text, size);
  if (a.kind == "TENSOR") {
    const onward_value* value = nullptr;
    return check(api().node_tensor(node, name, &value)), copy_to_python(value);
  }
  nb::list out;
  if (a.kind == "INTS") {
    const int64_t* values = nullptr;
    check(api().node_ints(node, name, &values, &size));
    for (size_t i = 0; i < size; ++i) out.append(values[i]);
  } else if (a.kind == "FLOATS") {
    const float* values = nullptr;
    check(api().node_floats(node, name, &values, &size));
    for (size_t i = 0; i < size; ++i) out.append(double(values[i]));
  } else {
    size_t count = 0;
    check(api().node_strings(node, name, 0, nullptr, nullptr, &count));
    for (size_t i = 0; i < count; ++i) check(api().node_strings(node, name, i, &text, &size, nullptr)), out.append(text_of(text, size));
  }
  return out;
}

onward_status* prepare(void* state, const onward_node* node, void** kernel) {
  return guarded([&] {
    const auto& op = *static_cast<const Registered*>(state);
    auto made = std::make_unique<Kernel>(Kernel{op, {}});
    for (const Attribute& a : op.attributes) made->attributes[a.name.c_str()] = api().node_has(node, a.name.c_str()) ? attribute_of(node, a) : nb::none();
    *kernel = made.release();
  });
}

nb::object called(const nb::object& function, const nb::list& arguments, const Kernel& kernel) {
  const nb::object given = nb::steal(PyList_AsTuple(arguments.ptr()));
  const nb::object out = nb::steal(PyObject_Call(function.ptr(), given.ptr(), kernel.attributes.ptr()));
  if (!out.is_valid()) throw nb::python_error();
  return out;
}

// A number, an onward.operators.Size that was handed on, or None for one that is not known.
int64_t size_of(onward_inference* io, nb::handle size) {
  if (size.is_none()) return api().inference_unknown(io);
  if (!nb::hasattr(size, "symbol")) return nb::cast<int64_t>(size);
  const nb::object symbol = size.attr("symbol");
  return symbol.is_none() ? api().inference_unknown(io) : nb::cast<int64_t>(symbol);
}

// Shapes as tuples: a size that is not known yet is a Size, a shape that is not known is None.
onward_status* infer(void* state, onward_inference* io) {
  return guarded([&] {
    const auto& kernel = *static_cast<const Kernel*>(state);
    if (kernel.op.infer.is_none()) return;
    nb::list shapes;
    for (size_t i = 0; i < api().inference_input_count(io); ++i) {
      const int rank = api().inference_input_rank(io, i);
      if (rank < 0) { shapes.append(nb::none()); continue; }
      nb::list sizes;
      for (int axis = 0; axis < rank; ++axis) {
        const int64_t size = api().inference_input_dim(io, i, size_t(axis));
        if (size >= 0) sizes.append(size);
        else sizes.append(nb::module_::import_("onward.operators").attr("Size")(size));
      }
      shapes.append(nb::steal(PyList_AsTuple(sizes.ptr())));
    }
    while (nb::len(shapes) < kernel.op.inputs) shapes.append(nb::none());
    const nb::object said = called(kernel.op.infer, shapes, kernel);
    // A shape, or a list of them.
    const nb::object all = PyList_Check(said.ptr()) ? said : nb::object(nb::make_tuple(said));
    size_t k = 0;
    for (nb::handle shape : all) {
      const size_t output = k++;
      if (shape.is_none()) continue;
      std::vector<int64_t> dims;
      for (nb::handle size : shape) dims.push_back(size_of(io, size));
      check(api().inference_output(io, output, 0, dims.data(), dims.size()));
    }
  });
}

// The engine's own memory: Python may write to its arrays afterwards.
void give(onward_call* call, size_t k, nb::handle object, int element) {
  nb::object keep;
  const std::string name = "output " + std::to_string(k);
  const ValuePtr value = to_value(object, {name.c_str(), "", element}, keep);
  const bool bytes = onward_value_kind(value.get()) == ONWARD_TENSOR && onward_value_element_type(value.get()) != ONWARD_STRING;
  if (!bytes) return check(api().call_give(call, k, value.get()));
  onward_value* out = api().call_output(call, k);
  const auto same = [&] {
    if (!out || onward_value_element_type(out) != onward_value_element_type(value.get()) || onward_value_rank(out) != onward_value_rank(value.get())) return false;
    return std::equal(onward_value_dims(out), onward_value_dims(out) + onward_value_rank(out), onward_value_dims(value.get()));
  };
  if (!same()) check(api().call_allocate(call, k, onward_value_element_type(value.get()), onward_value_dims(value.get()), onward_value_rank(value.get()), &out));
  if (const size_t size = onward_value_bytes(value.get())) std::memcpy(onward_value_data(out), onward_value_data(value.get()), size);
}

onward_status* run(void* state, onward_call* call) {
  return guarded([&] {
    const auto& kernel = *static_cast<const Kernel*>(state);
    nb::list arguments;
    for (size_t i = 0; i < api().call_input_count(call); ++i) {
      const onward_value* value = api().call_input(call, i);
      arguments.append(value ? copy_to_python(value) : nb::none());
    }
    while (nb::len(arguments) < kernel.op.inputs) arguments.append(nb::none());
    const nb::object out = called(kernel.op.function, arguments, kernel);
    const size_t count = api().call_output_count(call);
    const auto element = [&](size_t k) {
      const int known = kernel.op.output_elements[std::min(k, kernel.op.output_elements.size() - 1)];
      return known < 0 ? onward_value_element_type(api().call_input(call, size_t(~known))) : known;
    };
    if (!PyTuple_Check(out.ptr())) {
      if (!out.is_none()) give(call, 0, out, element(0));
      return;
    }
    const size_t given = size_t(PyTuple_GET_SIZE(out.ptr()));
    if (given > count && given > kernel.op.output_elements.size()) fail(ONWARD_BAD_VALUE, "its function returned " + std::to_string(given) + " outputs, the node has " + std::to_string(count));
    for (size_t k = 0; k < std::min(given, count); ++k)
      if (nb::handle item = PyTuple_GET_ITEM(out.ptr(), Py_ssize_t(k)); !item.is_none()) give(call, k, item, element(k));
  });
}

template <class T> void release(void* state) {
  if (!Py_IsInitialized()) return;                       // the process ends
  nb::gil_scoped_acquire locked;
  delete static_cast<T*>(state);
}

class Operators {
 public:
  Operators() { check(onward_operators_create(&handle)); }
  ~Operators() { onward_operators_release(handle); }
  Operators(const Operators&) = delete;
  Operators& operator=(const Operators&) = delete;

  void add(const std::string& domain, const std::string& name, int since, const std::string& inputs, const std::string& outputs, const std::string& attributes,
           const std::vector<std::vector<std::string>>& attribute_kinds, size_t input_ports, const std::vector<int>& output_elements, nb::object function, nb::object infer_shapes) {
    auto state = std::make_unique<Registered>(Registered{std::move(function), std::move(infer_shapes), {}, input_ports, output_elements});
    for (const auto& fact : attribute_kinds) state->attributes.push_back({fact.at(0), fact.at(1)});
    const onward_operator_functions functions{sizeof(onward_operator_functions), state.release(), release<Registered>, prepare, release<Kernel>, infer, run};
    check(api().operators_add(handle, domain.c_str(), name.c_str(), since, inputs.c_str(), outputs.c_str(), attributes.c_str(), &functions));
  }
  void load(const std::string& path) {
    onward_status* status = nullptr;
    {
      nb::gil_scoped_release unlocked;
      status = onward_operators_load(handle, path.c_str());
    }
    check(status);
  }
  onward_operators* handle = nullptr;
};

}  // namespace

const onward_operators* operators_of(nb::handle operators) { return nb::cast<const Operators&>(operators).handle; }

void define_operators(nb::module_& module) {
  nb::class_<Operators>(module, "Operators").def(nb::init<>()).def("add", &Operators::add, nb::arg("domain"), nb::arg("name"), nb::arg("since"), nb::arg("inputs"), nb::arg("outputs"), nb::arg("attributes"),
                                                                     nb::arg("kinds"), nb::arg("input_ports"), nb::arg("output_elements"), nb::arg("function"), nb::arg("infer").none())
     .def("load", &Operators::load);
}

}  // namespace onward_python
