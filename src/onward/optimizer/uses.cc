#include "onward/optimizer/uses.h"

namespace onward {
namespace {

BorrowedNames made_in(const Graph& graph) {
  BorrowedNames made;
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

// Of `all` only what the graph reads from outside: there may be as many graphs as names.
ByName<std::string> read_there(const Graph& graph, const ByName<std::string>& all) {
  const BorrowedNames made = made_in(graph);
  ByName<std::string> out;
  const auto take = [&](const std::string& name) { if (const auto it = all.find(name); it != all.end() && !made.contains(name)) out.insert(*it); };
  for (const Node& node : graph.nodes) for_each_read(node, take);
  for (const ValueInfo& v : graph.outputs) take(v.name);
  return out;
}

GraphRef redirected(const GraphRef& graph, const ByName<std::string>& all) {
  const ByName<std::string> to = graph ? read_there(*graph, all) : ByName<std::string>();
  if (to.empty()) return graph;
  Graph out = *graph;
  redirect_reads(out, to);
  for (ValueInfo& v : out.outputs) if (const auto it = to.find(v.name); it != to.end()) v.name = it->second;
  return std::make_shared<const Graph>(std::move(out));
}

}  // namespace

void for_each_read(const Node& node, const std::function<void(const std::string&)>& f) {
  for (const std::string& name : node.inputs) if (!name.empty()) f(name);
  for_each_graph(node, [&](const Graph& g) {
    const BorrowedNames made = made_in(g);
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

void redirect_reads(Graph& graph, const ByName<std::string>& to) {
  if (to.empty()) return;
  for (Node& node : graph.nodes) {
    for (std::string& name : node.inputs) if (const auto it = to.find(name); it != to.end()) name = it->second;
    for (auto& [name, a] : node.attributes) {
      if (auto* g = std::get_if<GraphRef>(&a)) *g = redirected(*g, to);
      if (auto* all = std::get_if<std::vector<GraphRef>>(&a)) for (GraphRef& g : *all) g = redirected(g, to);
    }
  }
}

BorrowedNames output_names(const Graph& graph) {
  BorrowedNames out;
  for (const ValueInfo& v : graph.outputs) out.insert(v.name);
  return out;
}

bool has_operator(const Graph& graph, std::string_view op) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) { return n.op == op && n.domain.empty(); });
}

const Tensor* constant_of(const Graph& graph, const std::string& name) {
  const auto it = graph.initializers.find(name);
  return it == graph.initializers.end() ? nullptr : &it->second;
}

bool is_plain(const Node& node, std::string_view op, size_t inputs) {
  return node.domain.empty() && node.op == op && node.inputs.size() == inputs && node.outputs.size() == 1;
}

}  // namespace onward
