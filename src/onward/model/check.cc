#include "onward/model/check.h"

#include "onward/base/names.h"
#include "onward/model/check_functions.h"
#include "onward/model/sort_nodes.h"

namespace onward {
namespace {

// The names a graph can see, its own and those around it, and the node that is being looked at.
struct Scope {
  const std::vector<Node>& nodes;
  const Opsets& opsets;
  const Function* function = nullptr;                     // whose body this is part of
  const Scope* outer = nullptr;
  int depth = 0;
  size_t at = 0;
  BorrowedNames made = {};

  bool sees(const std::string& name) const { return made.contains(name) || (outer && outer->sees(name)); }
  void add_input(const std::string& name, std::string_view of) {
    if (name.empty()) fail(Code::bad_model, "an input", of, " has no name");
    if (!made.insert(name).second) fail(Code::bad_model, "input '", name, "'", of, " is declared twice");
  }
};

// Nothing before the node makes `name`: says what does, here or in a graph around this one.
[[noreturn]] void fail_unmade(const Node& node, const std::string& name, const Scope& scope) {
  for (const Scope* s = &scope; s; s = s->outer)
    for (size_t i = s->at; i < s->nodes.size(); ++i) {
      const auto& outputs = s->nodes[i].outputs;
      if (std::find(outputs.begin(), outputs.end(), name) == outputs.end()) continue;
      const std::string cycle = cycle_through(s->nodes, s->at, name);
      if (!cycle.empty()) fail(Code::bad_model, shown(node), ": the graph has a cycle: ", cycle);
      throw Error(Code::bad_model, text(shown(node), ": reads '", name, "', which only ", shown(s->nodes[i]), " makes, further down"), "nodes must stand after those whose outputs they read");
    }
  fail(Code::bad_model, shown(node), ": reads '", name, "', which nothing makes");
}

void check_nodes(Scope& scope);

void check_graph(const Graph& graph, const Opsets& opsets, const Function* function, const Scope* outer) {
  constexpr int deepest = 64;
  Scope scope{graph.nodes, opsets, function, outer, outer ? outer->depth + 1 : 0};
  if (scope.depth > deepest) fail(Code::limit_size, "graphs are nested more than ", deepest, " deep");
  scope.made.reserve(graph.inputs.size() + graph.initializers.size() + graph.nodes.size());
  for (const ValueInfo& v : graph.inputs) scope.add_input(v.name, " of graph '" + graph.name + "'");
  for (const auto& [name, tensor] : graph.initializers) scope.made.insert(name);
  check_nodes(scope);
  BorrowedNames outputs;
  for (const ValueInfo& v : graph.outputs) {
    if (v.name.empty() || !scope.sees(v.name)) fail(Code::bad_model, "output '", v.name, "' of graph '", graph.name, "' is made by nothing");
    if (!outer && !outputs.insert(v.name).second) fail(Code::bad_model, "output '", v.name, "' of graph '", graph.name, "' is declared twice");
  }
}

void check_attributes(const Node& node, const Scope& scope) {
  const auto subgraph = [&](const GraphRef& g) {
    if (!g) fail(Code::bad_model, shown(node), ": an attribute is a graph that is not there");
    check_graph(*g, scope.opsets, scope.function, &scope);
  };
  for (const auto& [name, a] : node.attributes) {
    if (auto* g = std::get_if<GraphRef>(&a)) subgraph(*g);
    if (auto* all = std::get_if<std::vector<GraphRef>>(&a)) for (const GraphRef& g : *all) subgraph(g);
    auto* of = std::get_if<AttributeOfCaller>(&a);
    if (!of) continue;
    const Function* f = scope.function;
    if (!f) fail(Code::bad_model, shown(node), ": attribute '", name, "' takes the caller's '", of->name, "', but this is no function's body");
    if (!f->defaults.contains(of->name) && std::find(f->attributes.begin(), f->attributes.end(), of->name) == f->attributes.end())
      fail(Code::bad_model, shown(node), ": attribute '", name, "' takes the caller's '", of->name, "', which the function does not declare");
  }
}

void check_node(const Node& node, Scope& scope) {
  if (node.op.empty()) fail(Code::bad_model, shown(node), ": has no operator");
  if (node.outputs.empty()) fail(Code::bad_model, shown(node), ": has no outputs");
  if (!scope.opsets.contains(node.domain))
    throw Error(Code::bad_model, text(shown(node), ": the ", scope.function ? "function" : "model", " does not say which opset of domain '", node.domain.empty() ? "ai.onnx" : node.domain, "' it uses"), "add an opset_import for it");
  for (const std::string& name : node.inputs) if (!name.empty() && !scope.sees(name)) fail_unmade(node, name, scope);
  check_attributes(node, scope);
  for (const std::string& name : node.outputs)
    if (!name.empty() && !scope.made.insert(name).second) fail(Code::bad_model, shown(node), ": makes '", name, "', which is already made");
}

void check_nodes(Scope& scope) {
  for (scope.at = 0; scope.at < scope.nodes.size(); ++scope.at) check_node(scope.nodes[scope.at], scope);
}

void check_versions(const Opsets& opsets) {
  for (const auto& [domain, version] : opsets)
    if (version < 1) fail(Code::bad_model, "opset ", version, " of domain '", domain.empty() ? "ai.onnx" : domain, "' is no version");
}

void check_body(const Function& f) {
  check_versions(f.opsets);
  Scope scope{f.nodes, f.opsets, &f};
  for (const std::string& name : f.inputs) scope.add_input(name, "");
  check_nodes(scope);
  for (const std::string& name : f.outputs) if (!scope.sees(name)) fail(Code::bad_model, "output '", name, "' is made by nothing");
}

}  // namespace

void check(const Model& model) {
  if (model.opsets.empty()) throw Error(Code::bad_model, "the model does not say which opset it uses", "add an opset_import");
  check_versions(model.opsets);
  check_functions(model);
  for (const Function& f : model.functions) {
    try {
      check_body(f);
    } catch (Error& e) {
      throw e.within("function " + shown(f));
    }
  }
  check_graph(model.graph, model.opsets, nullptr, nullptr);
}

}  // namespace onward
