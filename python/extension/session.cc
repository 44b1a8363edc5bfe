// onward._core.Session: the part of InferenceSession that must be fast.
#include "extension.h"

#include <cstring>

namespace onward_python {

const onward_run_options* run_options_of(nb::handle options);
const onward_operators* operators_of(nb::handle operators);

namespace {

// Sets the flag of runs that use it, from any thread.
struct RunOptions {
  RunOptions() {
    check(onward_cancel_create(&cancel));
    check(onward_run_options_create(&options));
    check(onward_run_options_set_cancel(options, cancel));
  }
  ~RunOptions() {
    onward_run_options_release(options);
    onward_cancel_release(cancel);
  }
  RunOptions(const RunOptions&) = delete;
  RunOptions& operator=(const RunOptions&) = delete;
  void set_terminate(bool on) { terminate = on, onward_cancel_set(cancel, on); }
  void set_time_limit(double seconds) {
    check(onward_run_options_set_time_limit(options, seconds));
    time_limit = seconds;
  }
  onward_cancel* cancel = nullptr;
  onward_run_options* options = nullptr;
  bool terminate = false;
  double time_limit = 0;
};

}  // namespace

const onward_run_options* run_options_of(nb::handle options) {
  if (options.is_none()) return nullptr;
  if (!nb::isinstance<RunOptions>(options)) throw nb::type_error("run_options: expected onward.RunOptions");
  return nb::inst_ptr<RunOptions>(options)->options;
}

namespace {

struct Port {
  nb::object name;
  Wanted wanted;
  const onward_port* port;
};

// Items of one run: up to eight need no allocation.
template <class T> class Few {
 public:
  explicit Few(size_t size) : size_(size) { if (size > most) more_.resize(size), data_ = more_.data(); }
  Few(const Few&) = delete;
  Few& operator=(const Few&) = delete;
  T& operator[](size_t i) { return data_[i]; }
  T* data() { return data_; }
  size_t size() const { return size_; }

 private:
  static constexpr size_t most = 8;
  T few_[most] = {};
  std::vector<T> more_;
  T* data_ = few_;
  size_t size_;
};

// The arguments of one run: what we made is released, what Python holds stays alive.
struct Arguments {
  explicit Arguments(size_t size) : values(size), kept(size), owned(size) {}
  void put(size_t i, nb::handle object, const Wanted& wanted) {
    if (nb::inst_check(object) && nb::isinstance<Value>(object)) {
      kept[i] = nb::borrow(object), values[i] = nb::inst_ptr<Value>(object)->handle.get();
    } else {
      owned[i] = to_value(object, wanted, kept[i]), values[i] = owned[i].get();
    }
  }
  Few<const onward_value*> values;
  Few<nb::object> kept;
  Few<ValuePtr> owned;
};

struct Results {
  explicit Results(size_t size) : values(size) {}
  ~Results() { for (size_t i = 0; i < values.size(); ++i) onward_value_release(values[i]); }
  ValuePtr take(size_t i) { return ValuePtr(std::exchange(values[i], nullptr)); }
  Few<onward_value*> values;
};

class Session {
 public:
  Session(nb::handle model, int threads, int optimization, size_t memory_limit, bool profiling, const std::vector<std::string>& disabled, nb::dict dims, nb::dict initializers,
          nb::handle operators) {
    onward_session_options* made = nullptr;
    check(onward_session_options_create(&made));
    const std::unique_ptr<onward_session_options, Release<onward_session_options_release>> options(made);
    check(onward_session_options_set_threads(made, threads));
    check(onward_session_options_set_optimization(made, optimization));
    check(onward_session_options_set_memory_limit(made, memory_limit));
    check(onward_session_options_set_profiling(made, profiling));
    for (const std::string& name : disabled) check(onward_session_options_disable(made, name.c_str()));
    for (const auto& [name, size] : dims) check(onward_session_options_set_dim(made, nb::cast<std::string>(name).c_str(), nb::cast<int64_t>(size)));
    for (const auto& [name, value] : initializers) {
      owners_.push_back(nb::borrow(value));
      check(onward_session_options_set_initializer(made, nb::cast<std::string>(name).c_str(), nb::cast<const Value&>(value).handle.get()));
    }
    if (!operators.is_none()) check(onward_session_options_add_operators(made, operators_of(operators)));
    create(model, made);
    read_ports(inputs_, onward_session_input_count, onward_session_input);
    read_ports(outputs_, onward_session_output_count, onward_session_output);
    places_ = nb::dict();
    for (size_t i = 0; i < outputs_.size(); ++i) places_[outputs_[i].name] = i;
  }
  ~Session() { onward_session_release(session_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  nb::object run(nb::handle output_names, nb::handle feed, nb::handle options) const {
    return run_to(output_names, feed, options, [](ValuePtr value) { return to_python(std::move(value)); });
  }
  nb::object run_values(nb::handle output_names, nb::handle feed, nb::handle options) const {
    return run_to(output_names, feed, options, [](ValuePtr value) { return nb::cast(Value{std::move(value), {}}); });
  }

  nb::list ports(bool input) const {
    nb::list out;
    for (const Port& p : input ? inputs_ : outputs_) {
      nb::object shape = nb::list();
      for (int axis = 0; axis < onward_port_rank(p.port); ++axis) {
        const int64_t size = onward_port_dim(p.port, axis);
        const char* name = onward_port_dim_name(p.port, axis);
        if (size >= 0) nb::cast<nb::list>(shape).append(size);
        else if (*name) nb::cast<nb::list>(shape).append(nb::str(name));
        else nb::cast<nb::list>(shape).append(nb::none());
      }
      out.append(nb::make_tuple(p.name, nb::str(p.wanted.type), shape));
    }
    return out;
  }

  nb::dict model_texts() const {
    static constexpr const char* names[] = {"producer_name", "producer_version", "domain", "description", "graph_name", "graph_description"};
    nb::dict out;
    for (int which = 0; which < 6; ++which) {
      const char* text = nullptr;
      check(onward_session_model_text(session_, which, &text));
      out[names[which]] = nb::str(text);
    }
    int64_t version = 0;
    check(onward_session_model_version(session_, &version));
    out["version"] = version;
    return out;
  }

  nb::dict metadata() const {
    nb::dict out;
    size_t count = 0;
    check(onward_session_metadata_count(session_, &count));
    for (size_t i = 0; i < count; ++i) {
      const char *key = nullptr, *value = nullptr;
      check(onward_session_metadata(session_, i, &key, &value));
      out[nb::str(key)] = nb::str(value);
    }
    return out;
  }

  nb::dict opsets() const {
    nb::dict out;
    size_t count = 0;
    check(onward_session_opset_count(session_, &count));
    for (size_t i = 0; i < count; ++i) {
      const char* domain = nullptr;
      int64_t version = 0;
      check(onward_session_opset(session_, i, &domain, &version));
      out[nb::str(domain)] = version;
    }
    return out;
  }

  nb::bytes optimized_model() const {
    onward_buffer* made = nullptr;
    check(onward_session_optimized_model(session_, &made));
    const BufferPtr buffer(made);
    return nb::bytes(onward_buffer_data(made), onward_buffer_size(made));
  }
  nb::str schema() const { return text_of(onward_session_schema); }
  nb::str profile() const { return text_of(onward_session_profile); }
  const onward_session* get() const { return session_; }

 private:
  void create(nb::handle model, const onward_session_options* options) {
    onward_status* status = nullptr;
    if (nb::isinstance<nb::bytes>(model)) {
      char* data = nullptr;
      Py_ssize_t size = 0;
      PyBytes_AsStringAndSize(model.ptr(), &data, &size);
      nb::gil_scoped_release unlocked;
      status = onward_session_create_from_bytes(data, size_t(size), options, &session_);
    } else {
      const std::string path = nb::cast<std::string>(model);
      nb::gil_scoped_release unlocked;
      status = onward_session_create(path.c_str(), options, &session_);
    }
    check(status);
  }

  template <class Count, class Get> void read_ports(std::vector<Port>& ports, Count count_of, Get port_of) {
    size_t count = 0;
    check(count_of(session_, &count));
    for (size_t i = 0; i < count; ++i) {
      const onward_port* port = nullptr;
      check(port_of(session_, i, &port));
      PyObject* name = PyUnicode_InternFromString(onward_port_name(port));
      if (!name) throw nb::python_error();
      ports.push_back({nb::steal(name), {onward_port_name(port), onward_port_type(port), onward_port_element_type(port)}, port});
    }
  }

  void fill(Arguments& arguments, nb::handle feed) const {
    if (!PyDict_Check(feed.ptr())) fail(ONWARD_BAD_INPUT, "the input feed must be a dict of name to array, given " + nb::cast<std::string>(nb::str(feed.type())));
    Py_ssize_t used = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      PyObject* given = PyDict_GetItemWithError(feed.ptr(), inputs_[i].name.ptr());
      if (given) ++used, arguments.put(i, given, inputs_[i].wanted);
      else if (PyErr_Occurred()) throw nb::python_error();
      else if (std::strncmp(inputs_[i].wanted.type, "optional(", 9)) refuse_names(feed, i);
    }
    if (used != PyDict_Size(feed.ptr())) refuse_names(feed, inputs_.size());
  }
  // An unknown name says more than a missing one, which is often the same input misspelled.
  [[noreturn]] void refuse_names(nb::handle feed, size_t missing) const {
    for (const auto& [key, value] : nb::borrow<nb::dict>(feed)) {
      size_t index = 0;
      check(onward_session_input_index(session_, nb::cast<std::string>(nb::str(key)).c_str(), &index));
    }
    const Port& port = inputs_[std::min(missing, inputs_.size() - 1)];
    fail(ONWARD_BAD_INPUT, std::string("input '") + port.wanted.name + "' (" + port.wanted.type + ") is missing from the input feed");
  }

  template <class Give> nb::object run_to(nb::handle output_names, nb::handle feed, nb::handle options, Give&& give) const {
    Arguments arguments(inputs_.size());
    fill(arguments, feed);
    const onward_run_options* how = nullptr;
    if (!options.is_none()) how = run_options_of(options);
    const bool all = output_names.is_none() || nb::len(output_names) == 0;
    const nb::object names = all ? nb::object() : nb::steal(PySequence_Fast(output_names.ptr(), "output_names must be a list of names"));
    if (!all && !names.is_valid()) throw nb::python_error();
    const size_t count = all ? outputs_.size() : size_t(PySequence_Fast_GET_SIZE(names.ptr()));
    Few<size_t> places(all ? 0 : count);
    Few<unsigned char> wanted(outputs_.size());
    for (size_t k = 0; k < places.size(); ++k) places[k] = place_of(PySequence_Fast_GET_ITEM(names.ptr(), Py_ssize_t(k))), wanted[places[k]] = 1;
    Results results(outputs_.size());
    onward_status* status = nullptr;
    {
      nb::gil_scoped_release unlocked;
      status = onward_session_run_bound(session_, how, arguments.values.data(), inputs_.size(), all ? nullptr : wanted.data(), results.values.data(), outputs_.size());
    }
    check(status);
    const nb::object out = nb::steal(PyList_New(Py_ssize_t(count)));
    if (!out.is_valid()) throw nb::python_error();
    Few<nb::object> made(outputs_.size());               // a name that is asked for twice is one array
    for (size_t k = 0; k < count; ++k) {
      nb::object& one = made[all ? k : places[k]];
      if (!one.is_valid()) one = give(results.take(all ? k : places[k]));
      PyList_SET_ITEM(out.ptr(), Py_ssize_t(k), nb::object(one).release().ptr());
    }
    return out;
  }

  size_t place_of(nb::handle name) const {
    if (PyObject* place = PyDict_GetItemWithError(places_.ptr(), name.ptr())) return PyLong_AsSize_t(place);
    PyErr_Clear();
    size_t index = 0;
    check(onward_session_output_index(session_, nb::cast<std::string>(nb::str(name)).c_str(), &index));
    return index;
  }

  nb::str text_of(onward_status* (*ask)(const onward_session*, onward_buffer**)) const {
    onward_buffer* made = nullptr;
    check(ask(session_, &made));
    const BufferPtr buffer(made);
    return nb::str(onward_buffer_data(made), onward_buffer_size(made));
  }

  std::vector<nb::object> owners_;                       // of initializers that are read in place
  onward_session* session_ = nullptr;
  std::vector<Port> inputs_, outputs_;
  nb::dict places_;                                      // output name -> position
};

}  // namespace

const onward_session* session_of(nb::handle session) { return nb::cast<const Session&>(session).get(); }

void define_session(nb::module_& module) {
  nb::class_<RunOptions>(module, "RunOptions", nb::dynamic_attr())
      .def(nb::init<>())
      .def_prop_rw("terminate", [](const RunOptions& o) { return o.terminate; }, &RunOptions::set_terminate)
      .def_prop_rw("time_limit", [](const RunOptions& o) { return o.time_limit; }, &RunOptions::set_time_limit);
  nb::class_<Session>(module, "Session", nb::dynamic_attr(), nb::is_weak_referenceable())
      .def(nb::init<nb::handle, int, int, size_t, bool, const std::vector<std::string>&, nb::dict, nb::dict, nb::handle>(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg().none())
      .def("run", &Session::run, nb::arg("output_names").none(), nb::arg("input_feed"), nb::arg("run_options").none() = nb::none())
      .def("run_values", &Session::run_values, nb::arg("output_names").none(), nb::arg("input_feed"), nb::arg("run_options").none() = nb::none())
      .def("ports", &Session::ports)
      .def("model_texts", &Session::model_texts)
      .def("metadata", &Session::metadata)
      .def("opsets", &Session::opsets)
      .def("optimized_model", &Session::optimized_model)
      .def("schema_json", &Session::schema)
      .def("profile_json", &Session::profile);
}

}  // namespace onward_python
