// LabelEncoder of ai.onnx.ml before 4 and before 2: fewer types of keys and values.
#include <cmath>
#include <set>

#include "onward/opsets/lowering.h"

namespace onward {
namespace {

constexpr Types listed_types = str | i64 | f32;           // of keys and values before 4

// What the node maps, each key once, and last what becomes of all others.
struct Table {
  Tensor keys, values;                                    // values: one more than keys
  bool has_nan = false;
};

template <class T> Tensor list_of(const Node& node, std::string_view name) {
  const auto it = node.attributes.find(name);
  const auto* list = it == node.attributes.end() ? nullptr : std::get_if<std::vector<T>>(&it->second);
  return list ? Tensor::of({int64_t(list->size())}, *list) : Tensor();
}

Tensor one_of(const Node& node, const std::string& what) {
  if (const auto it = node.attributes.find(what + "_tensor"); it != node.attributes.end())
    if (auto* t = std::get_if<Tensor>(&it->second)) return *t;
  for (const Tensor& t : {list_of<std::string>(node, what + "_strings"), list_of<int64_t>(node, what + "_int64s"), list_of<float>(node, what + "_floats")}) if (t) return t;
  invalid("has no ", what);
}

Tensor otherwise(const Node& node, DataType type) {
  Tensor out(type, {1});
  if (const auto it = node.attributes.find("default_tensor"); it != node.attributes.end())
    if (auto* t = std::get_if<Tensor>(&it->second); t && t->type() == type && t->size() == 1) return *t;
  for_type<str | i64 | i32 | i16 | f32 | f64>(type, [&]<class T>() {
    if constexpr (std::is_same_v<T, std::string>) *out.data<T>() = "_Unused";
    else if constexpr (std::is_floating_point_v<T>) *out.data<T>() = T(-0.0);
    else *out.data<T>() = T(type_of<T> == DataType::i64 ? -1 : 0);
    if constexpr (std::is_same_v<T, std::string>) node.attributes.read("default_string", *out.data<T>());
    if constexpr (std::is_same_v<T, int64_t>) node.attributes.read("default_int64", *out.data<T>());
    if constexpr (std::is_same_v<T, float>) node.attributes.read("default_float", *out.data<T>());
  });
  return out;
}

Table table_of(const Node& node) {
  const Tensor keys = one_of(node, "keys"), values = one_of(node, "values"), other = otherwise(node, values.type());
  if (keys.size() != values.size()) invalid(keys.size(), " keys for ", values.size(), " values");
  std::vector<int64_t> kept;
  Table out;
  for_type<str | i64 | i32 | i16 | f32 | f64>(keys.type(), [&]<class T>() {
    std::set<T> seen;
    for (int64_t i = 0; i < keys.size(); ++i) {
      const T& key = keys.data<T>()[i];
      const bool nan = key != key;
      if (nan ? !std::exchange(out.has_nan, true) : seen.insert(key).second) kept.push_back(i);
    }
    out.keys = Tensor(keys.type(), {int64_t(kept.size())});
    for (size_t i = 0; i < kept.size(); ++i) out.keys.data<T>()[i] = keys.data<T>()[kept[i]];
  });
  for_type<str | i64 | i32 | i16 | f32 | f64>(values.type(), [&]<class T>() {
    out.values = Tensor(values.type(), {int64_t(kept.size()) + 1});
    for (size_t i = 0; i < kept.size(); ++i) out.values.data<T>()[i] = values.data<T>()[kept[i]];
    out.values.data<T>()[kept.size()] = *other.data<T>();
  });
  if (!out.keys || !out.values) unsupported("keys are ", name_of(keys.type()), ", values ", name_of(values.type()));
  return out;
}

template <class T> std::vector<T> as_list(const Tensor& t, int64_t n) { return {t.data<T>(), t.data<T>() + n}; }

void put_list(Node& node, const std::string& what, const Tensor& t, int64_t n) {
  if (t.type() == DataType::str) node.attributes[what + "_strings"] = as_list<std::string>(t, n);
  if (t.type() == DataType::i64) node.attributes[what + "_int64s"] = as_list<int64_t>(t, n);
  if (t.type() == DataType::f32) node.attributes[what + "_floats"] = as_list<float>(t, n);
}

std::vector<int64_t> counted(int64_t n) {
  std::vector<int64_t> out;
  for (int64_t i = 0; i < n; ++i) out.push_back(i);
  return out;
}

// The number of the key that equals x, by comparing with all of them.
std::string by_comparison(Lowering& at, const Table& table) {
  const int64_t n = table.keys.size();
  at.node.attributes["the_keys"] = table.keys.reshaped({1, n});
  at.node.attributes["the_values"] = table.values;
  std::string nan;
  if (table.has_nan) {
    Tensor which(DataType::b8, {1, n});
    for_type<f32 | f64>(table.keys.type(), [&]<class T>() { for (int64_t i = 0; i < n; ++i) which.data<bool>()[i] = std::isnan(table.keys.data<T>()[i]); });
    at.node.attributes["nan_keys"] = which;
    nan = "which = Constant(; value=@nan_keys)\n is_nan = IsNaN(column)\n both = And(is_nan, which)\n same = Or(equal, both)\n";
  }
  return text("column = Reshape(X, int64 [-1, 1])\n keys = Constant(; value=@the_keys)\n equal = Equal(column, keys)\n", nan, "hits = Cast(", nan.empty() ? "equal" : "same", "; to=1)\n",
              "place = ArgMax(hits; axis=1, keepdims=0)\n best = ReduceMax(hits, int64 [1]; keepdims=0)\n hit = Cast(best; to=7)\n found = Mul(place, hit)\n",
              "miss = Sub(int64 1, hit)\n last = Mul(miss, int64 ", n, ")\n at = Add(found, last)\n values = Constant(; value=@the_values)\n v = Gather(values, at)\n shape = Shape(X)\n Y = Reshape(v, shape)");
}

std::string before_4(Lowering& at) {
  const Table table = table_of(at.node);
  const int64_t n = table.keys.size();
  if (table.keys.type() == DataType::f64 || table.has_nan) return by_comparison(at, table);
  const bool short_keys = contains(i16 | i32, table.keys.type());
  Tensor keys = table.keys;
  if (short_keys) {
    keys = Tensor(DataType::i64, {n});
    for_type<i16 | i32>(table.keys.type(), [&]<class T>() { std::copy_n(table.keys.data<T>(), n, keys.data<int64_t>()); });
  }
  const bool listed_values = contains(listed_types, table.values.type());
  at.node.attributes.clear();
  put_list(at.node, "keys", keys, n);
  if (listed_values) {
    put_list(at.node, "values", table.values, n);
    if (table.values.type() == DataType::str) at.node.attributes["default_string"] = table.values.data<std::string>()[n];
    if (table.values.type() == DataType::i64) at.node.attributes["default_int64"] = table.values.data<int64_t>()[n];
    if (table.values.type() == DataType::f32) at.node.attributes["default_float"] = table.values.data<float>()[n];
    if (!short_keys) return "";
    return text("x = Cast(X; to=7)\n Y = ", called(at.node, "x"));
  }
  at.node.attributes["values_int64s"] = counted(n), at.node.attributes["default_int64"] = n;
  const std::string call = called(at.node, short_keys ? "x" : "X");
  at.node.attributes["the_values"] = table.values;
  return text(short_keys ? "x = Cast(X; to=7)\n" : "", "at = ", call, "\n values = Constant(; value=@the_values)\n Y = Gather(values, at)");
}

// Only texts to their numbers, and back.
std::string before_2(Lowering& at) {
  const Table table = table_of(at.node);
  const int64_t n = table.keys.size();
  if (table.keys.type() != DataType::str) return by_comparison(at, table);
  const bool numbered = table.values.type() == DataType::i64 && as_list<int64_t>(table.values, n) == counted(n);
  at.node.attributes.clear();
  at.node.attributes["classes_strings"] = as_list<std::string>(table.keys, n);
  at.node.attributes["default_int64"] = numbered ? table.values.data<int64_t>()[n] : n;
  if (numbered) return text("Y = ", called(at.node, "X"));
  const std::string call = called(at.node, "X");
  at.node.attributes["the_values"] = table.values;
  return text("at = ", call, "\n values = Constant(; value=@the_values)\n Y = Gather(values, at)");
}

constexpr LoweringRule rules[] = {{"LabelEncoder", 4, before_4, "ai.onnx.ml"}, {"LabelEncoder", 2, before_2, "ai.onnx.ml"}};

}  // namespace

std::span<const LoweringRule> table_rules() { return rules; }

}  // namespace onward
