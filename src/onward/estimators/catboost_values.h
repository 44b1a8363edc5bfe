// What a value of a CatBoost file is expected to be, or an Error that names it.
#pragma once
#include "onward/estimators/numpy_arrays.h"

namespace onward::catboost {

inline double number(const plain::Value& v, std::string_view name) {
  if (v.is(plain::Kind::real)) return v.real;
  if (v.is(plain::Kind::integer)) return double(v.integer);
  fail(Code::bad_file, name, " is ", plain::name(v.kind), "; expected a number");
}
inline int64_t integer(const plain::Value& v, std::string_view name) {
  if (v.is(plain::Kind::integer)) return v.integer;
  fail(Code::bad_file, name, " is ", plain::name(v.kind), "; expected an int");
}
inline double number(const plain::Value& in, std::string_view name, double otherwise) {
  const auto v = in.find(name);
  return v ? number(*v, name) : otherwise;
}
inline int64_t integer(const plain::Value& in, std::string_view name, int64_t otherwise) {
  const auto v = in.find(name);
  return v ? integer(*v, name) : otherwise;
}
inline std::string word(const plain::Value& in, std::string_view name) {
  const auto v = in.find(name);
  return v && v->is(plain::Kind::text) ? checked_text(v->str()) : std::string();
}
inline std::span<const plain::Value> list(const plain::Value& in, std::string_view name) {
  const auto v = in.find(name);
  return v && v->is(plain::Kind::list) ? v->items() : std::span<const plain::Value>();
}
template <class T>
std::vector<T> numbers(const plain::Value& in, std::string_view name) {
  std::vector<T> out;
  for (const plain::Value& v : list(in, name)) {
    if constexpr (std::is_integral_v<T>) out.push_back(T(integer(v, name)));
    else out.push_back(T(number(v, name)));
  }
  return out;
}

[[noreturn]] inline void refuse_features(std::string_view kind) {
  throw Error(
      Code::unsupported_estimator,
      text("CatBoost's ", kind, " features have no converter: their numbers come from dictionaries and calculators inside the model"),
      "train on numeric and categorical features, or on columns computed before");
}

}  // namespace onward::catboost
