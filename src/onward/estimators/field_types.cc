// What each C++ type of a field accepts from a file.
#include "onward/base/file.h"
#include "onward/base/unicode.h"
#include "onward/estimators/fields.h"
#include "onward/estimators/sparse_arrays.h"

namespace onward {

using plain::Kind;

namespace {

std::string expected(const char* what, const plain::Value& v) { return text("is ", plain::name(v.kind), "; expected ", what); }

constexpr int64_t exact_in_double = int64_t{1} << 53;
double as_double(const plain::Value& v) {
  if (v.is(Kind::real)) return v.real;
  if (v.is(Kind::boolean)) return v.boolean;
  if (!v.is(Kind::integer)) return __builtin_nan("");
  if (v.integer > exact_in_double || v.integer < -exact_in_double)
    fail(Code::unsupported_estimator, "mixes the integer ", v.integer, " with other numbers, and no double holds it");
  return double(v.integer);
}
bool is_missing(const plain::Value& v) { return v.is(Kind::none) || (v.is(Kind::real) && v.real != v.real); }

// Python objects of one kind keep it: ints stay int64, bools bool. A missing one has no say.
Tensor of_objects(const plain::NdArray& a) {
  size_t ints = 0, bools = 0, reals = 0, words = 0, missing = 0;
  for (const plain::Value& v : a.objects)
    (is_missing(v) ? missing : v.is(Kind::integer) ? ints : v.is(Kind::boolean) ? bools : v.is(Kind::real) ? reals : words) += 1;
  const size_t n = a.objects.size();
  if (int64_t(n) != a.size()) fail(Code::bad_file, "is an array without content");
  const Dims shape(a.shape);
  const auto item = [&](int64_t i) -> const plain::Value& { return a.objects[size_t(i)]; };
  if (n && ints == n) return Array<int64_t>::of(shape, [&](int64_t i) { return item(i).integer; });
  if (n && bools == n) return Array<bool>::of(shape, [&](int64_t i) { return item(i).boolean; });
  if (!words && ints + bools + reals) return Numbers::of(shape, [&](int64_t i) { return as_double(item(i)); });
  return Array<std::string>::of(shape, [&](int64_t i) {
    if (is_missing(item(i))) return std::string();
    if (!item(i).is(Kind::text)) fail(Code::unsupported_estimator, "mixes strings and ", plain::name(item(i).kind));
    return checked_text(item(i).str());
  });
}

Tensor labels(const plain::NdArray& a, const std::shared_ptr<const void>& owner) {
  switch (a.type->kind) {
    case 'f':
      return as_array<double>(a, owner);
    case 'i':
    case 'u':
      return as_array<int64_t>(a, owner);
    case 'b':
      return as_array<bool>(a, owner);
    case 'U':
    case 'S':
      return as_array<std::string>(a, owner);
    case 'O':
      return of_objects(a);
    case 0:
      fail(Code::bad_file, "is an array without content");
    case 'M':
    case 'm':
      fail(Code::unsupported_estimator, "holds dates or times (numpy's datetime64, timedelta64); convertible: numbers, strings and bools, such as days since a date, or its text");
    default:
      fail(Code::unsupported_estimator, "holds items of numpy kind '", a.type->kind, "'; convertible: numbers, strings and bools");
  }
}

}  // namespace

void Fields::assign(std::string_view name, const plain::Value& v, double& into, const DimNames&) {
  if (v.is(Kind::real)) into = v.real;
  else if (v.is(Kind::integer)) into = double(v.integer);
  else if (v.is(Kind::array) && v.array->size() == 1) {
    Numbers one;
    assign(name, v, one, {});
    if (one.size()) into = one[0];
  } else bad(name, expected("a number", v));
}
void Fields::assign(std::string_view name, const plain::Value& v, int64_t& into, const DimNames&) {
  if (v.is(Kind::integer)) into = v.integer;
  else bad(name, expected("an int", v));
}
void Fields::assign(std::string_view name, const plain::Value& v, bool& into, const DimNames&) {
  if (v.is(Kind::boolean)) into = v.boolean;
  else if (v.is(Kind::integer)) into = v.integer != 0;
  else bad(name, expected("a bool", v));
}
void Fields::assign(std::string_view name, const plain::Value& v, std::string& into, const DimNames&) {
  if (v.is(Kind::text) && is_utf8(v.str())) into = v.str();
  else bad(name, expected("a string", v));
}
void Fields::assign(std::string_view, const plain::Value& v, plain::Value& into, const DimNames&) { into = v; }
void Fields::assign(std::string_view name, const plain::Value& v, Estimator& into, const DimNames&) { into = estimator(v, name); }

template <class T>
void Fields::assign_array(std::string_view name, const plain::Value& v, Array<T>& into, const DimNames& dims) {
  try {
    if (v.is(Kind::array)) {
      Tensor& known = reading_.arrays[{v.array, type_of<T>}];  // a file may share an array in many places
      if (!known) {
        known = as_array<T>(*v.array, reading_.owner);
        if (known.raw() != v.array->bytes.data()) let_go(reading_.document->file, v.array->bytes);   // a gigabyte is there once
      }
      into = Array<T>(known);
    } else if (std::is_same_v<T, double> && is_sparse(v)) {
      Tensor& known = reading_.sparse[v.object];
      if (!known) known = dense(v, reading_.dense_left), reading_.dense_left -= known.size();
      into = Array<T>(known);
    } else if (v.is(Kind::real) && std::is_same_v<T, double>) into = Array<T>::scalar(T(v.real));
    else if (v.is(Kind::integer)) into = Array<T>::scalar(T(v.integer));
    else return bad(name, expected("an array", v));
  } catch (Error& e) {
    if (e.code == Code::limit_memory) throw;
    return reading_.report(e.code, place_, text(name, " ", e.message));
  }
  check(name, into.shape(), dims);
}
void Fields::assign(std::string_view name, const plain::Value& v, Numbers& into, const DimNames& dims) {
  assign_array(name, v, into, dims);
}
void Fields::assign(std::string_view name, const plain::Value& v, Array<int64_t>& into, const DimNames& dims) {
  assign_array(name, v, into, dims);
}

void Fields::assign(std::string_view name, const plain::Value& v, Tensor& into, const DimNames& dims) {
  if (!v.is(Kind::array)) return bad(name, expected("an array of classes or categories", v));
  try {
    into = labels(*v.array, reading_.owner);
  } catch (Error& e) {
    if (e.code == Code::limit_memory) throw;
    return reading_.report(e.code, place_, text(name, " ", e.message));
  }
  check(name, into.dims(), dims);
}

void Fields::assign(std::string_view name, const plain::Value& v, CategoryList& into, const DimNames& dims) {
  assign(name, v, into.values, dims);
  if (!into.values) return;
  if (into.values.rank() != 1) return bad(name, text("has shape ", onward::shown(into.values.dims()), "; expected one dimension"));
  if (v.array->type->kind == 'O') {
    for (int64_t i = 0; i < into.size(); ++i) {
      const plain::Value& item = v.array->objects[size_t(i)];
      if (item.is(Kind::none)) into.none = i;
      else if (is_missing(item)) into.nan = i;
    }
  } else if (into.values.type() == DataType::f64) {
    into.narrow = v.array->type->size == sizeof(float);
    for (int64_t i = 0; i < into.size(); ++i)
      if (const double x = into.values.data<double>()[i]; x != x) into.nan = i;
  }
}

}  // namespace onward
