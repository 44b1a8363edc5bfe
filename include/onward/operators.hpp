// C++17 for shared libraries of custom operators: header only, and nothing of onward is linked.
//
//   namespace custom = onward::custom;
//   struct Scale {
//     float factor;
//     explicit Scale(const custom::Node& node) : factor(node.number("factor")) {}
//     void infer(custom::Inference& io) const { io.output(0, io.dims(0)); }            // may be left out: then `run` allocates
//     void run(custom::Call& call) const { ... }                                       // from many threads at once
//   };
//   extern "C" ONWARD_API onward_status* onward_register_operators(const onward_extension_api* api, onward_operators* operators) {
//     return custom::add_operators(api, operators, [](custom::Operators& all) {
//       all.add<Scale>("com.example", "Scale", 1, "x:T(float|double)", "y:T", "factor:FLOAT=1");
//     });
//   }
//
// onward.h says how ports and attributes are written. What a kernel throws becomes the error of the session or run.
#ifndef ONWARD_OPERATORS_HPP
#define ONWARD_OPERATORS_HPP

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "onward/onward.h"

namespace onward::custom {

// An error with a code of onward.h and a hint; any other exception becomes ONWARD_BAD_VALUE.
struct OperatorError : std::runtime_error {
  OperatorError(int code, const std::string& message, std::string hint = "") : std::runtime_error(message), code(code), hint(std::move(hint)) {}
  int code;
  std::string hint;
};

namespace detail {

// What a call of the table failed with, on its way to status_of.
struct Failed { onward_status* status; };
inline void check(onward_status* status) { if (status) throw Failed{status}; }

// The status of what `body` throws.
template <class Body> onward_status* status_of(const onward_extension_api* api, Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const OperatorError& e) {
    return api->status_create(e.code, e.what(), e.hint.c_str());
  } catch (const Failed& failed) {
    return failed.status;
  } catch (const std::exception& e) {
    return api->status_create(ONWARD_BAD_VALUE, e.what(), "");
  } catch (...) {
    return api->status_create(ONWARD_BAD_VALUE, "an unknown exception", "");
  }
}

template <class T> struct ElementOf;
template <> struct ElementOf<float> { static constexpr int number = ONWARD_FLOAT; };
template <> struct ElementOf<double> { static constexpr int number = ONWARD_DOUBLE; };
template <> struct ElementOf<int8_t> { static constexpr int number = ONWARD_INT8; };
template <> struct ElementOf<uint8_t> { static constexpr int number = ONWARD_UINT8; };
template <> struct ElementOf<int16_t> { static constexpr int number = ONWARD_INT16; };
template <> struct ElementOf<uint16_t> { static constexpr int number = ONWARD_UINT16; };
template <> struct ElementOf<int32_t> { static constexpr int number = ONWARD_INT32; };
template <> struct ElementOf<uint32_t> { static constexpr int number = ONWARD_UINT32; };
template <> struct ElementOf<int64_t> { static constexpr int number = ONWARD_INT64; };
template <> struct ElementOf<uint64_t> { static constexpr int number = ONWARD_UINT64; };
template <> struct ElementOf<bool> { static constexpr int number = ONWARD_BOOL; };

template <class K, class = void> struct HasInfer : std::false_type {};
template <class K> struct HasInfer<K, std::void_t<decltype(&K::infer)>> : std::true_type {};

}  // namespace detail

// A tensor of a run. False where an optional one is left out.
class TensorView {
 public:
  TensorView(const onward_extension_api* api, onward_value* value) : api_(api), value_(value) {}
  explicit operator bool() const { return value_ != nullptr; }
  int element_type() const { return api_->value_element_type(value_); }
  size_t size() const { return api_->value_size(value_); }
  std::vector<int64_t> dims() const { return {api_->value_dims(value_), api_->value_dims(value_) + api_->value_rank(value_)}; }
  template <class T> T* data() const {
    if (!value_ || element_type() != detail::ElementOf<std::remove_const_t<T>>::number) throw std::invalid_argument("the tensor is missing or has another element type");
    return static_cast<T*>(api_->value_data(value_));
  }
  std::string string(size_t i) const {
    const char* text = nullptr;
    size_t length = 0;
    detail::check(api_->value_string(value_, i, &text, &length));
    return {text, length};
  }
  void set_string(size_t i, const std::string& text) const { detail::check(api_->value_set_string(value_, i, text.data(), text.size())); }
  onward_value* get() const { return value_; }

 private:
  const onward_extension_api* api_;
  onward_value* value_;
};

// A node of a model, while a session is created.
class Node {
 public:
  Node(const onward_extension_api* api, const onward_node* node) : api_(api), node_(node) {}
  std::string name() const { return api_->node_name(node_); }
  size_t inputs() const { return api_->node_input_count(node_); }
  size_t outputs() const { return api_->node_output_count(node_); }
  // False where the input is not the same in every run.
  TensorView constant(size_t input) const { return {api_, const_cast<onward_value*>(api_->node_constant(node_, input))}; }
  bool has(const char* attribute) const { return api_->node_has(node_, attribute) != 0; }
  int64_t integer(const char* attribute) const { return get<int64_t>(api_->node_int, attribute); }
  float number(const char* attribute) const { return get<float>(api_->node_float, attribute); }
  std::vector<int64_t> integers(const char* attribute) const { return list<int64_t>(api_->node_ints, attribute); }
  std::vector<float> numbers(const char* attribute) const { return list<float>(api_->node_floats, attribute); }
  std::string string(const char* attribute) const {
    const char* text = nullptr;
    size_t length = 0;
    detail::check(api_->node_string(node_, attribute, &text, &length));
    return {text, length};
  }
  std::vector<std::string> strings(const char* attribute) const {
    size_t count = 0, length = 0;
    detail::check(api_->node_strings(node_, attribute, 0, nullptr, nullptr, &count));
    std::vector<std::string> out(count);
    for (size_t i = 0; i < count; ++i) {
      const char* text = nullptr;
      detail::check(api_->node_strings(node_, attribute, i, &text, &length, nullptr));
      out[i].assign(text, length);
    }
    return out;
  }
  // Valid until the constructor ends.
  TensorView tensor(const char* attribute) const {
    const onward_value* value = nullptr;
    detail::check(api_->node_tensor(node_, attribute, &value));
    return {api_, const_cast<onward_value*>(value)};
  }

 private:
  template <class T> T get(onward_status* (*ask)(const onward_node*, const char*, T*), const char* attribute) const {
    T value{};
    detail::check(ask(node_, attribute, &value));
    return value;
  }
  template <class T> std::vector<T> list(onward_status* (*ask)(const onward_node*, const char*, const T**, size_t*), const char* attribute) const {
    const T* values = nullptr;
    size_t count = 0;
    detail::check(ask(node_, attribute, &values, &count));
    return {values, values + count};
  }
  const onward_extension_api* api_;
  const onward_node* node_;
};

// Shapes. A size that is not known yet is a negative number to be handed on and computed with here.
class Inference {
 public:
  Inference(const onward_extension_api* api, onward_inference* io) : api_(api), io_(io) {}
  size_t inputs() const { return api_->inference_input_count(io_); }
  size_t outputs() const { return api_->inference_output_count(io_); }
  int type(size_t input) const { return api_->inference_input_type(io_, input); }       // as onward_element; 0: left out, or no tensor
  int rank(size_t input) const { return api_->inference_input_rank(io_, input); }       // -1: not known
  // Of an input whose rank is known.
  std::vector<int64_t> dims(size_t input) const {
    std::vector<int64_t> out;
    for (int axis = 0; axis < rank(input); ++axis) out.push_back(api_->inference_input_dim(io_, input, size_t(axis)));
    return out;
  }
  TensorView value(size_t input) { return {api_, const_cast<onward_value*>(api_->inference_value(io_, input))}; }   // false: not known
  int64_t unknown() { return api_->inference_unknown(io_); }
  int64_t add(int64_t a, int64_t b) { return api_->inference_size(io_, '+', a, b); }
  int64_t subtract(int64_t a, int64_t b) { return api_->inference_size(io_, '-', a, b); }
  int64_t multiply(int64_t a, int64_t b) { return api_->inference_size(io_, '*', a, b); }
  int64_t divide(int64_t a, int64_t b) { return api_->inference_size(io_, '/', a, b); }
  // element_type 0: as the ports say.
  void output(size_t k, const std::vector<int64_t>& dims, int element_type = 0) {
    detail::check(api_->inference_output(io_, k, element_type, dims.data(), dims.size()));
  }

 private:
  const onward_extension_api* api_;
  onward_inference* io_;
};

// One run of a node.
class Call {
 public:
  Call(const onward_extension_api* api, onward_call* call) : api_(api), call_(call) {}
  size_t inputs() const { return api_->call_input_count(call_); }
  size_t outputs() const { return api_->call_output_count(call_); }
  TensorView input(size_t i) const { return {api_, const_cast<onward_value*>(api_->call_input(call_, i))}; }
  TensorView output(size_t k) const { return {api_, api_->call_output(call_, k)}; }     // false where `infer` said nothing of it
  template <class T> T* allocate(size_t k, const std::vector<int64_t>& dims) { return allocate(k, detail::ElementOf<T>::number, dims).template data<T>(); }
  TensorView allocate(size_t k, int element_type, const std::vector<int64_t>& dims) {
    onward_value* value = nullptr;
    detail::check(api_->call_allocate(call_, k, element_type, dims.data(), dims.size(), &value));
    return {api_, value};
  }
  void check() const { detail::check(api_->call_check(call_)); }                        // throws when the run must end
  // body(begin, end) over parts of [0, n), in parallel where the work is worth it; it may not share what it writes, nor throw.
  template <class Body> void parallel(int64_t n, double nanoseconds_each, Body&& body) const {
    using B = std::remove_reference_t<Body>;
    detail::check(api_->call_parallel(call_, n, nanoseconds_each, [](void* state, int64_t begin, int64_t end) { (*static_cast<B*>(state))(begin, end); }, &body));
  }
  const onward_extension_api* api() const { return api_; }
  onward_call* get() const { return call_; }

 private:
  const onward_extension_api* api_;
  onward_call* call_;
};

class Operators {
 public:
  Operators(const onward_extension_api* api, onward_operators* operators) : api_(api), operators_(operators) {}
  template <class K> void add(const char* domain, const char* name, int since, const char* inputs, const char* outputs, const char* attributes = "") {
    struct Made { const onward_extension_api* api; K kernel; };
    onward_operator_functions functions{};
    functions.size = sizeof functions;
    functions.state = const_cast<onward_extension_api*>(api_);
    functions.prepare = [](void* state, const onward_node* node, void** made) -> onward_status* {
      const auto* api = static_cast<const onward_extension_api*>(state);
      return detail::status_of(api, [&] { *made = new Made{api, K(Node(api, node))}; });
    };
    functions.release_kernel = [](void* made) { delete static_cast<Made*>(made); };
    if constexpr (detail::HasInfer<K>::value)
      functions.infer = [](void* made, onward_inference* io) -> onward_status* {
        const auto* m = static_cast<const Made*>(made);
        return detail::status_of(m->api, [&] { Inference view(m->api, io); m->kernel.infer(view); });
      };
    functions.run = [](void* made, onward_call* call) -> onward_status* {
      const auto* m = static_cast<const Made*>(made);
      return detail::status_of(m->api, [&] { Call view(m->api, call); m->kernel.run(view); });
    };
    detail::check(api_->operators_add(operators_, domain, name, since, inputs, outputs, attributes, &functions));
  }

 private:
  const onward_extension_api* api_;
  onward_operators* operators_;
};

// What onward_register_operators does: register(Operators&).
template <class Register> onward_status* add_operators(const onward_extension_api* api, onward_operators* operators, Register&& all_of_them) noexcept {
  return detail::status_of(api, [&] {
    Operators all(api, operators);
    all_of_them(all);
  });
}

}  // namespace onward::custom

#endif
