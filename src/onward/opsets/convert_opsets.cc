#include "onward/opsets/convert_opsets.h"

#include "onward/model/check.h"
#include "onward/ops/check_nodes.h"
#include "onward/opsets/node_converter.h"
#include "onward/opsets/releases.h"

namespace onward {
namespace {

std::string domain_name(std::string_view domain) { return std::string(domain.empty() ? "ai.onnx" : domain); }

// The versions that the model shall have, for the domains that it uses and those that conversion may bring in.
Opsets completed(const Model& model, Opsets target) {
  for (const auto& [domain, version] : target) {
    const int64_t newest = newest_version(domain);
    if (!newest) throw Error(Code::usage, text("domain '", domain, "' has no opsets that are known here"), "ai.onnx (\"\") and ai.onnx.ml have");
    const int64_t oldest = domain.empty() ? oldest_opset : 1;
    if (version < oldest || version > newest)
      throw Error(Code::usage, text("opset ", version, " of ", domain_name(domain), ": expected ", oldest, " to ", newest), "");
  }
  const bool main_given = target.contains("");
  for (const auto& [domain, version] : model.opsets)
    if (!target.contains(domain) && newest_version(domain)) {
      target[domain] = version;
      if (domain == "ai.onnx.ml" && main_given) target[domain] = std::min(version, ml_version_with(target.at("")));
    }
  if (!target.contains("")) target[""] = newest_version("");
  if (!target.contains("ai.onnx.ml")) target["ai.onnx.ml"] = ml_version_with(target.at(""));
  return target;
}

void note_uses(const std::vector<Node>& nodes, std::set<std::string>& values, std::set<std::string>& domains) {
  for (const Node& node : nodes) {
    values.insert(node.inputs.begin(), node.inputs.end());
    domains.insert(node.domain);
    for (const auto& [name, a] : node.attributes)
      if (auto* g = std::get_if<GraphRef>(&a); g && *g) {
        for (const ValueInfo& v : (*g)->outputs) values.insert(v.name);
        note_uses((*g)->nodes, values, domains);
      }
  }
}

struct Uses {
  std::set<std::string> values, domains;
  explicit Uses(const Graph& graph) {
    note_uses(graph.nodes, values, domains);
    for (const ValueInfo& v : graph.outputs) values.insert(v.name);
  }
};

// Constants that were read before and are attributes now.
void remove_what_nothing_reads(Graph& graph, const Uses& before) {
  const Uses after(graph);
  const auto unused = [&](const std::string& name) { return before.values.contains(name) && !after.values.contains(name); };
  std::erase_if(graph.inputs, [&](const ValueInfo& v) { return unused(v.name) && graph.initializers.contains(v.name); });
  std::erase_if(graph.initializers, [&](const auto& entry) { return unused(entry.first); });
  std::erase_if(graph.nodes, [&](const Node& n) { return n.op == "Constant" && n.domain.empty() && n.outputs.size() == 1 && unused(n.outputs[0]); });
  std::set<std::string> made;
  for (const Node& n : graph.nodes) made.insert(n.outputs.begin(), n.outputs.end());
  std::erase_if(graph.values, [&](const ValueInfo& v) { return !made.contains(v.name) && !graph.initializers.contains(v.name); });
}

// ONNX Runtime takes no two nodes of a graph with one name. What came with the model keeps its own.
void make_node_names_unique(Graph& graph, const std::set<std::string>& given) {
  std::set<std::string> used;
  for (Node& node : graph.nodes) {
    const std::string wanted = node.name;
    const bool made_here = !given.contains(wanted) || used.contains(wanted);
    for (int i = 1; !node.name.empty() && made_here && (used.contains(node.name) || (node.name != wanted && given.contains(node.name))); ++i) node.name = text(wanted, "_", i);
    used.insert(node.name);
    for (auto& [name, a] : node.attributes)
      if (auto* g = std::get_if<GraphRef>(&a); g && *g) {
        Graph inner = **g;
        make_node_names_unique(inner, given);
        *g = std::make_shared<const Graph>(std::move(inner));
      }
  }
}

std::set<std::string> node_names(const Graph& graph) {
  std::set<std::string> out;
  for (const Node& node : graph.nodes) out.insert(node.name);
  return out;
}

// A function has no initializers: constants that were made for it become nodes.
void convert_function(Function& f, OpsetChange& shared) {
  Graph body;
  body.nodes = f.nodes, body.values = f.values;
  for (const std::string& name : f.outputs) body.outputs.push_back({name, {}});
  NodeConverter(body, shared, nullptr, 0).run(f.opsets);
  f.nodes.clear();
  for (const auto& [name, tensor] : body.initializers) f.nodes.push_back({.op = "Constant", .outputs = {name}, .attributes = {{"value", tensor}}});
  std::move(body.nodes.begin(), body.nodes.end(), std::back_inserter(f.nodes));
  for (auto& [domain, version] : f.opsets) if (const auto it = shared.target.find(domain); it != shared.target.end()) version = it->second;
  std::set<std::string> values, domains;
  note_uses(f.nodes, values, domains);
  for (const std::string& domain : domains) if (const auto it = shared.target.find(domain); it != shared.target.end()) f.opsets.emplace(domain, it->second);
}

// The functions for the target. Those that need to know types or the caller's attributes are put in the place of their calls, and with
// them what must not be lost of the others' structure stays.
std::vector<Function> converted_functions(const std::vector<Function>& functions, OpsetChange& shared) {
  std::vector<Function> out;
  for (bool again = true; again;) {
    again = false, out.clear();
    shared.changed = 0, shared.lost.clear(), shared.notes.clear();
    for (const Function& f : functions) {
      const std::string key = function_key(f.domain, f.name, f.overload);
      if (shared.put_in_place.contains(key)) continue;
      Function converted = f;
      try {
        convert_function(converted, shared);
        out.push_back(std::move(converted));
      } catch (const Error& e) {
        if (e.code != Code::unsupported_operator && e.code != Code::bad_model) throw;
        shared.put_in_place.insert(key), again = true;
      }
    }
  }
  return out;
}

bool has_inner_initializers(const Graph& graph, bool inner = false) {
  if (inner && !graph.initializers.empty()) return true;
  for (const Node& node : graph.nodes)
    for (const auto& [name, a] : node.attributes) if (auto* g = std::get_if<GraphRef>(&a); g && *g && has_inner_initializers(**g, true)) return true;
  return false;
}

// Before IR 4 every initializer is an input as well.
void list_initializers_as_inputs(Graph& graph) {
  std::set<std::string> listed;
  for (const ValueInfo& v : graph.inputs) listed.insert(v.name);
  for (const auto& [name, tensor] : graph.initializers) {
    if (listed.contains(name)) continue;
    std::vector<DimInfo> shape;
    for (int64_t d : tensor.dims()) shape.push_back({d, {}});
    graph.inputs.push_back({name, TypeInfo::tensor(tensor.type(), std::move(shape))});
  }
}

struct Converted {
  Graph graph;
  std::vector<Function> functions;
  std::vector<WithoutForm> refused;
  OpsetConversion said;
};

Converted converted(const Model& model, const Opsets& target) {
  Converted out{model.graph, {}, {}, {}};
  OpsetChange shared{model.functions, target};
  shared.names.note(model.graph);
  for (const Function& f : model.functions) for (const Node& node : f.nodes) for (const std::string& name : node.outputs) shared.names.note(name);
  out.functions = converted_functions(model.functions, shared);
  shared.refused = &out.refused;
  NodeConverter(out.graph, shared, nullptr, 0).run(model.opsets);
  out.said = {shared.changed, std::move(shared.lost), std::move(shared.notes)};
  return out;
}

using DomainOf = std::map<std::string, std::string>;      // of a node, by what it is called in messages

DomainOf domains_of(const std::vector<WithoutForm>& refused) {
  DomainOf out;
  for (const WithoutForm& r : refused) out.emplace(r.problem.where, r.domain);
  return out;
}

// One version more of every domain in which a node fails, as far as the model's own.
bool raise_versions(const Model& model, const DomainOf& failing, Opsets& target) {
  std::set<std::string> domains;
  for (const auto& [node, domain] : failing) domains.insert(domain);
  bool raised = false;
  for (const std::string& domain : domains)
    if (target.at(domain) < model.opsets.at(domain)) ++target.at(domain), raised = true;
  return raised;
}

// Names every node without a form, each with the oldest version that has one: versions are raised where nodes fail until none does.
[[noreturn]] void refuse(const Model& model, Opsets target, const std::vector<WithoutForm>& refused) {
  std::map<std::string, std::string> hints;
  for (DomainOf failing = domains_of(refused); raise_versions(model, failing, target);) {
    const DomainOf still = domains_of(converted(model, target).refused);
    for (const auto& [node, domain] : failing)
      if (!still.contains(node))
        hints[node] = text("the oldest opset of ", domain_name(domain), " that has it is ", target.at(domain), ": ", domain.empty() ? "--opset " : "--ml-opset ", target.at(domain));
    failing = still;
  }
  std::vector<Problem> all;
  for (const WithoutForm& r : refused) {
    all.push_back(r.problem);
    if (const auto hint = hints.find(r.problem.where); hint != hints.end()) all.back().hint = hint->second;
  }
  throw Refusal(all);
}

}  // namespace

OpsetConversion convert_opsets(Model& model, Opsets target) {
  check(model);
  check_nodes(model);
  target = completed(model, std::move(target));
  Converted made = converted(model, target);
  if (!made.refused.empty()) refuse(model, target, made.refused);
  remove_what_nothing_reads(made.graph, Uses(model.graph));
  make_node_names_unique(made.graph, node_names(model.graph));
  const Uses after(made.graph);

  const bool opsets_stay = std::all_of(model.opsets.begin(), model.opsets.end(), [&](const auto& o) { const auto it = target.find(o.first); return it == target.end() || it->second == o.second; });
  for (const auto& [domain, version] : target) {
    const auto written = model.opsets.find(domain);
    if (written != model.opsets.end()) written->second = version;
    else if (after.domains.contains(domain)) model.opsets[domain] = version;
  }
  model.graph = std::move(made.graph);
  model.functions = std::move(made.functions);
  if (!opsets_stay) {
    model.ir_version = std::max<int64_t>(ir_version_of(model.opsets), !model.functions.empty() ? 8 : has_inner_initializers(model.graph) ? 4 : 3);
    if (model.ir_version < 4) list_initializers_as_inputs(model.graph);
  }
  check(model);
  check_nodes(model);
  return std::move(made.said);
}

}  // namespace onward
