// C++17 over onward.h: things that release themselves, and errors as exceptions. Everything is inline; only the C symbols are linked.
#ifndef ONWARD_ONWARD_HPP
#define ONWARD_ONWARD_HPP

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "onward/onward.h"

namespace onward {

class Error : public std::runtime_error {
 public:
  explicit Error(const onward_status* status)
      : std::runtime_error(onward_status_message(status)), code(onward_status_code(status)), hint(onward_status_hint(status)) {}
  int code;                                              // as onward_code
  std::string hint;
};

// Throws what a status says.
inline void check(onward_status* status) {
  if (!status) return;
  const std::unique_ptr<onward_status, void (*)(onward_status*)> owner(status, onward_status_release);
  throw Error(status);
}

template <class T, void (*release)(T*)> struct Release { void operator()(T* p) const { release(p); } };
template <class T, void (*release)(T*)> using Handle = std::unique_ptr<T, Release<T, release>>;

// The number of a C++ type as onward_element.
template <class T> struct Element;
template <> struct Element<float> { static constexpr int number = ONWARD_FLOAT; };
template <> struct Element<double> { static constexpr int number = ONWARD_DOUBLE; };
template <> struct Element<int8_t> { static constexpr int number = ONWARD_INT8; };
template <> struct Element<uint8_t> { static constexpr int number = ONWARD_UINT8; };
template <> struct Element<int16_t> { static constexpr int number = ONWARD_INT16; };
template <> struct Element<uint16_t> { static constexpr int number = ONWARD_UINT16; };
template <> struct Element<int32_t> { static constexpr int number = ONWARD_INT32; };
template <> struct Element<uint32_t> { static constexpr int number = ONWARD_UINT32; };
template <> struct Element<int64_t> { static constexpr int number = ONWARD_INT64; };
template <> struct Element<uint64_t> { static constexpr int number = ONWARD_UINT64; };
template <> struct Element<bool> { static constexpr int number = ONWARD_BOOL; };

// Copies are the same value.
class Value {
 public:
  Value() = default;
  explicit Value(onward_value* handle) : handle_(handle, onward_value_release) {}
  template <class T> static Value tensor(const std::vector<int64_t>& dims, const std::vector<T>& values) {
    onward_value* made = nullptr;
    check(onward_value_create_tensor(Element<T>::number, dims.data(), dims.size(), values.data(), values.size() * sizeof(T), &made));
    return Value(made);
  }
  // The caller's memory, which must outlive the value.
  template <class T> static Value borrowed(const std::vector<int64_t>& dims, const T* data, size_t size) {
    onward_value* made = nullptr;
    check(onward_value_borrow_tensor(Element<T>::number, dims.data(), dims.size(), data, size * sizeof(T), nullptr, nullptr, &made));
    return Value(made);
  }
  static Value strings(const std::vector<int64_t>& dims, const std::vector<std::string>& texts) {
    int64_t expected = 1;
    for (int64_t size : dims) expected *= size;
    if (expected != int64_t(texts.size())) throw std::invalid_argument("the dims need another number of texts");
    std::vector<const char*> pointers;
    std::vector<size_t> lengths;
    for (const std::string& text : texts) pointers.push_back(text.data()), lengths.push_back(text.size());
    onward_value* made = nullptr;
    check(onward_value_create_strings(dims.data(), dims.size(), pointers.data(), lengths.data(), &made));
    return Value(made);
  }

  int element_type() const { return onward_value_element_type(get()); }
  std::vector<int64_t> dims() const { return {onward_value_dims(get()), onward_value_dims(get()) + onward_value_rank(get())}; }
  size_t size() const { return onward_value_size(get()); }
  template <class T> T* data() const {
    if (element_type() != Element<T>::number) throw std::invalid_argument("the tensor has another element type");
    return static_cast<T*>(onward_value_data(get()));
  }
  std::string string(size_t index) const {
    const char* text = nullptr;
    size_t length = 0;
    check(onward_value_string(get(), index, &text, &length));
    return {text, length};
  }
  onward_value* get() const { return handle_.get(); }

 private:
  std::shared_ptr<onward_value> handle_;
};

struct SessionOptions {
  int threads = 0;                                       // 0: all
  onward_optimization optimization = ONWARD_OPTIMIZE_ALL;
  size_t memory_limit = 0;                               // bytes; 0: the machine's
  bool profiling = false;
};

// What a session takes or gives.
struct Port {
  std::string name, type;                                // "X", "tensor(double)"
  int element_type;                                      // as onward_element; 0 for what is no tensor
  int rank;                                              // -1: not known
  std::vector<int64_t> dims;                             // -1: dynamic
  std::vector<std::string> dim_names;
};

class Session {
 public:
  explicit Session(const std::string& path, const SessionOptions& options = {}) {
    onward_session* made = nullptr;
    check(onward_session_create(path.c_str(), handle_of(options).get(), &made));
    handle_.reset(made);
  }
  Session(const void* bytes, size_t size, const SessionOptions& options = {}) {
    onward_session* made = nullptr;
    check(onward_session_create_from_bytes(bytes, size, handle_of(options).get(), &made));
    handle_.reset(made);
  }

  std::vector<Port> inputs() const { return ports(onward_session_input_count, onward_session_input); }
  std::vector<Port> outputs() const { return ports(onward_session_output_count, onward_session_output); }

  // Every input and every output, in the model's order. From any number of threads.
  std::vector<Value> run(const std::vector<Value>& inputs, const onward_run_options* options = nullptr) const {
    std::vector<const onward_value*> in;
    for (const Value& value : inputs) in.push_back(value.get());
    size_t count = 0;
    check(onward_session_output_count(get(), &count));
    std::vector<onward_value*> out(count);
    check(onward_session_run_bound(get(), options, in.data(), in.size(), nullptr, out.data(), out.size()));
    std::vector<Value> values;
    for (onward_value* value : out) values.emplace_back(value);
    return values;
  }
  onward_session* get() const { return handle_.get(); }

 private:
  using Options = Handle<onward_session_options, onward_session_options_release>;
  static Options handle_of(const SessionOptions& from) {
    onward_session_options* made = nullptr;
    check(onward_session_options_create(&made));
    Options options(made);
    check(onward_session_options_set_threads(made, from.threads));
    check(onward_session_options_set_optimization(made, from.optimization));
    check(onward_session_options_set_memory_limit(made, from.memory_limit));
    check(onward_session_options_set_profiling(made, from.profiling));
    return options;
  }
  template <class Count, class Get> std::vector<Port> ports(Count count_of, Get port_of) const {
    size_t count = 0;
    check(count_of(get(), &count));
    std::vector<Port> out;
    for (size_t i = 0; i < count; ++i) {
      const onward_port* port = nullptr;
      check(port_of(get(), i, &port));
      Port& made = out.emplace_back(Port{onward_port_name(port), onward_port_type(port), onward_port_element_type(port), onward_port_rank(port), {}, {}});
      for (int axis = 0; axis < made.rank; ++axis) made.dims.push_back(onward_port_dim(port, axis)), made.dim_names.emplace_back(onward_port_dim_name(port, axis));
    }
    return out;
  }
  Handle<onward_session, onward_session_release> handle_;
};

// The ONNX model of a fitted model's file.
inline std::string convert(const std::string& path, const onward_convert_options* options = nullptr) {
  onward_buffer* made = nullptr;
  check(onward_convert(path.c_str(), options, &made, nullptr));
  const Handle<onward_buffer, onward_buffer_release> buffer(made);
  return {onward_buffer_data(made), onward_buffer_size(made)};
}

}  // namespace onward

#endif
