#include "onward/estimators/categories.h"

#include <charconv>
#include <cmath>

namespace onward {
namespace {

Array<int64_t> numbered(int64_t n) {
  return Array<int64_t>::of({n}, [](int64_t k) { return k; });
}

// Missing text has its own words. Where one of them is an ordinary category, the conversion starts again with others.
Tensor text_keys(const CategoryList& c, const MissingWords& missing, int64_t count) {
  const auto words = c.values.values<std::string>();
  return Array<std::string>::of({count}, [&](int64_t k) {
    if (k == c.size()) return c.nan ? missing.none : missing.nan;
    if (c.nan == k) return missing.nan;
    if (c.none == k) return missing.none;
    if (words[size_t(k)] == missing.nan || words[size_t(k)] == missing.none) throw MissingWordsClash();
    return words[size_t(k)];
  });
}

template <class To>
Tensor numeric_keys(const Tensor& values) {
  Tensor keys;
  for_type<i64 | f64 | b8>(values.type(), [&]<class T>() {
    keys = Array<To>::of(values.dims(), [&](int64_t k) { return static_cast<To>(values.data<T>()[k]); });
  });
  return keys;
}

bool beyond_double(const Tensor& values) {
  if (values.type() != DataType::i64) return false;
  return std::any_of(values.data<int64_t>(), values.data<int64_t>() + values.size(),
                     [](int64_t v) { return v > int64_t{1} << 53 || v < -(int64_t{1} << 53); });
}

// As str() of a NumPy number: an exponent below 0.0001 and from `large` on. For float32 NumPy 2.4 moved that from 1e16 to 1e6.
template <class T>
std::string python_text(T x, double large) {
  const double size = std::abs(double(x));
  const bool fixed = size == 0 || (size >= 1e-4 && size < large);
  char digits[40];
  std::string s(digits, std::to_chars(digits, digits + sizeof digits, x, fixed ? std::chars_format::fixed : std::chars_format::scientific).ptr);
  if (fixed && s.find('.') == s.npos) s += ".0";
  return s;
}

}  // namespace

Expr category_of(const Frame& x, int64_t i, const CategoryList& c) {
  const int64_t n = c.size();
  const DataType kind = c.values.type();
  if (kind == DataType::str) {
    ColumnFacts* facts = x.origin(i);
    if (facts && (c.nan || c.none)) facts->tells_missing_apart = true;
    // Where the library raises for the other kind of nothing, it counts as the one that is known.
    const bool either = facts && facts->unknown == Unknown::refuse && c.nan.has_value() != c.none.has_value();
    const Array<int64_t> places = Array<int64_t>::of({n + either}, [&](int64_t k) { return k < n ? k : c.nan ? *c.nan : *c.none; });
    return reshaped(lookup(x.string(i), text_keys(c, x.graph().missing_words, n + either), places, n), {rows});
  }
  if (c.nan && c.none) fail(Code::unsupported_estimator, "'", x.name(i), "' has both NaN and None as categories among numbers, which numbers cannot tell apart");
  // Bools have no room for a gap, which is an unknown item to an encoder that takes those.
  const ColumnFacts* facts = x.origin(i, Frame::Keeps::missing);
  const bool bools = kind == DataType::b8 && !(facts && facts->missing != Missing::refuse);
  // Numbers are compared as doubles unless the column is known to hold integers, or only integers can tell the categories apart.
  const bool large = beyond_double(c.values);
  Expr item = x.as(i, large ? DataType::i64 : bools ? DataType::b8 : DataType::f64);
  if (item.type() == DataType::str) fail(Code::unsupported_estimator, "'", x.name(i), "' holds strings; the categories are numbers");
  const bool whole = item.type() == DataType::i64 || item.type() == DataType::b8 || item.type() == DataType::i32;
  if (whole && kind != DataType::f64)
    return reshaped(lookup(cast(item, DataType::i64), numeric_keys<int64_t>(c.values), numbered(n), n), {rows});
  if (large)
    fail(Code::unsupported_estimator, "'", x.name(i), "' holds ", name_of(item.type()),
         "; its categories are integers beyond 2^53: give a schema that says int64");
  return reshaped(lookup(x.number(i), numeric_keys<double>(c.values), numbered(n), n), {rows});
}

void tell_unknown(const Frame& x, int64_t i, const CategoryList& c, Unknown unknown) {
  ColumnFacts* facts = x.origin(i, Frame::Keeps::missing);
  if (!facts || facts->categories) return;
  const std::optional<int64_t> missing = c.nan ? c.nan : c.none;
  if (facts->missing == Missing::nan && missing) facts->missing = Missing::category;
  if (unknown == Unknown::refuse && !missing) facts->refuse_missing();
  if (!x.origin(i)) return;  // categories of what was computed
  facts->unknown = unknown;
  // The known categories without the missing ones, which are a policy.
  std::vector<int64_t> kept;
  for (int64_t k = 0; k < c.size(); ++k)
    if (c.nan != k && c.none != k) kept.push_back(k);
  for_type<i64 | f64 | b8 | str>(c.values.type(), [&]<class T>() {
    facts->categories = Array<T>::of({int64_t(kept.size())}, [&](int64_t k) { return c.values.data<T>()[kept[size_t(k)]]; });
  });
}

std::string category_name(const CategoryList& c, int64_t k) {
  if (c.none == k) return "None";
  if (c.nan == k) return "nan";
  switch (c.values.type()) {
    case DataType::str:
      return c.values.data<std::string>()[k];
    case DataType::b8:
      return c.values.data<bool>()[k] ? "True" : "False";
    case DataType::i64:
      return text(c.values.data<int64_t>()[k]);
    case DataType::f64: {
      const double x = c.values.data<double>()[k];
      return c.narrow ? python_text(float(x), 1e6) : python_text(x, 1e16);
    }
    default:
      return "?";
  }
}

}  // namespace onward
