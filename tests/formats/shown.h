// A tree of plain values as text, for comparing what two readers make of one model. Circles and depth are cut off.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "onward/estimators/plain.h"

namespace onward::formats {

inline std::string shown(const plain::Value& v, int depth = 40);

inline std::string shown_dtype(const plain::DType& t) {
  std::string out = text(t.big_endian && t.size > 1 ? ">" : "", t.kind, t.size);
  for (const plain::Field& f : t.fields) out += text(" ", f.name, "@", f.offset, ":", shown_dtype(*f.type));
  return out;
}

inline std::string shown_items(std::span<const plain::Value> items, int depth) {
  std::string out;
  for (const plain::Value& v : items) out += shown(v, depth) + ", ";
  return out;
}

// Dicts in the order of their keys.
inline std::string shown_pairs(std::span<const plain::Value> kv, int depth) {
  std::vector<std::string> pairs;
  for (size_t i = 0; i + 1 < kv.size(); i += 2) pairs.push_back(shown(kv[i], depth) + ": " + shown(kv[i + 1], depth) + "\n");
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const std::string& p : pairs) out += p;
  return out;
}

inline std::string shown_array(const plain::NdArray& a, int depth) {
  std::string out = "array " + shown_dtype(*a.type) + (a.fortran ? " F" : "");
  for (const int64_t d : a.shape) out += text(" ", d);
  // Only the bytes of named fields: what lies between them is whatever the memory held.
  const std::vector<plain::Field> whole = {{"", a.type, 0}};
  const std::span<const plain::Field> fields = a.type->fields.empty() ? std::span<const plain::Field>(whole) : a.type->fields;
  size_t hash = 0;
  if (a.type->size)
    for (size_t at = 0; at + a.type->size <= a.bytes.size(); at += a.type->size)
      for (const plain::Field& f : fields) hash = 31 * hash + std::hash<std::string_view>()(a.bytes.substr(at + f.offset, f.type->size));
  return text(out, " ", hash, " [") + shown_items(a.objects, depth) + "]";
}

inline std::string shown(const plain::Value& v, int depth) {
  using plain::Kind;
  if (depth == 0) return "...";
  switch (v.kind) {
    case Kind::none: return "None";
    case Kind::boolean: return v.boolean ? "True" : "False";
    case Kind::integer: return text(v.integer);
    case Kind::real: return text(v.real, "r");
    case Kind::text: return text("'", v.str(), "'");
    case Kind::bytes: return text("b'", v.str(), "'");
    case Kind::global: return text(v.global->module, ".", v.global->name);
    case Kind::dtype: return "dtype " + shown_dtype(*v.dtype);
    case Kind::array: return shown_array(*v.array, depth - 1);
    case Kind::dict: return "{" + shown_pairs(v.items(), depth - 1) + "}";
    case Kind::object: {
      const plain::Object& o = *v.object;
      // What pickle and skops say differently and no model needs: random generators, a Bunch's private part, masks.
      const plain::Global g = o.callee.is(Kind::global) ? *o.callee.global : plain::Global{};
      if (g.module.starts_with("numpy.random")) return "a random generator";
      if (g.module.starts_with("numpy.ma")) return "a masked array";
      if (g.name == "Bunch") return "Bunch " + (o.dict ? shown_pairs({o.dict->data, o.dict->size}, depth - 1) : std::string());
      std::string out = shown(o.callee, depth - 1) + "(" + shown(o.args, depth - 1) + ") " + shown(o.state, depth - 1);
      if (o.list) out += "list " + shown_items({o.list->data, o.list->size}, depth - 1);
      if (o.dict) out += "dict " + shown_pairs({o.dict->data, o.dict->size}, depth - 1);
      return out;
    }
    default: return text(plain::name(v.kind), " [") + shown_items(v.items(), depth - 1) + "]";
  }
}

}  // namespace onward::formats
