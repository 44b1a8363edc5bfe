#include "onward/estimators/fields.h"

#include <charconv>

#include "onward/base/unicode.h"
#include "onward/estimators/newer_versions.h"
#include "onward/estimators/versions.h"

namespace onward {

using plain::Kind;

Fields::Fields(Reading& reading, plain::Value object, Place place)
    : reading_(reading), object_(object), place_(place), problems_before_(reading.problems.size()) {
  if (!object_.is(Kind::object)) return;
  const plain::Global& cls = *object_.object->callee.global;
  facts_.class_name = cls.name;
  facts_.module = cls.module;
  facts_.library = cls.module.substr(0, cls.module.find('.'));
  if (const auto v = object_.find("_sklearn_version"); v && v->is(Kind::text)) {
    facts_.version = v->str();
    set_version(facts_.version);
  }
  if (const auto n = get("n_features_in_"); n && n->is(Kind::integer))
    facts_.n_features_in = n->integer, dims_["features"] = {n->integer, "n_features_in_"};
  if (const auto names = get("feature_names_in_"); names && names->is(Kind::array)) {
    const Array<std::string> all = as_array<std::string>(*names->array, reading_.owner);
    check("feature_names_in_", all.shape(), {"features"});
    facts_.feature_names_in.assign(all.begin(), all.end());
  } else if (names && names->is(Kind::list)) {  // as other libraries than scikit-learn keep them
    read_listed_names(*names);
  }
}

void Fields::read_listed_names(const plain::Value& names) {
  check("feature_names_in_", Dims{int64_t(names.items().size())}, {"features"});
  for (const plain::Value& name : names.items()) {
    if (!name.is(Kind::text)) return facts_.feature_names_in.clear();  // the numbers that a matrix's columns get
    assign("feature_names_in_", name, facts_.feature_names_in.emplace_back(), {});
  }
  int64_t i = 0;  // x0, x1, ...: those that feature_engine gives to a matrix's
  if (std::ranges::all_of(facts_.feature_names_in, [&](const std::string& name) { return name == text("x", i++); })) facts_.feature_names_in.clear();
}

void Fields::set_version(std::string_view shown) {
  const std::string version(shown);
  const size_t dot = version.find('.');
  if (dot != std::string::npos) version_ = 100 * std::atoi(version.c_str()) + std::atoi(version.c_str() + dot + 1);
}

void Fields::version_of_parts() {
  plain::Value part = object_;
  for (int depth = 0; depth < 4 && version_ == 0; ++depth) {  // a part may be a pipeline, whose last step is what was fitted
    const auto parts = part.find("estimators_"), steps = part.find("steps");
    const std::span<const plain::Value> items = parts ? parts->items() : steps ? steps->items() : std::span<const plain::Value>();
    if (items.empty()) return;
    part = items.back().is(Kind::tuple) && items.back().items().size() == 2 ? items.back().items()[1] : items.back();
    const auto version = part.find("_sklearn_version");
    if (!version || !version->is(Kind::text)) continue;
    set_version(version->str());
    note_newer(reading_, part, Fields(reading_, part, place_).facts());
  }
}

std::optional<plain::Value> Fields::get(std::string_view name) const {
  if (auto v = object_.find(name)) return v;
  for (const Rename& r : renames())
    if (r.field == name && (r.class_name == "*" || r.class_name == facts_.class_name))
      if (auto v = object_.find(r.older)) return v;
  return {};
}
bool Fields::given(std::string_view name) const {
  const auto v = get(name);
  return v && !v->is(Kind::none);
}
bool Fields::float32(std::string_view name) const {
  const auto v = get(name);
  const plain::DType* type = !v ? nullptr : v->is(Kind::array) ? v->array->type : v->is(Kind::dtype) ? v->dtype : nullptr;
  return type && type->kind == 'f' && type->size == sizeof(float);
}

std::string Fields::said(const plain::Value& v) const {
  switch (v.kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return v.boolean ? "True" : "False";
    case Kind::integer:
      return std::to_string(v.integer);
    case Kind::real:
      return text(v.real);
    case Kind::text:
      return clipped(v.str());
    case Kind::global:
      return text("a Python function ('", clipped(v.global->name), "'), which holds code, not data");
    case Kind::object:
      return text("an object ('", v.object->callee.is(Kind::global) ? clipped(v.object->callee.global->name) : "?", "')");
    default:
      return plain::name(v.kind);
  }
}

void Fields::bad(std::string_view name, const std::string& message) { reading_.report(Code::bad_file, place_, text(name, " ", message)); }
void Fields::refuse(std::string_view name, const std::string& found, const std::string& hint) {
  reading_.report(Code::unsupported_estimator, place_, text(name, " ", found), hint);
}
void Fields::needs_own(std::string_view op, std::string_view need) {
  if (!reading_.own_ops) reading_.report(Code::unsupported_estimator, place_, needs_own_operator(op, need), std::string(allow_own_operators));
}
void Fields::missing(std::string_view name) {
  const bool fitted = facts_.n_features_in >= 0 || !name.ends_with('_');
  bad(name, fitted ? text("is missing; every fitted ", facts_.class_name, " has it") : "is missing: the estimator is not fitted");
}

int64_t Fields::dim(std::string_view name) const {
  const auto it = dims_.find(name);
  return it == dims_.end() ? -1 : it->second.first;
}

void Fields::check(std::string_view name, const Dims& shape, const DimNames& dims) {
  if (dims.empty()) return;
  std::string wanted;
  bool ok = shape.size() == dims.size();
  for (size_t i = 0; i < dims.size(); ++i) {
    const std::string dim(dims[i]);
    wanted += (i ? ", " : "") + dim;
    if (!ok) continue;
    int64_t number = 0;
    if (std::from_chars(dim.data(), dim.data() + dim.size(), number).ec == std::errc()) {
      ok &= shape[i] == number;
      continue;
    }
    const auto [it, fresh] = dims_.try_emplace(dim, shape[i], std::string(name));
    if (it->second.first != shape[i]) ok = false;
    if (!fresh) wanted += text(" = ", it->second.first, " by ", it->second.second);
  }
  if (!ok) bad(name, text("has shape ", onward::shown(shape), "; expected [", wanted, "]"));
}

std::span<const plain::Value> Fields::items_of(std::string_view name, const plain::Value& v) {
  if (v.is(Kind::list) || v.is(Kind::tuple)) return v.items();
  if (v.is(Kind::array) && v.array->type->kind == 'O') return v.array->objects;
  bad(name, text("is ", plain::name(v.kind), "; expected a list"));
  return {};
}

std::vector<Fields::Named> Fields::named(std::string_view name) {
  std::vector<Named> out;
  const auto list = get(name);
  if (!list) return missing(name), out;
  for (const plain::Value& item : items_of(name, *list)) {
    const std::span<const plain::Value> parts = item.items();
    if (parts.size() < 2 || !parts[0].is(Kind::text) || !is_utf8(parts[0].str())) {
      bad(name, "holds an item that is not (name, estimator)");
      continue;
    }
    out.push_back({std::string(parts[0].str()), parts[1], parts.size() > 2 ? std::optional(parts[2]) : std::nullopt});
  }
  return out;
}

const Facts& facts_of(const Fields& f) { return f.facts(); }
void Fields::same_input_as(const Facts& step) {
  facts_.n_features_in = step.n_features_in;
  facts_.feature_names_in = step.feature_names_in;
  facts_.documents = step.documents;
  if (facts_.version.empty()) facts_.version = step.version;
}

}  // namespace onward
