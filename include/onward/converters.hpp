// Converters of the caller's own classes in C++17, over onward/graph.h: how objects of a class become a part of the graph. Everything is
// inline; only the C symbols are linked. What a converter is given lives as long as its call.
#ifndef ONWARD_CONVERTERS_HPP
#define ONWARD_CONVERTERS_HPP

#include <functional>
#include <map>

#include "onward/graph.h"
#include "onward/onward.hpp"

namespace onward {

// A value of the graph, such as a matrix (rows, columns).
using Expr = onward_expr;

// What the file says of an object, or of a part of it: plain values, nothing of it is executed.
class Fitted {
 public:
  explicit Fitted(const onward_fitted* handle) : handle_(handle) {}
  onward_fitted_kinds kind() const { return onward_fitted_kinds(onward_fitted_kind(handle_)); }
  std::string class_name() const { return onward_fitted_class_name(handle_); }
  bool has(const std::string& name) const { return found(name) != nullptr; }
  // An attribute of an object, or an entry of a dict. Throws std::out_of_range where there is none.
  Fitted operator[](const std::string& name) const {
    if (const onward_fitted* part = found(name)) return Fitted(part);
    throw std::out_of_range("the file says no '" + name + "' of " + class_name());
  }
  size_t size() const { return onward_fitted_size(handle_); }             // of a list or dict
  Fitted item(size_t index) const {
    const onward_fitted* made = nullptr;
    check(onward_fitted_item(handle_, index, nullptr, &made));
    return Fitted(made);
  }
  double number() const { return read<double>(onward_fitted_number); }
  int64_t integer() const { return read<int64_t>(onward_fitted_integer); }
  std::string text() const {
    const char* characters = nullptr;
    size_t length = 0;
    check(onward_fitted_text(handle_, &characters, &length));
    return {characters, length};
  }
  const onward_value* array() const { return read<const onward_value*>(onward_fitted_array); }   // float64, int64, bool or text
  const onward_fitted* get() const { return handle_; }

 private:
  template <class T> T read(onward_status* (*ask)(const onward_fitted*, T*)) const {
    T made{};
    check(ask(handle_, &made));
    return made;
  }
  const onward_fitted* found(const std::string& name) const {
    const onward_fitted* part = nullptr;
    check(onward_fitted_find(handle_, name.c_str(), &part));
    return part;
  }
  const onward_fitted* handle_;
};

// One call of a converter: what goes in, the graph that it writes, and what comes out.
class Conversion {
 public:
  explicit Conversion(onward_conversion* handle) : handle_(handle) {}
  size_t columns() const { return onward_conversion_column_count(handle_); }
  std::string name(size_t column) const { return onward_conversion_column_name(handle_, column); }
  Expr matrix() const {                                   // all columns as double (rows, columns)
    Expr made = -1;
    check(onward_conversion_matrix(handle_, &made));
    return made;
  }
  // (rows, 1): ONWARD_DOUBLE, ONWARD_STRING, or 0 for what it holds.
  Expr column(size_t column, int element_type = ONWARD_DOUBLE) const {
    Expr made = -1;
    check(onward_conversion_column(handle_, column, element_type, &made));
    return made;
  }
  Expr constant(const onward_value* tensor) const {
    Expr made = -1;
    check(onward_graph_constant(graph(), tensor, &made));
    return made;
  }
  // "minimum(x, most)" over values by name (docs/expressions.md).
  Expr formula(const std::string& text, const std::map<std::string, Expr>& values) const {
    std::vector<const char*> names;
    std::vector<Expr> given;
    for (const auto& [name, value] : values) names.push_back(name.c_str()), given.push_back(value);
    Expr made = -1;
    check(onward_graph_formula(graph(), text.c_str(), names.data(), given.data(), given.size(), &made));
    return made;
  }
  // What an estimator inside computes, of any class that has a converter: under the names of outputs, transformed, label, probabilities,
  // variable, scores …
  std::map<std::string, Expr> convert(const Fitted& part, Expr x) const {
    onward_parts* made = nullptr;
    check(onward_conversion_convert(handle_, part.get(), &x, nullptr, 1, &made));
    const Handle<onward_parts, onward_parts_release> parts(made);
    std::map<std::string, Expr> outputs;
    for (const char* name : {"transformed", "label", "variable", "probabilities", "log_probabilities", "scores", "leaf", "score_samples", "distances", "neighbors"})
      if (const Expr value = onward_parts_value(made, name); value >= 0) outputs[name] = value;
    return outputs;
  }
  void give(const std::string& output, Expr value) { check(onward_conversion_give(handle_, output.c_str(), value)); }
  void give_column(const std::string& name, Expr value) { check(onward_conversion_give_column(handle_, name.c_str(), value)); }
  void give_classes(const onward_value* classes) { check(onward_conversion_give_classes(handle_, classes)); }
  onward_graph* graph() const { return onward_conversion_graph(handle_); }
  onward_conversion* get() const { return handle_; }

 private:
  onward_conversion* handle_;
};

// By class, as pickle writes it: "package.module.Class". They come before built-in converters of that class.
class Converters {
 public:
  using Function = std::function<void(Conversion&, const Fitted&)>;
  Converters() {
    onward_converters* made = nullptr;
    check(onward_converters_create(&made));
    handle_.reset(made);
  }
  // What the function throws becomes the error of the conversion.
  Converters& add(const std::string& class_name, Function function) {
    onward_converter_functions functions{};
    functions.size = sizeof functions;
    functions.state = new Function(std::move(function));
    functions.release = [](void* state) { delete static_cast<Function*>(state); };
    functions.convert = called;
    check(onward_converters_add(handle_.get(), class_name.c_str(), &functions));
    return *this;
  }
  const onward_converters* get() const { return handle_.get(); }

 private:
  static onward_status* called(void* state, onward_conversion* conversion, const onward_fitted* fitted) {
    try {
      Conversion graph(conversion);
      (*static_cast<Function*>(state))(graph, Fitted(fitted));
      return nullptr;
    } catch (const Error& e) {
      return onward_status_create(e.code, e.what(), e.hint.c_str());
    } catch (const std::exception& e) {
      return onward_status_create(ONWARD_UNSUPPORTED_ESTIMATOR, e.what(), "");
    }
  }
  Handle<onward_converters, onward_converters_release> handle_;
};

// The ONNX model of a fitted model's file that holds objects of those classes.
inline std::string convert(const std::string& path, const Converters& converters) {
  onward_convert_options* made = nullptr;
  check(onward_convert_options_create(&made));
  const Handle<onward_convert_options, onward_convert_options_release> options(made);
  check(onward_convert_options_add_converters(made, converters.get()));
  return convert(path, made);
}

}  // namespace onward

#endif
