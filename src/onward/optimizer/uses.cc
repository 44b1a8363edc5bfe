#include "onward/optimizer/uses.h"

namespace onward {
namespace {

Names made_in(const Graph& graph) {
  Names made;
  for (const ValueInfo& v : graph.inputs) made.insert(v.name);
  for (const auto& [name, t] : graph.initializers) made.insert(name);
  for (const Node& n : graph.nodes) made.insert(n.outputs.begin(), n.outputs.end());
  return made;
}

template <class F> void for_each_graph(const Node& node, F&& f) {
  for (const auto& [name, a] : node.attributes) {
    if (auto* g = std::get_if<GraphRef>(&a); g && *g) f(**g);
    if (auto* all = std::get_if<std::vector<GraphRef>>(&a)) for (const GraphRef& g : *all) if (g) f(*g);
  }
}

Graph redirected(const Graph& graph, std::map<std::string, std::string, std::less<>> to) {
  for (const std::string& name : made_in(graph)) to.erase(name);
  Graph out = graph;
  redirect_reads(out, to);
  for (ValueInfo& v : out.outputs) if (const auto it = to.find(v.name); it != to.end()) v.name = it->second;
  return out;
}

}  // namespace

void for_each_read(const Node& node, const std::function<void(const std::string&)>& f) {
  for (const std::string& name : node.inputs) if (!name.empty()) f(name);
  for_each_graph(node, [&](const Graph& g) {
    const Names made = made_in(g);
    const auto outside = [&](const std::string& name) { if (!made.contains(name)) f(name); };
    for (const Node& inner : g.nodes) for_each_read(inner, outside);
    for (const ValueInfo& v : g.outputs) outside(v.name);
  });
}

bool has_subgraph(const Node& node) {
  bool found = false;
  for_each_graph(node, [&](const Graph&) { found = true; });
  return found;
}

void redirect_reads(Graph& graph, const std::map<std::string, std::string, std::less<>>& to) {
  if (to.empty()) return;
  for (Node& node : graph.nodes) {
    for (std::string& name : node.inputs) if (const auto it = to.find(name); it != to.end()) name = it->second;
    for (auto& [name, a] : node.attributes) {
      if (auto* g = std::get_if<GraphRef>(&a); g && *g) *g = std::make_shared<const Graph>(redirected(**g, to));
      if (auto* all = std::get_if<std::vector<GraphRef>>(&a)) for (GraphRef& g : *all) if (g) g = std::make_shared<const Graph>(redirected(*g, to));
    }
  }
}

Names output_names(const Graph& graph) {
  Names out;
  for (const ValueInfo& v : graph.outputs) out.insert(v.name);
  return out;
}

const Tensor* constant_of(const Graph& graph, const std::string& name) {
  const auto it = graph.initializers.find(name);
  return it == graph.initializers.end() ? nullptr : &it->second;
}

bool is_plain(const Node& node, std::string_view op, size_t inputs) {
  return node.domain.empty() && node.op == op && node.inputs.size() == inputs && node.outputs.size() == 1;
}

}  // namespace onward
