#include "onward/model/sort_nodes.h"

#include <functional>
#include <queue>
#include <set>

#include "onward/base/names.h"

namespace onward {
namespace {

using Makers = ByBorrowedName<size_t>;

Makers makers_of(const std::vector<Node>& nodes) {
  Makers out;
  out.reserve(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i)
    for (const std::string& name : nodes[i].outputs) if (!name.empty()) out.emplace(name, i);
  return out;
}

template <class Visit> void for_each_subgraph(const Node& node, const Visit& visit) {
  for (const auto& [name, a] : node.attributes) {
    if (auto* g = std::get_if<GraphRef>(&a); g && *g) visit(**g);
    if (auto* all = std::get_if<std::vector<GraphRef>>(&a)) for (const GraphRef& g : *all) if (g) visit(*g);
  }
}

// What a graph takes from around it.
void add_free(const Graph& graph, const std::function<void(const std::string&)>& add) {
  BorrowedNames own;
  for (const ValueInfo& v : graph.inputs) own.insert(v.name);
  for (const auto& [name, t] : graph.initializers) own.insert(name);
  for (const Node& node : graph.nodes) own.insert(node.outputs.begin(), node.outputs.end());
  const auto outside = [&](const std::string& name) { if (!own.contains(name)) add(name); };
  for (const Node& node : graph.nodes) {
    for (const std::string& name : node.inputs) outside(name);
    for_each_subgraph(node, [&](const Graph& g) { add_free(g, outside); });
  }
  for (const ValueInfo& v : graph.outputs) outside(v.name);
}

std::string named(const Node& node) { return "'" + (node.outputs.empty() ? node.name : node.outputs[0]) + "'"; }

// Subgraphs are shared and constant: a changed one is a copy.
void replace_subgraphs(Node& node, void (*change)(Graph&)) {
  const auto changed = [&](const GraphRef& graph) -> GraphRef {
    if (!graph) return graph;
    auto copy = std::make_shared<Graph>(*graph);
    change(*copy);
    return copy;
  };
  for (auto& [name, a] : node.attributes) {
    if (auto* g = std::get_if<GraphRef>(&a)) *g = changed(*g);
    if (auto* all = std::get_if<std::vector<GraphRef>>(&a)) for (GraphRef& g : *all) g = changed(g);
  }
}

bool has_subgraphs(const Node& node) {
  bool any = false;
  for_each_subgraph(node, [&](const Graph&) { any = true; });
  return any;
}

// Whether no node reads what only a later one of the same graph makes. Large graphs are asked this at every load: no copies of names.
bool in_order(const std::vector<Node>& nodes) {
  BorrowedNames unmade;
  unmade.reserve(nodes.size());
  for (const Node& node : nodes) for (const std::string& name : node.outputs) if (!name.empty()) unmade.insert(name);
  for (const Node& node : nodes) {
    for (const std::string& name : node.inputs) if (unmade.contains(name)) return false;
    if (has_subgraphs(node)) for (const std::string& name : values_read(node)) if (unmade.contains(name)) return false;
    for (const std::string& name : node.outputs) unmade.erase(name);
  }
  return true;
}

bool subgraphs_in_order(const Node& node) {
  bool all = true;
  for_each_subgraph(node, [&](const Graph& g) {
    all = all && in_order(g.nodes) && std::all_of(g.nodes.begin(), g.nodes.end(), subgraphs_in_order);
  });
  return all;
}

// Puts the nodes in order and answers {}; or how many others each node waits for, where there is a cycle, and leaves them as they are.
std::vector<size_t> arrange(std::vector<Node>& nodes) {
  const Makers makers = makers_of(nodes);
  std::vector<size_t> waits_for(nodes.size());
  std::vector<std::vector<size_t>> readers(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i)
    for (const std::string& name : values_read(nodes[i]))
      if (const auto it = makers.find(name); it != makers.end()) ++waits_for[i], readers[it->second].push_back(i);
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;       // the first in the file goes first
  for (size_t i = 0; i < nodes.size(); ++i) if (!waits_for[i]) ready.push(i);
  std::vector<size_t> order;
  for (; !ready.empty(); ) {
    const size_t i = ready.top();
    ready.pop(), order.push_back(i);
    for (size_t reader : readers[i]) if (--waits_for[reader] == 0) ready.push(reader);
  }
  if (order.size() < nodes.size()) return waits_for;
  std::vector<Node> out;
  out.reserve(nodes.size());
  for (size_t i : order) out.push_back(std::move(nodes[i]));
  nodes = std::move(out);
  return {};
}

// Every node in `waiting` waits for another one there: following them back must come round.
[[noreturn]] void fail_with_cycle(const std::vector<Node>& nodes, const Makers& makers, const std::vector<size_t>& waits_for) {
  const auto next = [&](size_t i) -> std::pair<size_t, std::string> {
    for (const std::string& name : values_read(nodes[i]))
      if (const auto it = makers.find(name); it != makers.end() && waits_for[it->second]) return {it->second, name};
    return {i, ""};
  };
  size_t at = 0;
  while (!waits_for[at]) ++at;
  for (std::set<size_t> seen; seen.insert(at).second;) at = next(at).first;
  fail(Code::bad_model, shown(nodes[at]), ": the graph has a cycle: ", cycle_through(nodes, at, next(at).second));
}

}  // namespace

std::vector<std::string> values_read(const Node& node) {
  std::vector<std::string> out;
  BorrowedNames seen{""};
  const auto add = [&](const std::string& name) { if (seen.insert(name).second) out.push_back(name); };
  for (const std::string& name : node.inputs) add(name);
  for_each_subgraph(node, [&](const Graph& g) { add_free(g, add); });
  return out;
}

std::string cycle_through(const std::vector<Node>& nodes, size_t at, std::string_view value) {
  constexpr size_t most = 10;                             // names in the text
  const Makers makers = makers_of(nodes);
  const auto made = makers.find(value);
  if (made == makers.end()) return "";
  std::vector<size_t> from(nodes.size(), SIZE_MAX), queue{made->second};        // breadth first, back along what is read
  std::vector<bool> seen(nodes.size());
  seen[made->second] = true;
  for (size_t q = 0; q < queue.size(); ++q) {
    if (queue[q] == at) {
      std::string out = named(nodes[at]);
      size_t n = 1;
      for (size_t i = from[at]; i != SIZE_MAX; i = from[i]) if (++n <= most) out += " -> " + named(nodes[i]);
      if (n > most) out += text(" -> … ", n - most, " more");
      return out + " -> " + named(nodes[at]);
    }
    for (const std::string& name : values_read(nodes[queue[q]]))
      if (const auto it = makers.find(name); it != makers.end() && !seen[it->second]) seen[it->second] = true, from[it->second] = queue[q], queue.push_back(it->second);
  }
  return "";
}

void sort_nodes(Graph& graph) {
  if (const auto waits_for = arrange(graph.nodes); !waits_for.empty()) fail_with_cycle(graph.nodes, makers_of(graph.nodes), waits_for);
  for (Node& node : graph.nodes) replace_subgraphs(node, sort_nodes);
}

static void put_in_order(std::vector<Node>& nodes) {
  if (!in_order(nodes)) arrange(nodes);
  for (Node& node : nodes)
    if (!subgraphs_in_order(node)) replace_subgraphs(node, [](Graph& inner) { put_in_order(inner.nodes); });
}

void put_in_order(Model& model) {
  put_in_order(model.graph.nodes);
  for (Function& f : model.functions) put_in_order(f.nodes);
}

}  // namespace onward
