// onward._core.Graph and Conversion: graphs under construction, and converters whose code is Python.
#include "extension.h"

namespace onward_python {

const onward_operators* operators_of(nb::handle operators);

namespace {

// A graph of its own, or that of a conversion, which is gone when the converter returns.
struct Graph {
  onward_graph* graph = nullptr;
  bool own = false;
  nb::object operators = nb::none();                     // onward._core.Operators that its nodes may use

  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { if (own) onward_graph_release(graph); }
  onward_graph* get() const {
    if (!graph) fail(ONWARD_USAGE, "this graph belongs to a conversion that has ended");
    return graph;
  }
  const onward_operators* custom() const { return operators.is_none() ? nullptr : operators_of(operators); }
};

struct Names {
  explicit Names(const std::vector<std::string>& all) { for (const std::string& name : all) pointers.push_back(name.c_str()); }
  std::vector<const char*> pointers;
};

int input(Graph& g, const std::string& name, int element, const std::vector<int64_t>& dims) {
  int made = -1;
  check(onward_graph_input(g.get(), name.c_str(), element, dims.data(), dims.size(), &made));
  return made;
}
int constant(Graph& g, nb::handle array) {
  nb::object keep;
  const ValuePtr value = to_value(array, {"constant"}, keep);
  int made = -1;
  check(onward_graph_constant(g.get(), value.get(), &made));
  return made;
}
int formula(Graph& g, const std::string& text, const std::vector<std::string>& names, const std::vector<int>& values) {
  int made = -1;
  check(onward_graph_formula(g.get(), text.c_str(), Names(names).pointers.data(), values.data(), values.size(), &made));
  return made;
}
std::vector<int> nodes(Graph& g, const std::string& text, const std::vector<std::string>& names, const std::vector<int>& values, const std::vector<std::string>& results) {
  std::vector<int> made(results.size());
  check(onward_graph_nodes(g.get(), g.custom(), text.c_str(), Names(names).pointers.data(), values.data(), values.size(), Names(results).pointers.data(), made.data(), made.size()));
  return made;
}
nb::tuple shape(Graph& g, int value) {
  nb::list dims;
  for (int axis = 0; axis < onward_graph_rank(g.get(), value); ++axis) dims.append(onward_graph_dim(g.get(), value, axis));
  return nb::make_tuple(onward_graph_element_type(g.get(), value), nb::steal(PyList_AsTuple(dims.ptr())));
}
nb::bytes model(Graph& g, const std::vector<std::string>& names, const std::vector<int>& values) {
  onward_buffer* made = nullptr;
  check(onward_graph_model(g.get(), g.custom(), Names(names).pointers.data(), values.data(), values.size(), &made));
  const BufferPtr buffer(made);
  return nb::bytes(onward_buffer_data(made), onward_buffer_size(made));
}

// One call of a converter.
struct Conversion : Graph {
  onward_conversion* conversion = nullptr;
  onward_conversion* at() const { return get(), conversion; }
};

struct Fitted {
  nb::object owner;                                      // the Conversion
  const onward_fitted* fitted = nullptr;
  const onward_fitted* get() const { return nb::cast<Conversion&>(owner).get(), fitted; }
  nb::object part(const onward_fitted* p) const { return p ? nb::cast(Fitted{owner, p}) : nb::none(); }
};

nb::object find(const Fitted& f, const std::string& name) {
  const onward_fitted* part = nullptr;
  check(onward_fitted_find(f.get(), name.c_str(), &part));
  return f.part(part);
}
// [(key or None, item)]
nb::list items(const Fitted& f) {
  nb::list out;
  for (size_t i = 0; i < onward_fitted_size(f.get()); ++i) {
    const onward_fitted *key = nullptr, *item = nullptr;
    check(onward_fitted_item(f.get(), i, &key, &item));
    out.append(nb::make_tuple(f.part(key), f.part(item)));
  }
  return out;
}
// Of what is no container and no object.
nb::object plain_value(const Fitted& f) {
  switch (onward_fitted_kind(f.get())) {
    case ONWARD_FITTED_BOOL: case ONWARD_FITTED_INTEGER: {
      int64_t value = 0;
      check(onward_fitted_integer(f.get(), &value));
      return onward_fitted_kind(f.get()) == ONWARD_FITTED_BOOL ? nb::object(nb::bool_(value != 0)) : nb::object(nb::int_(value));
    }
    case ONWARD_FITTED_NUMBER: {
      double value = 0;
      return check(onward_fitted_number(f.get(), &value)), nb::float_(value);
    }
    case ONWARD_FITTED_TEXT: {
      const char* text = nullptr;
      size_t length = 0;
      check(onward_fitted_text(f.get(), &text, &length));
      return nb::steal(PyUnicode_DecodeUTF8(text, Py_ssize_t(length), "surrogateescape"));
    }
    case ONWARD_FITTED_ARRAY: {
      const onward_value* value = nullptr;
      return check(onward_fitted_array(f.get(), &value)), copy_to_python(value);
    }
    default: return nb::none();
  }
}

nb::dict parts_of(onward_parts* made) {
  const std::unique_ptr<onward_parts, Release<onward_parts_release>> parts(made);
  nb::dict out;
  for (const char* name : {"transformed", "label", "variable", "probabilities", "log_probabilities", "scores", "leaf", "score_samples", "distances", "neighbors"})
    if (const int value = onward_parts_value(made, name); value >= 0) out[name] = value;
  if (const onward_value* classes = onward_parts_classes(made)) out["classes"] = copy_to_python(classes);
  return out;
}

nb::dict convert_part(Conversion& c, nb::handle part, const std::vector<int>& values, const std::vector<std::string>& names) {
  onward_parts* made = nullptr;
  const Names pointers(names);
  const char* const* given = names.empty() ? nullptr : pointers.pointers.data();
  if (nb::isinstance<nb::bytes>(part)) {
    const nb::bytes bytes = nb::borrow<nb::bytes>(part);
    check(onward_conversion_convert_bytes(c.at(), bytes.data(), bytes.size(), values.data(), given, values.size(), &made));
  } else {
    check(onward_conversion_convert(c.at(), nb::cast<const Fitted&>(part).get(), values.data(), given, values.size(), &made));
  }
  return parts_of(made);
}

// A converter's Python function, called as call(conversion, fitted).
struct Converter {
  nb::object call, operators;
};

onward_status* convert(void* state, onward_conversion* conversion, const onward_fitted* fitted) {
  return guarded([&] {
    const auto& converter = *static_cast<const Converter*>(state);
    const nb::object made = nb::cast(new Conversion, nb::rv_policy::take_ownership);
    auto& c = nb::cast<Conversion&>(made);
    c.graph = onward_conversion_graph(conversion), c.conversion = conversion, c.operators = converter.operators;
    struct End {
      Conversion& c;
      ~End() { c.graph = nullptr, c.conversion = nullptr; }
    } end{c};
    converter.call(made, nb::cast(Fitted{made, fitted}));
  });
}

class Converters {
 public:
  Converters() { check(onward_converters_create(&handle)); }
  ~Converters() { onward_converters_release(handle); }
  Converters(const Converters&) = delete;
  Converters& operator=(const Converters&) = delete;
  void add(const std::string& class_name, nb::object call, nb::object operators) {
    auto state = std::make_unique<Converter>(Converter{std::move(call), std::move(operators)});
    const onward_converter_functions functions{sizeof(onward_converter_functions), state.release(), [](void* s) {
                                                 nb::gil_scoped_acquire locked;
                                                 delete static_cast<Converter*>(s);
                                               }, convert};
    check(onward_converters_add(handle, class_name.c_str(), &functions));
  }
  onward_converters* handle = nullptr;
};

}  // namespace

const onward_converters* converters_of(nb::handle converters) { return nb::cast<const Converters&>(converters).handle; }

void define_graphs(nb::module_& module) {
  nb::class_<Graph>(module, "GraphCore")
      .def("__init__", [](Graph* g, nb::object operators) {
        new (g) Graph;
        check(onward_graph_create(&g->graph));
        g->own = true, g->operators = std::move(operators);
      }, nb::arg("operators").none() = nb::none())
      .def("input", &input).def("constant", &constant).def("formula", &formula).def("nodes", &nodes).def("shape", &shape).def("model", &model);
  nb::class_<Conversion, Graph>(module, "ConversionCore")
      .def("column_names", [](const Conversion& c) {
        nb::list out;
        for (size_t i = 0; i < onward_conversion_column_count(c.at()); ++i) out.append(nb::str(onward_conversion_column_name(c.at(), i)));
        return out;
      })
      .def("column", [](const Conversion& c, size_t i, int element) {
        int made = -1;
        check(onward_conversion_column(c.at(), i, element, &made));
        return made;
      })
      .def("matrix", [](const Conversion& c) {
        int made = -1;
        check(onward_conversion_matrix(c.at(), &made));
        return made;
      })
      .def("give", [](const Conversion& c, const std::string& name, int value) { check(onward_conversion_give(c.at(), name.c_str(), value)); })
      .def("give_column", [](const Conversion& c, const std::string& name, int value) { check(onward_conversion_give_column(c.at(), name.c_str(), value)); })
      .def("give_classes", [](const Conversion& c, nb::handle classes) {
        nb::object keep;
        const ValuePtr value = to_value(classes, {"classes"}, keep);
        check(onward_conversion_give_classes(c.at(), value.get()));
      })
      .def("convert", &convert_part);
  nb::class_<Fitted>(module, "FittedCore")
      .def_prop_ro("kind", [](const Fitted& f) { return onward_fitted_kind(f.get()); })
      .def_prop_ro("class_name", [](const Fitted& f) { return nb::str(onward_fitted_class_name(f.get())); })
      .def_prop_ro("live", [](const Fitted& f) { return onward_fitted_live(f.get()); })
      .def("find", &find).def("items", &items).def("value", &plain_value);
  nb::class_<Converters>(module, "Converters").def(nb::init<>()).def("add", &Converters::add, nb::arg("class_name"), nb::arg("call"), nb::arg("operators").none());
}

}  // namespace onward_python
