// Converters that are C callbacks: what they are given of a fitted object, and what they give back.
#include "onward/api/converters.h"

#include "onward/api/callbacks.h"
#include "onward/estimators/outputs.h"
#include "onward/formats/open.h"

using namespace onward;
using onward::api::called;
using onward::api::guarded;
using onward::api::require;
using plain::Kind;

namespace onward::api {

ConverterFunctions::~ConverterFunctions() {
  if (table.release) table.release(table.state);
}

std::shared_ptr<const Registry> registry_with(const std::map<std::string, std::shared_ptr<const ConverterFunctions>>& converters,
                                              const std::shared_ptr<const CustomOperators>& operators) {
  Registry registry = Registry::builtin();
  for (const auto& [name, functions] : converters)
    registry.add(definition_of({name, [functions = functions, operators](const Fitted& fitted, const Frame& x) {
                                  onward_conversion conversion(x, operators);
                                  const onward_fitted* object = conversion.part(fitted);
                                  called([&] { return functions->table.convert(functions->table.state, &conversion, object); });
                                  return conversion.outputs();
                                }}));
  return std::make_shared<const Registry>(std::move(registry));
}

}  // namespace onward::api

// Under the contract's names. Who predicts has classes, or is a regressor, or tells clusters or outliers.
Outputs onward_conversion::outputs() const {
  const auto taken = [&](const char* name) -> std::optional<Expr> {
    const auto it = given.find(name);
    return it == given.end() ? std::nullopt : std::optional(it->second);
  };
  Outputs out;
  const auto label = taken("label"), variable = taken("variable"), probabilities = taken("probabilities"), scores = taken("scores");
  if (given.empty() && !given_columns.size()) throw Error(Code::usage, "the converter gave no output", "give transformed, variable, label or probabilities");
  if (label && variable) throw Error(Code::usage, "the converter gave label and variable: a model is a classifier or a regressor");
  if (classes && (probabilities || scores) && !label) out = classifier(classes, {probabilities, scores});
  else if (variable) out = regressor(*variable);
  else if (label) out.role = classes || probabilities ? Outputs::Role::classifier : scores ? Outputs::Role::outliers : Outputs::Role::clusterer, out.predict = label;
  else if (probabilities || scores) throw Error(Code::usage, "the converter gave probabilities or scores without classes or a label");
  out.predict_proba = probabilities, out.decision_function = scores, out.predict_log_proba = taken("log_probabilities");
  out.apply = taken("leaf"), out.score_samples = taken("score_samples"), out.distances = taken("distances"), out.neighbors = taken("neighbors");
  if (classes) out.classes = {classes};
  if (given_columns.size()) out.transform = given_columns;
  else if (const auto block = taken("transformed"))
    out.transform = Frame(*block), out.names = block->columns() == columns.size() ? Outputs::Names::one_to_one : Outputs::Names::numbered;
  return out;
}

void onward_conversion::give(const std::string& name, Expr value) {
  static constexpr std::string_view known[] = {"transformed", "label", "variable", "probabilities", "log_probabilities", "scores", "leaf", "score_samples", "distances", "neighbors"};
  if (std::find(std::begin(known), std::end(known), name) == std::end(known)) {
    const std::vector<std::string> names(std::begin(known), std::end(known));
    throw Error(Code::usage, text("there is no output '", name, "'", suggestion(name, names)), "transformed, label, variable, probabilities, log_probabilities, scores, leaf, score_samples, distances, neighbors");
  }
  const bool matrix = name == "transformed";
  if (matrix && (value.shape().size() != 2 || value.shape()[0] != rows)) fail(Code::usage, "transformed: expected a matrix with a row for each row, given ", shown(value));
  if (!matrix && (value.shape().empty() || value.shape()[0] != rows)) fail(Code::usage, name, ": expected an item for each row, given ", shown(value));
  if (!given.emplace(name, value).second) fail(Code::usage, "the output '", name, "' is given twice");
}

namespace {

// The text of a class or function, "package.module.Class".
std::string name_of(const plain::Value& v) {
  const plain::Value& named = v.is(Kind::object) ? v.object->callee : v;
  return named.is(Kind::global) ? text(named.global->module, ".", named.global->name) : std::string();
}

const onward_fitted* part_of(const onward_fitted* whole, const plain::Value& v) { return whole->conversion->part(whole->fitted.part(v)); }

// An estimator's answers to a converter that called it.
void keep(onward_conversion& c, onward_parts& parts, const Outputs& out) {
  const auto put = [&](const char* name, const std::optional<Expr>& value) {
    if (value) parts.values[name] = value->id;
  };
  if (out.transform && out.transform->size()) put("transformed", out.transform->mixed() ? std::nullopt : std::optional(out.transform->matrix()));
  put(out.role == Outputs::Role::regressor ? "variable" : "label", out.predict);
  put("probabilities", out.predict_proba), put("scores", out.decision_function), put("leaf", out.apply);
  put("log_probabilities", out.predict_log_proba ? out.predict_log_proba : out.predict_proba ? std::optional(log(*out.predict_proba)) : std::nullopt);
  put("score_samples", out.score_samples), put("distances", out.distances), put("neighbors", out.neighbors);
  if (out.classes.size() == 1) parts.classes = {Value(out.classes[0])};
  (void)c;
}

Frame frame_of(onward_conversion& c, const onward_expr* values, const char* const* names, size_t count) {
  Frame x;
  for (size_t i = 0; i < count; ++i) {
    const Expr e = c.graph.value(values[i]);
    if (e.shape().size() != 2 || e.shape()[0] != rows) fail(Code::usage, "an estimator takes matrices with a row for each row, given ", shown(e));
    std::vector<std::string> called;
    if (names && names[i]) called.push_back(names[i]);
    x.append(Frame(e, called));
  }
  return x;
}

}  // namespace

onward_status* onward_converters_create(onward_converters** converters) {
  return guarded([&] { require(converters, "converters"), *converters = new onward_converters; });
}
void onward_converters_release(onward_converters* converters) { delete converters; }

onward_status* onward_converters_add(onward_converters* converters, const char* class_name, const onward_converter_functions* given) {
  return guarded([&] {
    require(given, "functions");
    const auto functions = std::make_shared<onward::api::ConverterFunctions>();
    std::memcpy(&functions->table, given, std::min(given->size, sizeof *given));
    require(converters, "converters"), require(class_name, "class_name");
    if (given->size < sizeof *given || !given->convert) fail(Code::usage, "the converter for '", class_name, "' has no `convert`, or says a size before it");
    definition_of({class_name, {}});                      // checks the name
    if (!converters->list.emplace(class_name, functions).second) fail(Code::usage, "a converter for '", class_name, "' is registered twice");
  });
}

onward_status* onward_convert_options_add_converters(onward_convert_options* options, const onward_converters* converters) {
  return guarded([&] {
    require(options, "options"), require(converters, "converters");
    for (const auto& [name, functions] : converters->list)
      if (!options->converters.emplace(name, functions).second) fail(Code::usage, "a converter for '", name, "' is registered twice");
  });
}

// ---- What a converter is given

onward_graph* onward_conversion_graph(onward_conversion* conversion) { return conversion ? &conversion->graph : nullptr; }
size_t onward_conversion_column_count(const onward_conversion* conversion) { return conversion ? size_t(conversion->columns.size()) : 0; }
const char* onward_conversion_column_name(const onward_conversion* conversion, size_t column) {
  return column < onward_conversion_column_count(conversion) ? conversion->columns.name(int64_t(column)).c_str() : "";
}

onward_status* onward_conversion_column(onward_conversion* conversion, size_t column, int element_type, onward_expr* value) {
  return guarded([&] {
    require(conversion, "conversion"), require(value, "value");
    if (column >= onward_conversion_column_count(conversion)) fail(Code::usage, "column ", column, " of ", conversion->columns.size());
    const auto i = int64_t(column);
    if (element_type == ONWARD_DOUBLE) *value = conversion->columns.number(i).id;
    else if (element_type == ONWARD_STRING) *value = conversion->columns.string(i).id;
    else if (element_type == 0) *value = conversion->columns.column(i).id;
    else fail(Code::usage, "columns come as double, as string, or (0) as they are; given ", element_type);
  });
}
onward_status* onward_conversion_matrix(onward_conversion* conversion, onward_expr* value) {
  return guarded([&] { require(conversion, "conversion"), require(value, "value"), *value = conversion->columns.numbers().id; });
}

// ---- What it gives

onward_status* onward_conversion_give(onward_conversion* conversion, const char* name, onward_expr value) {
  return guarded([&] { require(conversion, "conversion"), require(name, "name"), conversion->give(name, conversion->graph.value(value)); });
}
onward_status* onward_conversion_give_column(onward_conversion* conversion, const char* name, onward_expr value) {
  return guarded([&] {
    require(conversion, "conversion"), require(name, "name");
    const Expr e = conversion->graph.value(value);
    if (e.shape().size() != 2 || e.shape()[0] != rows || e.shape()[1] != 1) fail(Code::usage, "column '", name, "': expected one item in each row, given ", shown(e));
    conversion->given_columns.append(Frame(e, std::vector<std::string>{name}));
  });
}
onward_status* onward_conversion_give_classes(onward_conversion* conversion, const onward_value* classes) {
  return guarded([&] {
    require(conversion, "conversion"), require(classes, "classes");
    const Tensor* t = classes->value.tensor();
    if (!t || t->rank() != 1 || !contains(str | i64 | f64 | b8, t->type())) fail(Code::usage, "classes: expected a vector of texts, int64, double or bool");
    conversion->classes = t->copy();
  });
}

// ---- Fitted objects

int onward_fitted_kind(const onward_fitted* fitted) {
  if (!fitted) return ONWARD_FITTED_NOTHING;
  switch (fitted->fitted.value.kind) {
    case Kind::none: return ONWARD_FITTED_NOTHING;
    case Kind::boolean: return ONWARD_FITTED_BOOL;
    case Kind::integer: return ONWARD_FITTED_INTEGER;
    case Kind::real: return ONWARD_FITTED_NUMBER;
    case Kind::text: return ONWARD_FITTED_TEXT;
    case Kind::list: case Kind::tuple: case Kind::set: return ONWARD_FITTED_LIST;
    case Kind::dict: return ONWARD_FITTED_DICT;
    case Kind::array: return ONWARD_FITTED_ARRAY;
    case Kind::object: return ONWARD_FITTED_OBJECT;
    case Kind::global: return ONWARD_FITTED_CLASS;
    default: return ONWARD_FITTED_OTHER;
  }
}
const char* onward_fitted_class_name(const onward_fitted* fitted) { return fitted ? fitted->conversion->texts.emplace_back(name_of(fitted->fitted.value)).c_str() : ""; }

onward_status* onward_fitted_find(const onward_fitted* fitted, const char* name, const onward_fitted** part) {
  return guarded([&] {
    require(fitted, "fitted"), require(name, "name"), require(part, "part");
    const auto found = fitted->fitted.value.find(name);
    *part = found ? part_of(fitted, *found) : nullptr;
  });
}
size_t onward_fitted_size(const onward_fitted* fitted) {
  const size_t size = fitted ? fitted->fitted.value.items().size() : 0;
  return onward_fitted_kind(fitted) == ONWARD_FITTED_DICT ? size / 2 : size;
}
onward_status* onward_fitted_item(const onward_fitted* fitted, size_t index, const onward_fitted** key, const onward_fitted** item) {
  return guarded([&] {
    require(fitted, "fitted"), require(item, "item");
    if (index >= onward_fitted_size(fitted)) fail(Code::usage, "item ", index, " of ", onward_fitted_size(fitted));
    const bool dict = onward_fitted_kind(fitted) == ONWARD_FITTED_DICT;
    const auto items = fitted->fitted.value.items();
    *item = part_of(fitted, items[dict ? 2 * index + 1 : index]);
    if (key) *key = dict ? part_of(fitted, items[2 * index]) : nullptr;
  });
}
onward_status* onward_fitted_number(const onward_fitted* fitted, double* number) {
  return guarded([&] {
    require(fitted, "fitted"), require(number, "number");
    const plain::Value& v = fitted->fitted.value;
    if (v.is(Kind::real)) *number = v.real;
    else if (v.is(Kind::integer)) *number = double(v.integer);
    else if (v.is(Kind::boolean)) *number = v.boolean;
    else fail(Code::usage, "expected a number, found ", plain::name(v.kind));
  });
}
onward_status* onward_fitted_integer(const onward_fitted* fitted, int64_t* integer) {
  return guarded([&] {
    require(fitted, "fitted"), require(integer, "integer");
    const plain::Value& v = fitted->fitted.value;
    if (!v.is(Kind::integer) && !v.is(Kind::boolean)) fail(Code::usage, "expected an int, found ", plain::name(v.kind));
    *integer = v.is(Kind::boolean) ? v.boolean : v.integer;
  });
}
onward_status* onward_fitted_text(const onward_fitted* fitted, const char** text, size_t* length) {
  return guarded([&] {
    require(fitted, "fitted"), require(text, "text");
    if (!fitted->fitted.value.is(Kind::text)) fail(Code::usage, "expected a string, found ", plain::name(fitted->fitted.value.kind));
    const std::string& kept = fitted->conversion->texts.emplace_back(fitted->fitted.value.str());
    *text = kept.c_str();
    if (length) *length = kept.size();
  });
}
onward_status* onward_fitted_array(const onward_fitted* fitted, const onward_value** value) {
  return guarded([&] { require(fitted, "fitted"), require(value, "value"), *value = &fitted->conversion->values.emplace_back(onward_value{Value(tensor_of(fitted->fitted))}); });
}
int64_t onward_fitted_live(const onward_fitted* fitted) {
  const auto mark = fitted ? fitted->fitted.value.find(formats::live_mark) : std::nullopt;
  return mark && mark->is(Kind::integer) ? mark->integer : -1;
}

// ---- Estimators inside

onward_status* onward_conversion_convert(onward_conversion* conversion, const onward_fitted* part, const onward_expr* values, const char* const* names, size_t count,
                                         onward_parts** parts) {
  return guarded([&] {
    require(conversion, "conversion"), require(part, "part"), require(parts, "parts");
    if (count) require(values, "values");
    auto made = std::make_unique<onward_parts>();
    keep(*conversion, *made, convert_part(part->fitted, frame_of(*conversion, values, names, count)));
    *parts = made.release();
  });
}
onward_status* onward_conversion_convert_bytes(onward_conversion* conversion, const void* bytes, size_t size, const onward_expr* values, const char* const* names,
                                               size_t count, onward_parts** parts) {
  return guarded([&] {
    require(conversion, "conversion"), require(bytes, "bytes"), require(parts, "parts");
    if (count) require(values, "values");
    const auto owner = std::make_shared<const std::string>(static_cast<const char*>(bytes), size);
    const auto document = std::make_shared<const plain::Document>(formats::open_bytes(*owner, owner));
    auto made = std::make_unique<onward_parts>();
    keep(*conversion, *made, convert_part({document->root, document, {}}, frame_of(*conversion, values, names, count)));
    *parts = made.release();
  });
}
onward_expr onward_parts_value(const onward_parts* parts, const char* name) {
  if (!parts || !name) return -1;
  const auto it = parts->values.find(name);
  return it == parts->values.end() ? -1 : it->second;
}
const onward_value* onward_parts_classes(const onward_parts* parts) { return parts && !parts->classes.value.empty() ? &parts->classes : nullptr; }
void onward_parts_release(onward_parts* parts) { delete parts; }
