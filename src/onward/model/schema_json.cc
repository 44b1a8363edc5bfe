// A schema as JSON. Every value that is wrong is named by its path.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "onward/base/suggest.h"
#include "onward/model/schema.h"

namespace onward {
namespace {

using Json = nlohmann::ordered_json;
constexpr int deepest = 16;                              // far more than a schema nests

// A value and where it stands.
struct At {
  const Json& json;
  std::string path;

  At operator[](size_t i) const { return {json[i], text(path, "[", i, "]")}; }
  std::optional<At> get(const char* key) const {
    const auto it = json.find(key);
    if (it == json.end() || it->is_null()) return {};
    return At{*it, path.empty() ? key : text(path, ".", key)};
  }
  At need(const char* key) const {
    if (auto found = get(key)) return *found;
    fail(Code::bad_schema, path.empty() ? "the schema" : path, " has no '", key, "'");
  }
  [[noreturn]] void expected(std::string_view what) const {
    std::string found = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (found.size() > 60) found = found.substr(0, 60) + "…";
    fail(Code::bad_schema, path.empty() ? "the schema" : path, " is ", found, ", expected ", what);
  }
  const At& object() const { return json.is_object() ? *this : (expected("an object"), *this); }
  const At& list() const { return json.is_array() ? *this : (expected("a list"), *this); }
  std::string string() const { return json.is_string() ? json.get<std::string>() : (expected("a string"), std::string()); }
  bool boolean() const { return json.is_boolean() ? json.get<bool>() : (expected("true or false"), false); }
  int64_t integer() const {
    const bool fits = json.is_number_integer() && !(json.is_number_unsigned() && json.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max()));
    return fits ? json.get<int64_t>() : (expected("a whole number"), 0);
  }
  double number() const { return json.is_number() ? json.get<double>() : (expected("a number"), 0); }
};

template <class E> E one_of(const At& at, size_t count) {
  const std::string word = at.string();
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    names.emplace_back(name_of(E(i)));
    if (names.back() == word) return E(i);
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  fail(Code::bad_schema, at.path, " is '", word, "', expected one of ", all, suggestion(word, names));
}

std::vector<std::string> strings(const At& at) {
  std::vector<std::string> out;
  for (size_t i = 0; i < at.list().json.size(); ++i) out.push_back(at[i].string());
  return out;
}

// Strings, whole numbers, numbers or booleans; not a mixture.
Categories categories(const At& at) {
  const Json& list = at.list().json;
  if (list.empty()) return {};
  const auto every = [&](auto is) { return std::all_of(list.begin(), list.end(), is); };
  const auto fill = [&]<class T>(std::vector<T> out, auto value) { for (size_t i = 0; i < list.size(); ++i) out.push_back(T(value(at[i]))); return out; };
  if (every([](const Json& j) { return j.is_string(); })) return strings(at);
  if (every([](const Json& j) { return j.is_number_integer(); })) return fill(std::vector<int64_t>{}, [](const At& a) { return a.integer(); });
  if (every([](const Json& j) { return j.is_number(); })) return fill(std::vector<double>{}, [](const At& a) { return a.number(); });
  if (every([](const Json& j) { return j.is_boolean(); })) return fill(std::vector<int64_t>{}, [](const At& a) { return a.boolean(); });
  at.expected("a list of strings, of numbers or of booleans");
}

Range range(const At& at) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  if (at.list().json.size() != 2) at.expected("[lowest, highest]");
  const Range r{at.json[0].is_null() ? -inf : at[0].number(), at.json[1].is_null() ? inf : at[1].number()};
  if (!(r.min <= r.max)) at.expected("[lowest, highest] in this order");
  return r;
}

MissingText missing_text(const At& at) {
  MissingText out;
  const auto read = [&](const char* key, std::optional<std::string>& into) { if (const auto v = at.object().get(key)) into = v->string(); };
  read("nan", out.nan), read("none", out.none), read("na", out.na);
  return out;
}

std::vector<std::optional<int64_t>> shape(const At& at) {
  std::vector<std::optional<int64_t>> out;
  for (size_t i = 0; i < at.list().json.size(); ++i) {
    if (at.json[i].is_null()) {
      out.emplace_back();
    } else {
      out.emplace_back(at[i].integer());
      if (*out.back() < 0) at[i].expected("a size, or null where it is dynamic");
    }
  }
  return out;
}

// What becomes of values that do not fit: of an input, or of one column of a matrix.
void policies(const At& at, Field& f) {
  if (const auto v = at.get("missing")) f.missing = one_of<Missing>(*v, 4), f.nullable = f.missing != Missing::refuse;
  if (const auto v = at.get("nullable")) {
    f.nullable = v->boolean();
    if (f.nullable && !at.get("missing")) f.missing = is_floating(f.type) ? Missing::nan : Missing::category;
  }
  if (const auto v = at.get("categories")) f.categories = categories(*v);
  if (const auto v = at.get("range")) f.range = range(*v);
  if (const auto v = at.get("unknown")) f.unknown = one_of<Unknown>(*v, 3);
  if (const auto v = at.get("out_of_range")) f.out_of_range = one_of<OutOfRange>(*v, 3);
  if (const auto v = at.get("infinity")) f.infinity = one_of<Infinity>(*v, 2);
  if (const auto v = at.get("category_codes")) f.category_codes = v->boolean();
  if (const auto v = at.get("numbers")) f.numbers = one_of<Written>(*v, 3);
  if (const auto v = at.get("true_false")) f.true_false = one_of<Written>(*v, 3);
  if (size(f.categories) > 0 && std::holds_alternative<std::vector<std::string>>(f.categories) != (f.type == ColumnType::string))
    at.need("categories").expected(text("values of the type ", name_of(f.type)));
}

// Of a matrix: one for each column, in the order of `names`.
std::vector<Field> matrix_columns(const At& at, const Field& matrix) {
  std::vector<Field> out;
  for (size_t i = 0; i < at.list().json.size(); ++i) {
    Field& column = out.emplace_back(Field{.name = at[i].object().need("name").string(), .type = matrix.type});
    policies(at[i], column);
    if (i < matrix.names.size() && column.name != matrix.names[i]) at[i].need("name").expected(text("'", matrix.names[i], "', in the order of names"));
  }
  if (!out.empty() && out.size() != matrix.names.size()) at.expected(text("one entry for each of the ", matrix.names.size(), " names"));
  return out;
}

Field field(const At& at, bool input) {
  Field f;
  f.name = at.object().need("name").string();
  f.type = one_of<ColumnType>(at.need("type"), 6);
  f.shape = {std::nullopt, 1};
  if (const auto v = at.get("shape")) f.shape = shape(*v);
  if (const auto v = at.get("names")) f.names = strings(*v);
  if (const auto v = at.get("classes")) f.classes = categories(*v);
  if (!input) return f;
  policies(at, f);
  if (const auto v = at.get("missing_text")) f.missing_text = missing_text(*v);
  if (const auto v = at.get("columns")) f.columns = matrix_columns(*v, f);
  return f;
}

std::vector<Field> fields(const At& at, bool input) {
  std::vector<Field> out;
  std::vector<std::string> seen;
  for (size_t i = 0; i < at.list().json.size(); ++i) {
    out.push_back(field(at[i], input));
    seen.push_back(out.back().name);
  }
  std::sort(seen.begin(), seen.end());
  if (const auto twice = std::adjacent_find(seen.begin(), seen.end()); twice != seen.end()) fail(Code::bad_schema, at.path, " has two entries named '", *twice, "'");
  return out;
}

Json parsed(std::string_view json) {
  const auto limit = [](int depth, Json::parse_event_t, Json&) {
    if (depth > deepest) fail(Code::limit_size, "the schema nests deeper than ", deepest, " levels");
    return true;
  };
  try {
    return Json::parse(json, limit);
  } catch (const Json::parse_error& e) {
    fail(Code::bad_schema, "the schema is no JSON: byte ", e.byte, " of ", json.size(), " is not what JSON allows there");
  } catch (const Json::exception&) {
    fail(Code::bad_schema, "the schema holds a number that no double can hold");
  }
}

}  // namespace

Schema read_schema(std::string_view json) {
  const Json parsed_json = parsed(json);
  const At at = At{parsed_json, ""}.object();
  Schema schema;
  if (const auto v = at.get("schema_version")) schema.schema_version = v->integer();
  if (schema.schema_version > newest_schema_version)
    throw Error(Code::bad_schema, text("schema_version is ", schema.schema_version, ", this release reads up to ", newest_schema_version), "use a newer release of onward");
  if (schema.schema_version < 1) at.need("schema_version").expected("1 or more");
  schema.inputs = fields(at.need("inputs"), true);
  if (const auto v = at.get("outputs")) schema.outputs = fields(*v, false);
  if (const auto source = at.get("source")) {
    const auto read = [&](const char* key, std::string& into) { if (const auto v = source->object().get(key)) into = v->string(); };
    read("library", schema.source.library), read("version", schema.source.version), read("class", schema.source.class_name), read("sha256", schema.source.sha256);
  }
  return schema;
}

namespace {

Json written(const Categories& categories, bool boolean) {
  return std::visit([&]<class C>(const C& c) {
    Json out = Json::array();
    if constexpr (!std::is_same_v<C, std::monostate>)
      for (const auto& value : c) out.push_back(value);
    if constexpr (std::is_same_v<C, std::vector<int64_t>>)
      for (size_t i = 0; boolean && i < c.size(); ++i) out[i] = c[i] != 0;
    return out;
  }, categories);
}

Json bound(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

void write_policies(const Field& f, Json& out) {
  out["nullable"] = f.nullable;
  if (size(f.categories)) out["categories"] = written(f.categories, f.type == ColumnType::boolean);
  if (f.range) out["range"] = {bound(f.range->min), bound(f.range->max)};
  out["missing"] = name_of(f.missing), out["unknown"] = name_of(f.unknown), out["out_of_range"] = name_of(f.out_of_range);
  if (is_floating(f.type) || f.infinity != Infinity::accept) out["infinity"] = name_of(f.infinity);
  if (f.category_codes) out["category_codes"] = true;
  if (f.numbers) out["numbers"] = name_of(*f.numbers);
  if (f.true_false) out["true_false"] = name_of(*f.true_false);
}

Json written(const Field& f, bool input) {
  Json out;
  out["name"] = f.name, out["type"] = name_of(f.type), out["shape"] = Json::array();
  for (const auto& size : f.shape) out["shape"].push_back(size ? Json(*size) : Json(nullptr));
  if (!f.names.empty()) out["names"] = f.names;
  if (size(f.classes)) out["classes"] = written(f.classes, f.type == ColumnType::boolean);
  if (!input) return out;
  write_policies(f, out);
  if (f.missing_text) {
    Json& texts = out["missing_text"] = Json::object();
    if (f.missing_text->nan) texts["nan"] = *f.missing_text->nan;
    if (f.missing_text->none) texts["none"] = *f.missing_text->none;
    if (f.missing_text->na) texts["na"] = *f.missing_text->na;
  }
  for (const Field& column : f.columns) {
    Json& one = out["columns"].emplace_back(Json{{"name", column.name}});
    write_policies(column, one);
  }
  return out;
}

}  // namespace

std::string write_schema(const Schema& schema, int indent) {
  Json out;
  out["schema_version"] = schema.schema_version;
  out["inputs"] = Json::array(), out["outputs"] = Json::array();
  for (const Field& f : schema.inputs) out["inputs"].push_back(written(f, true));
  for (const Field& f : schema.outputs) out["outputs"].push_back(written(f, false));
  out["source"] = {{"library", schema.source.library}, {"version", schema.source.version}, {"class", schema.source.class_name}, {"sha256", schema.source.sha256}};
  try {
    return out.dump(indent);
  } catch (const Json::exception&) {
    throw Error(Code::bad_schema, "a name or category of the schema is no valid UTF-8", "rename it");
  }
}

}  // namespace onward
