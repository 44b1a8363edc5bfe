// Nodes whose outputs nothing reads, and initializers likewise. A graph's inputs stay: they are its signature.
#include "onward/optimizer/passes.h"
#include "onward/optimizer/uses.h"

namespace onward::passes {

int remove_dead_nodes(Graph& graph, const OptimizeOptions&) {
  BorrowedNames needed = output_names(graph);
  needed.reserve(graph.nodes.size());
  std::vector<bool> live(graph.nodes.size());
  for (size_t i = graph.nodes.size(); i-- > 0;) {         // readers come after what they read
    const Node& node = graph.nodes[i];
    live[i] = std::any_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& o) { return needed.contains(o); });
    if (live[i]) for_each_read(node, [&](const std::string& name) { needed.insert(name); });
  }
  const size_t before = graph.nodes.size() + graph.initializers.size();
  BorrowedNames inputs;
  for (const ValueInfo& v : graph.inputs) inputs.insert(v.name);
  std::erase_if(graph.initializers, [&](const auto& entry) { return !needed.contains(entry.first) && !inputs.contains(entry.first); });
  size_t kept = 0;                                        // the names that are needed move from here on
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (live[i]) {
      if (kept != i) graph.nodes[kept] = std::move(graph.nodes[i]);
      ++kept;
    }
  graph.nodes.resize(kept);
  return int(before - graph.nodes.size() - graph.initializers.size());
}

}  // namespace onward::passes
