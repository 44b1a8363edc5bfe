#include "onward/model/check.h"

#include <set>

namespace onward {
namespace {

using Names = std::set<std::string, std::less<>>;

// The names a graph can see: its own and those around it.
struct Scope {
  Names made;
  const Scope* outer = nullptr;
  bool sees(const std::string& name) const { return made.contains(name) || (outer && outer->sees(name)); }
};

// A value that a later node makes: the nodes on the way back from it to this one, if it is a cycle.
std::string cycle_through(const std::vector<Node>& nodes, size_t at, const std::string& value) {
  std::map<std::string, size_t, std::less<>> maker;
  for (size_t i = 0; i < nodes.size(); ++i) for (const std::string& o : nodes[i].outputs) if (!o.empty()) maker.emplace(o, i);
  const auto made = maker.find(value);
  if (made == maker.end()) return "";
  std::vector<size_t> from(nodes.size(), SIZE_MAX), queue{made->second};        // breadth first, from the maker back along its inputs
  std::set<size_t> seen{made->second};
  for (size_t q = 0; q < queue.size(); ++q) {
    if (queue[q] == at) {
      std::string out;
      for (size_t i = at; i != SIZE_MAX; i = from[i]) out += text(out.empty() ? "" : " -> ", "'", nodes[i].outputs.empty() ? nodes[i].name : nodes[i].outputs[0], "'");
      return out + " -> '" + (nodes[at].outputs.empty() ? nodes[at].name : nodes[at].outputs[0]) + "'";
    }
    for (const std::string& in : nodes[queue[q]].inputs)
      if (const auto it = maker.find(in); it != maker.end() && seen.insert(it->second).second) from[it->second] = queue[q], queue.push_back(it->second);
  }
  return "";
}

void check_read(const std::vector<Node>& nodes, size_t at, const std::string& name, const Scope& scope) {
  if (name.empty() || scope.sees(name)) return;
  for (size_t i = at; i < nodes.size(); ++i)
    if (std::find(nodes[i].outputs.begin(), nodes[i].outputs.end(), name) != nodes[i].outputs.end()) {
      const std::string cycle = cycle_through(nodes, at, name);
      if (!cycle.empty()) fail(Code::bad_model, shown(nodes[at]), ": the graph has a cycle: ", cycle);
      throw Error(Code::bad_model, text(shown(nodes[at]), ": reads '", name, "', which only ", shown(nodes[i]), " makes, further down"), "nodes must stand after those whose outputs they read");
    }
  fail(Code::bad_model, shown(nodes[at]), ": reads '", name, "', which nothing makes");
}

void check_nodes(const std::vector<Node>& nodes, Scope& scope, const Opsets& opsets, int depth);

void check_graph(const Graph& graph, const Scope* outer, const Opsets& opsets, int depth) {
  constexpr int deepest = 64;
  if (depth > deepest) fail(Code::limit_size, "graphs are nested more than ", deepest, " deep");
  Scope scope{{}, outer};
  for (const ValueInfo& v : graph.inputs) {
    if (v.name.empty()) fail(Code::bad_model, "an input of graph '", graph.name, "' has no name");
    if (!scope.made.insert(v.name).second) fail(Code::bad_model, "input '", v.name, "' is declared twice");
  }
  for (const auto& [name, tensor] : graph.initializers) scope.made.insert(name);
  check_nodes(graph.nodes, scope, opsets, depth);
  Names outputs;
  for (const ValueInfo& v : graph.outputs) {
    if (v.name.empty() || !scope.sees(v.name)) fail(Code::bad_model, "output '", v.name, "' of graph '", graph.name, "' is made by nothing");
    if (depth == 0 && !outputs.insert(v.name).second) fail(Code::bad_model, "output '", v.name, "' is declared twice");
  }
}

void check_nodes(const std::vector<Node>& nodes, Scope& scope, const Opsets& opsets, int depth) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (node.op.empty()) fail(Code::bad_model, shown(node), ": has no operator");
    if (node.outputs.empty()) fail(Code::bad_model, shown(node), ": has no outputs");
    if (!opsets.contains(node.domain))
      throw Error(Code::bad_model, text(shown(node), ": the model does not say which opset of domain '", node.domain.empty() ? "ai.onnx" : node.domain, "' it uses"), "add an opset_import for it");
    for (const std::string& name : node.inputs) check_read(nodes, i, name, scope);
    for (const auto& [name, a] : node.attributes) {
      if (auto* g = std::get_if<GraphRef>(&a); g && *g) check_graph(**g, &scope, opsets, depth + 1);
      if (auto* all = std::get_if<std::vector<GraphRef>>(&a)) for (const GraphRef& g : *all) if (g) check_graph(*g, &scope, opsets, depth + 1);
    }
    for (const std::string& name : node.outputs)
      if (!name.empty() && !scope.made.insert(name).second) fail(Code::bad_model, shown(node), ": makes '", name, "', which is already made");
  }
}

std::string key(const Function& f) { return text(f.domain, ".", f.name, f.overload.empty() ? "" : ":", f.overload); }

// Functions may call functions, never themselves.
void check_recursion(const std::map<std::string, const Function*>& all, const Function& f, std::map<std::string, int>& state, int depth) {
  if (depth > 64) fail(Code::limit_size, "functions call each other more than 64 deep");
  int& mine = state[key(f)];                              // 1: on the way, 2: done
  if (mine == 1) fail(Code::bad_model, "function ", key(f), " calls itself");
  if (mine == 2) return;
  mine = 1;
  for (const Node& node : f.nodes)
    if (const auto it = all.find(text(node.domain, ".", node.op, node.overload.empty() ? "" : ":", node.overload)); it != all.end()) check_recursion(all, *it->second, state, depth + 1);
  state[key(f)] = 2;
}

void check_functions(const Model& model) {
  std::map<std::string, const Function*> all;
  for (const Function& f : model.functions)
    if (!all.emplace(key(f), &f).second) fail(Code::bad_model, "function ", key(f), " is defined twice");
  std::map<std::string, int> state;
  for (const Function& f : model.functions) {
    check_recursion(all, f, state, 0);
    Scope scope;
    for (const std::string& name : f.inputs) if (!scope.made.insert(name).second) fail(Code::bad_model, "function ", key(f), ": input '", name, "' is declared twice");
    try {
      check_nodes(f.nodes, scope, f.opsets, 0);
      for (const std::string& name : f.outputs) if (!scope.sees(name)) fail(Code::bad_model, "output '", name, "' is made by nothing");
    } catch (Error& e) {
      throw e.within("function " + key(f));
    }
  }
}

}  // namespace

void check(const Model& model) {
  if (model.opsets.empty()) throw Error(Code::bad_model, "the model does not say which opset it uses", "add an opset_import");
  check_functions(model);
  check_graph(model.graph, nullptr, model.opsets, 0);
}

}  // namespace onward
