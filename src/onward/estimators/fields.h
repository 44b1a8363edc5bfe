// Reads an estimator's learned fields out of plain values. Every `f("name", member)` says what is expected by the member's type
// (std::optional: may be None or absent) and, for arrays, by named dimensions that must agree. Problems are collected, not thrown, so
// one pass over a pipeline reports all that stands in the way of converting it.
#pragma once
#include <optional>

#include "onward/estimators/converters.h"
#include "onward/estimators/numpy_arrays.h"
#include "onward/estimators/reading.h"

namespace onward {

using DimNames = std::vector<std::string_view>;  // {"classes", "features"}; "features" is n_features_in_; a number means itself

// The categories of one column, in the library's order. Missing ones have a place among them but no text.
struct CategoryList {
  Tensor values;                     // string, int64, double or bool
  std::optional<int64_t> nan, none;  // which of them is NaN, which is None
  bool narrow = false;               // stored as float32: 0.1 reads so, not 0.10000000149
  int64_t size() const { return values ? values.size() : 0; }
};

class Fields {
 public:
  Fields(Reading& reading, plain::Value object, Place place);

  template <class T>
  void operator()(std::string_view name, T& into, const DimNames& dims = {}) {
    if (const auto v = get(name)) assign(name, *v, into, dims);
    else missing(name);
  }
  template <class T>
  void operator()(std::string_view name, std::optional<T>& into, const DimNames& dims = {}) {
    const auto v = get(name);
    if (v && !v->is(plain::Kind::none)) assign(name, *v, into.emplace(), dims);
  }
  // A parameter that older releases do not have.
  template <class T>
  void since(std::string_view name, T& into) {
    if (const auto v = get(name)) assign(name, *v, into, {});
  }
  // A parameter of which only some values are convertible. Absent (an older library): the first.
  template <class T>
  void choice(std::string_view name, T& into, std::initializer_list<std::pair<std::string_view, T>> allowed) {
    const auto v = get(name);
    std::string offered;
    for (const auto& [text, value] : allowed) {
      if (!v || said(*v) == text) return void(into = value);
      offered += (offered.empty() ? "" : ", ") + std::string(text);
    }
    refuse(name, text("is ", said(*v)), text("convertible: ", offered));
  }
  void refuse(std::string_view name, const std::string& found, const std::string& hint);  // a model that cannot become ONNX
  void bad(std::string_view name, const std::string& message);                            // a file that no library writes

  // It becomes an operator of com.onward: a problem where those are not allowed. `need`: "hashing words".
  void needs_own(std::string_view op, std::string_view need);

  std::optional<plain::Value> get(std::string_view name) const;  // under its newest name, whatever the file's version calls it
  bool given(std::string_view name) const;                       // there, and not None
  bool float32(std::string_view name) const;                     // an array of such numbers, or that type itself
  std::string said(const plain::Value&) const;                   // as a user would write it: mean, None, 0.5, my_function
  const Facts& facts() const { return facts_; }
  Fitted fitted() const { return {object_, reading_.document, facts_}; }  // all of it, for who knows the class
  void same_input_as(const Facts& step);           // a pipeline takes what its first step takes
  void one_column() { facts_.n_features_in = 1; }  // an estimator of one column that does not say so
  void documents() { facts_.n_features_in = 1, facts_.documents = true; }  // one of texts
  int version() const { return version_; }         // of scikit-learn: 1.4.2 is 104
  void version_of_parts();                         // a class of another library says none: the parts that fitting left do
  Estimator estimator(const plain::Value&, std::string_view part);
  bool ok() const { return reading_.problems.size() == problems_before_; }
  Reading& reading() { return reading_; }
  int64_t dim(std::string_view name) const;  // -1 where no field has said it

  // One overload for each type a field may have; each checks what it is given.
  void assign(std::string_view, const plain::Value&, double&, const DimNames&);
  void assign(std::string_view, const plain::Value&, int64_t&, const DimNames&);
  void assign(std::string_view, const plain::Value&, bool&, const DimNames&);
  void assign(std::string_view, const plain::Value&, std::string&, const DimNames&);
  void assign(std::string_view, const plain::Value&, Numbers&, const DimNames&);
  void assign(std::string_view, const plain::Value&, Array<int64_t>&, const DimNames&);
  void assign(std::string_view, const plain::Value&, Tensor&, const DimNames&);  // labels of any type
  void assign(std::string_view, const plain::Value&, CategoryList&, const DimNames&);
  void assign(std::string_view, const plain::Value&, Estimator&, const DimNames&);
  void assign(std::string_view, const plain::Value&, plain::Value&, const DimNames&);
  template <class T>
  void assign(std::string_view name, const plain::Value& v, std::optional<T>& into, const DimNames& dims) {
    if (!v.is(plain::Kind::none)) assign(name, v, into.emplace(), dims);
  }
  template <class T>
  void assign(std::string_view name, const plain::Value& v, std::vector<T>& into, const DimNames& dims) {
    const std::span<const plain::Value> items = items_of(name, v);  // the first dimension is the list's length
    if (!dims.empty()) check(name, Dims{int64_t(items.size())}, {dims[0]});
    const DimNames rest = dims.empty() ? dims : DimNames(dims.begin() + 1, dims.end());
    for (size_t i = 0; i < items.size(); ++i) assign(text(name, "[", i, "]"), items[i], into.emplace_back(), rest);
  }
  // An item of a parameter such as `steps`: [("scale", StandardScaler()), ...].
  struct Named {
    std::string name;
    plain::Value value;
    std::optional<plain::Value> rest;
  };
  std::vector<Named> named(std::string_view name);
  std::span<const plain::Value> items_of(std::string_view name, const plain::Value&);
  void check(std::string_view name, const Dims& shape, const DimNames& dims);

 private:
  void missing(std::string_view name);
  void set_version(std::string_view shown);
  void read_listed_names(const plain::Value& names);
  template <class T>
  void assign_array(std::string_view name, const plain::Value& v, Array<T>& into, const DimNames& dims);

  Reading& reading_;
  plain::Value object_;
  Place place_;
  size_t problems_before_;
  Facts facts_;
  int version_ = 0;
  std::map<std::string, std::pair<int64_t, std::string>, std::less<>> dims_;  // name -> size and the field that set it
};

// A class of another library that answers as the one of scikit-learn that it extends.
template <class M>
Definition extends(std::string_view class_name) {
  return {class_name, {.cases = {}}, [](Fields& fields) {
            fields.version_of_parts();
            M model;
            model.learned(fields);
            return Estimator(std::move(model), facts_of(fields));
          }};
}

}  // namespace onward
