#include "onward/ops/rewriting.h"

#include "onward/model/text.h"

namespace onward {
namespace {

using Rename = std::map<std::string, std::string, std::less<>>;
using Values = std::map<std::string, Attribute, std::less<>>;

Graph instantiated(const Graph& from, const Rename& outer, const Values& values, ValueNames& all);

// The node with values renamed and attributes of the caller filled in, all the way down.
void instantiate(Node& node, const Rename& names, const Values& values, ValueNames& all) {
  for (auto* list : {&node.inputs, &node.outputs})
    for (auto& n : *list) if (const auto it = names.find(n); it != names.end()) n = it->second;
  for (auto it = node.attributes.begin(); it != node.attributes.end();) {
    if (auto* of = std::get_if<AttributeOfCaller>(&it->second)) {
      const auto given = values.find(of->name);
      if (given == values.end()) { it = node.attributes.erase(it); continue; }
      it->second = given->second;
    } else if (auto* g = std::get_if<GraphRef>(&it->second); g && *g) {
      *g = std::make_shared<const Graph>(instantiated(**g, names, values, all));
    }
    ++it;
  }
}

Graph instantiated(const Graph& from, const Rename& outer, const Values& values, ValueNames& all) {
  Graph graph = from;
  Rename names = outer;
  const auto renew = [&](std::string& name) { if (!name.empty()) name = names[name] = all.fresh(name); };
  for (ValueInfo& v : graph.inputs) renew(v.name);
  graph.initializers.clear();
  for (const auto& [name, tensor] : from.initializers) {
    std::string made = name;
    renew(made);
    graph.initializers.emplace(made, tensor);
  }
  for (const Node& node : from.nodes) for (const std::string& output : node.outputs) if (!output.empty()) names[output] = all.fresh(output);
  for (Node& node : graph.nodes) instantiate(node, names, values, all);
  for (ValueInfo& v : graph.outputs) if (const auto it = names.find(v.name); it != names.end()) v.name = it->second;
  graph.values.clear();
  return graph;
}

std::string prefix_of(const Node& node) { return (node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name) + "/"; }

}  // namespace

void ValueNames::note(const Graph& graph) {
  for (const ValueInfo& v : graph.inputs) names_.insert(v.name);
  for (const auto& [name, tensor] : graph.initializers) names_.insert(name);
  for (const Node& node : graph.nodes) {
    names_.insert(node.outputs.begin(), node.outputs.end());
    for (const auto& [name, a] : node.attributes) if (auto* g = std::get_if<GraphRef>(&a); g && *g) note(**g);
  }
}

std::string ValueNames::fresh(const std::string& wanted) {
  if (names_.insert(wanted).second) return wanted;
  int& last = numbered_[wanted];
  for (;;) if (std::string name = text(wanted, "_", ++last); names_.insert(name).second) return name;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return std::tolower(x) == std::tolower(y); });
}

std::string function_key(std::string_view domain, std::string_view name, std::string_view overload) { return text(domain, "\n", name, "\n", overload); }

std::vector<Node> expanded(const Node& node, const Signature& form, std::string_view body_text, ValueNames& all, Graph& home) {
  Values values;
  for (const auto& fact : attribute_facts(form.attributes)) if (!fact.default_text.empty()) values[std::string(fact.name)] = parse_attribute(fact.default_text);
  for (const auto& [name, value] : node.attributes) values[name] = value;
  Graph body = parse_nodes(body_text, [&](std::string_view name) { const auto it = values.find(name); return it == values.end() ? nullptr : &it->second; });
  Rename names;
  const auto bind = [&](std::string_view formal, const std::vector<std::string>& actual) {
    size_t i = 0;
    for (const Port& port : ports(formal)) {
      names[std::string(port.name)] = i < actual.size() ? actual[i] : "", ++i;
      for (size_t k = 1; port.kind == '*' && i < actual.size(); ++k, ++i) names[text(port.name, "_", k)] = actual[i];
    }
  };
  bind(form.inputs, node.inputs);
  bind(form.outputs, node.outputs);
  const std::string prefix = prefix_of(node);
  for (auto& [name, tensor] : body.initializers) home.initializers[names[name] = all.fresh(prefix + name)] = tensor;
  for (Node& inner : body.nodes)
    for (std::string& output : inner.outputs) if (!output.empty() && !names.contains(output)) names[output] = all.fresh(prefix + output);
  std::vector<Node> out;
  for (Node& inner : body.nodes) {
    if (inner.op == "Self") inner.op = node.op, inner.domain = node.domain;
    if (std::none_of(inner.outputs.begin(), inner.outputs.end(), [&](const auto& o) { const auto it = names.find(o); return it == names.end() || !it->second.empty(); })) continue;
    instantiate(inner, names, values, all);
    inner.name = inner.op == node.op ? node.name : prefix + inner.op;
    out.push_back(std::move(inner));
  }
  return out;
}

std::vector<Node> inlined(const Node& call, const Function& f, ValueNames& all) {
  if (call.inputs.size() > f.inputs.size() || call.outputs.size() > f.outputs.size())
    fail(Code::bad_model, shown(call), ": ", call.inputs.size(), " inputs and ", call.outputs.size(), " outputs for a function with ", f.inputs.size(), " and ", f.outputs.size());
  Values values(f.defaults.begin(), f.defaults.end());
  for (const auto& [name, value] : call.attributes) values[name] = value;
  for (const std::string& name : f.attributes) if (!values.contains(name)) fail(Code::bad_model, shown(call), ": attribute '", name, "' is missing");
  Rename names;
  for (size_t i = 0; i < f.inputs.size(); ++i) names[f.inputs[i]] = i < call.inputs.size() ? call.inputs[i] : "";
  const std::string prefix = prefix_of(call);
  for (const Node& inner : f.nodes) for (const std::string& output : inner.outputs) if (!output.empty()) names[output] = all.fresh(prefix + output);
  std::vector<std::pair<std::string, std::string>> passed;                  // an output that is an input as it came
  for (size_t i = 0; i < call.outputs.size(); ++i) {
    if (call.outputs[i].empty()) continue;
    if (std::find(f.inputs.begin(), f.inputs.end(), f.outputs[i]) != f.inputs.end()) passed.emplace_back(names[f.outputs[i]], call.outputs[i]);
    else names[f.outputs[i]] = call.outputs[i];
  }
  std::vector<Node> out;
  for (Node inner : f.nodes) {
    instantiate(inner, names, values, all);
    inner.name = prefix + inner.name;
    out.push_back(std::move(inner));
  }
  for (auto& [from, to] : passed) out.push_back({.op = "Identity", .inputs = {from}, .outputs = {to}});
  return out;
}

}  // namespace onward
