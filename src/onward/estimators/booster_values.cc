#include "onward/estimators/booster_values.h"

#include <charconv>

#include "onward/estimators/numpy_arrays.h"
#include "onward/estimators/reading.h"

namespace onward {

using plain::Kind;

template <class T>
std::vector<T> numbers_of(std::string_view text) {
  std::vector<T> out;
  const char *at = text.data(), *const end = at + text.size();
  while (true) {
    while (at != end && *at == ' ') ++at;
    if (at == end) return out;
    T number{};
    const auto [after, error] = std::from_chars(at, end, number);
    if (error == std::errc::result_out_of_range && std::is_floating_point_v<T>)
      number = T(std::strtod(std::string(at, after).c_str(), nullptr));
    else if (error != std::errc()) fail(Code::bad_file, "'", clipped({at, size_t(end - at)}), "' is no number");
    if (after != end && *after != ' ') fail(Code::bad_file, "'", clipped({at, size_t(end - at)}), "' is no number");
    out.push_back(number);
    at = after;
  }
}
template std::vector<double> numbers_of(std::string_view);
template std::vector<int64_t> numbers_of(std::string_view);

BoosterRecord::BoosterRecord(plain::Value value, std::string where) : value_(value), where_(std::move(where)) {
  if (!value.is(Kind::dict) && !value.is(Kind::object))
    fail(Code::bad_file, where_, " is ", plain::name(value.kind), "; expected an object");
}

std::string BoosterRecord::place(std::string_view key) const {
  return where_.empty() ? std::string(key) : key.empty() ? where_ : text(where_, ".", key);
}

plain::Value BoosterRecord::at(std::string_view key) const {
  const auto v = value_.find(key);
  if (!v) bad(key, "is missing");
  return *v;
}

std::vector<BoosterRecord> BoosterRecord::records(std::string_view key) const {
  const plain::Value list = at(key);
  if (!list.is(Kind::list)) bad(key, "is ", plain::name(list.kind), "; expected a list");
  std::vector<BoosterRecord> out;
  for (const plain::Value& item : list.items()) out.emplace_back(item, text(place(key), "[", out.size(), "]"));
  return out;
}

std::string BoosterRecord::word(std::string_view key) const {
  const plain::Value v = at(key);
  if (!v.is(Kind::text)) bad(key, "is ", plain::name(v.kind), "; expected text");
  return checked_text(v.str());
}

int64_t BoosterRecord::integer(std::string_view key) const {
  const plain::Value v = at(key);
  if (v.is(Kind::integer)) return v.integer;
  if (v.is(Kind::boolean)) return v.boolean;
  if (v.is(Kind::text)) {
    const std::vector<int64_t> one = numbers<int64_t>(key);
    if (one.size() == 1) return one[0];
  }
  bad(key, "is no integer");
}

template <class T>
std::vector<T> BoosterRecord::numbers(std::string_view key) const {
  const plain::Value v = at(key);
  try {
    if (v.is(Kind::text)) return numbers_of<T>(v.str());
    if (v.is(Kind::array)) {
      const Array<T> all = as_array<T>(*v.array, nullptr);
      return {all.begin(), all.end()};
    }
  } catch (Error& e) {
    throw std::move(e).within(place(key));
  }
  if (!v.is(Kind::list)) bad(key, "is ", plain::name(v.kind), "; expected numbers");
  std::vector<T> out;
  out.reserve(v.items().size());
  for (const plain::Value& item : v.items()) {
    if (item.is(Kind::integer)) out.push_back(T(item.integer));
    else if (item.is(Kind::boolean)) out.push_back(T(item.boolean));
    else if (item.is(Kind::real) && std::is_floating_point_v<T>) out.push_back(T(item.real));
    else bad(key, "holds ", plain::name(item.kind), "; expected ", std::is_floating_point_v<T> ? "numbers" : "integers");
  }
  return out;
}
std::vector<double> BoosterRecord::reals(std::string_view key) const { return numbers<double>(key); }
std::vector<int64_t> BoosterRecord::integers(std::string_view key) const { return numbers<int64_t>(key); }

std::vector<std::string> BoosterRecord::words(std::string_view key) const {
  const plain::Value list = at(key);
  if (!list.is(Kind::list)) bad(key, "is ", plain::name(list.kind), "; expected a list");
  std::vector<std::string> out;
  for (const plain::Value& item : list.items()) {
    if (!item.is(Kind::text)) bad(key, "holds ", plain::name(item.kind), "; expected text");
    out.push_back(checked_text(item.str()));
  }
  return out;
}

}  // namespace onward
