#include "onward/opsets/lowering.h"

#include "onward/model/text.h"
#include "onward/ops/rewriting.h"

namespace onward {
namespace {

const AttributeFact* find(const std::vector<AttributeFact>& facts, std::string_view name) {
  const auto it = std::find_if(facts.begin(), facts.end(), [&](const auto& f) { return f.name == name; });
  return it == facts.end() ? nullptr : &*it;
}

bool same_value(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  if (auto* x = std::get_if<int64_t>(&a)) return *x == std::get<int64_t>(b);
  if (auto* x = std::get_if<float>(&a)) return *x == std::get<float>(b);
  if (auto* x = std::get_if<std::string>(&a)) return *x == std::get<std::string>(b);
  if (auto* x = std::get_if<std::vector<int64_t>>(&a)) return *x == std::get<std::vector<int64_t>>(b);
  return false;
}

// An attribute that came later is as good as absent where it says what there was before.
bool says_nothing_new(const Lowering& at, const AttributeFact& fact, const Attribute& given) {
  if (!fact.default_text.empty()) return same_value(given, parse_attribute(fact.default_text));
  if (auto* ints = std::get_if<std::vector<int64_t>>(&given); ints && fact.name == "dilations") return std::all_of(ints->begin(), ints->end(), [](int64_t d) { return d == 1; });
  return std::holds_alternative<int64_t>(given) && std::get<int64_t>(given) == 0 && at.node.op != "Split";
}

// The constant that input `i` holds, as the attribute it was.
Attribute as_attribute(const Lowering& at, size_t i, const AttributeFact& old) {
  const std::string name = std::string(old.name);
  const Tensor* value = at.constant(i);
  if (old.type == "INTS" || old.type == "INT") {
    const auto values = at.integers_needed(i);
    if (old.type == "INTS") return values;
    if (values.size() != 1) at.refuse("input '", name, "' has ", values.size(), " elements");
    return values[0];
  }
  if (!value) at.refuse("its input '", name, "' is computed when the model runs; there it is an attribute");
  if (old.type != "FLOAT" && old.type != "FLOATS") at.refuse("input '", name, "' was ", old.type, " there");
  std::vector<float> numbers;
  const bool exact = for_type<f32 | f64 | f16 | bf16 | i32 | i64 | u8 | i8 | i16 | u16>(value->type(), [&]<class T>() {
    for (const T& v : value->values<T>()) numbers.push_back(float(v));
  });
  if (!exact || (old.type == "FLOAT" && numbers.size() != 1)) at.refuse("input '", name, "' (", shown(*value), ") is no number there");
  for (size_t k = 0; k < numbers.size(); ++k) {
    bool equal = true;
    for_type<f64 | i32 | i64>(value->type(), [&]<class T>() { equal = double(numbers[k]) == double(value->data<T>()[k]); });
    if (!equal) at.lost.push_back(text(shown(at.node), ": ", name, " is a float32 there"));
  }
  if (old.type == "FLOAT") return numbers[0];
  return numbers;
}

}  // namespace

int64_t Lowering::opset(std::string_view domain) const {
  const auto it = target.find(domain);
  return it == target.end() ? 0 : it->second;
}

const Knowledge& Lowering::input(size_t i) const { return known.of(i < node.inputs.size() ? node.inputs[i] : std::string()); }

DataType Lowering::type(size_t i) const {
  if (has(i) && input(i).element == DataType::none) refuse("the type of '", node.inputs[i], "' is not known");
  return has(i) ? input(i).element : DataType::none;
}

int64_t Lowering::rank(size_t i) const {
  if (!input(i).dims) refuse("the rank of '", i < node.inputs.size() ? node.inputs[i] : "", "' is not known");
  return int64_t(input(i).dims->size());
}

const Tensor* Lowering::constant(size_t i) const { return has(i) && input(i).value ? &*input(i).value : nullptr; }

std::optional<std::vector<int64_t>> Lowering::integers_of(size_t i) const {
  if (const Tensor* t = constant(i)) {
    if (!contains(i32 | i64, t->type())) refuse("input ", i, " is ", shown(*t), ", expected integers");
    return integers(*t);
  }
  const auto& sizes = input(i).sizes;
  if (!has(i) || !sizes || std::any_of(sizes->begin(), sizes->end(), is_symbol)) return std::nullopt;
  return std::vector<int64_t>(sizes->begin(), sizes->end());
}

std::vector<int64_t> Lowering::integers_needed(size_t i) const {
  if (auto values = integers_of(i)) return *values;
  const auto names = ports(form.inputs);
  refuse("its input '", i < names.size() ? names[i].name : "", "' is computed when the model runs; there it is an attribute");
}

bool Lowering::is_last_axis(int64_t axis, size_t i) const { return axis == -1 || (input(i).dims && axis == int64_t(input(i).dims->size()) - 1); }

void Lowering::drop_input(size_t i) const {
  if (i < node.inputs.size()) node.inputs[i].clear();
  while (!node.inputs.empty() && node.inputs.back().empty()) node.inputs.pop_back();
}

const LoweringRule* lowering_rule(std::string_view domain, std::string_view op, int64_t from, int64_t target) {
  const LoweringRule* best = nullptr;
  for (const auto rules : {shape_rules(), arithmetic_rules(), network_rules(), selection_rules(), attention_rules(), table_rules(), tree_rules()})
    for (const LoweringRule& rule : rules)
      if (rule.op == op && rule.domain == domain && rule.below <= from && rule.below > target && (!best || rule.below > best->below)) best = &rule;
  return best;
}

void drop_newer_attributes(Lowering& at) {
  const auto then_attributes = attribute_facts(at.target_form->attributes);
  for (const AttributeFact& fact : attribute_facts(at.form.attributes)) {
    const auto given = at.node.attributes.find(fact.name);
    if (given == at.node.attributes.end() || find(then_attributes, fact.name)) continue;
    if (!says_nothing_new(at, fact, given->second)) at.refuse("attribute '", fact.name, "' has no word there");
    at.node.attributes.erase(given);
  }
}

void follow_table_down(Lowering& at) {
  Node& node = at.node;
  drop_newer_attributes(at);
  const auto now_attributes = attribute_facts(at.form.attributes), then_attributes = attribute_facts(at.target_form->attributes);
  const auto now_inputs = ports(at.form.inputs), then_inputs = ports(at.target_form->inputs);
  const auto then_outputs = ports(at.target_form->outputs);
  for (const AttributeFact& fact : now_attributes) {
    const AttributeFact* old = find(then_attributes, fact.name);
    const auto given = node.attributes.find(fact.name);
    if (old && given == node.attributes.end() && !fact.default_text.empty() && (old->required || old->default_text != fact.default_text))
      node.attributes[std::string(fact.name)] = parse_attribute(fact.default_text);
  }
  for (size_t i = now_inputs.size(); i-- > 0;) {
    const auto it = std::find_if(then_attributes.begin(), then_attributes.end(), [&](const auto& a) { return same_word(a.name, now_inputs[i].name); });
    if (it == then_attributes.end() || find(now_attributes, it->name) || !at.has(i)) continue;
    node.attributes[std::string(it->name)] = as_attribute(at, i, *it);
    at.drop_input(i);
  }
  const bool variadic = !then_inputs.empty() && then_inputs.back().kind == '*';
  if (!variadic)
    for (size_t i = then_inputs.size(); i < node.inputs.size(); ++i)
      if (at.has(i)) at.refuse("input '", i < now_inputs.size() ? now_inputs[i].name : "", "' has no word there");
  for (size_t i = 0; i < then_inputs.size(); ++i)
    if (then_inputs[i].kind == 0 && !at.has(i)) at.refuse("input '", then_inputs[i].name, "' may not be left out there");
  if (!variadic && node.inputs.size() > then_inputs.size()) node.inputs.resize(then_inputs.size());
  if (!then_outputs.empty() && then_outputs.back().kind != '*')
    for (size_t k = then_outputs.size(); k < node.outputs.size(); ++k)
      if (at.wants(k)) at.refuse("output ", k, " ('", node.outputs[k], "') is not given there");
  if (!then_outputs.empty() && then_outputs.back().kind != '*' && node.outputs.size() > then_outputs.size()) node.outputs.resize(then_outputs.size());
  for (const AttributeFact& old : then_attributes)
    if (old.required && !node.attributes.contains(old.name)) at.refuse("attribute '", old.name, "' may not be left out there");
}

std::string listed(std::span<const int64_t> values) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) out += text(i ? ", " : "", values[i]);
  return out + "]";
}

std::string literal(std::span<const int64_t> values) { return "int64 " + listed(values); }

std::string called(const Node& node, std::string_view inputs, std::string_view extra) {
  std::string out = text("Self(", inputs), separator = "; ";
  for (const auto& [name, a] : node.attributes)
    if (extra.find(name + "=") == extra.npos) out += text(separator, name, "=@", name), separator = ", ";
  if (!extra.empty()) out += text(separator, extra);
  return out + ")";
}

std::string type_number(DataType type) { return text(int(type)); }

}  // namespace onward
