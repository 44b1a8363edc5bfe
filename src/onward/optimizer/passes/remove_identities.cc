// Nodes that pass their input on unchanged. An output of the graph keeps its name: there the node before is renamed, or the node stays.
#include "onward/optimizer/passes.h"
#include "onward/optimizer/uses.h"

namespace onward::passes {
namespace {

bool passes_on(const Node& node) {
  if (!node.domain.empty() || node.inputs.empty() || node.inputs[0].empty()) return false;
  if (node.op == "Identity") return true;
  // Only a training flag makes Dropout do something; a mask output must be computed.
  return node.op == "Dropout" && node.inputs.size() < 3 && node.outputs.size() == 1;
}

}  // namespace

int remove_identities(Graph& graph, const OptimizeOptions&) {
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), passes_on)) return 0;
  const BorrowedNames outputs = output_names(graph);
  Names made;
  for (const Node& node : graph.nodes) made.insert(node.outputs.begin(), node.outputs.end());
  ByName<std::string> to;                                 // reads of the key become reads of the value
  ByName<std::string> renamed;                            // a value inside that becomes an output of the graph
  std::vector<Node> kept;
  kept.reserve(graph.nodes.size());
  for (Node& node : graph.nodes) {
    if (!passes_on(node)) { kept.push_back(std::move(node)); continue; }
    const auto known = to.find(node.inputs[0]);
    const std::string from = known == to.end() ? node.inputs[0] : known->second;
    if (!outputs.contains(node.outputs[0])) to[node.outputs[0]] = from;
    else if (made.contains(from) && !outputs.contains(from) && !renamed.contains(from)) renamed[from] = node.outputs[0];
    else kept.push_back(std::move(node));
  }
  const int removed = int(graph.nodes.size() - kept.size());
  graph.nodes = std::move(kept);
  for (auto& [key, value] : to) if (const auto it = renamed.find(value); it != renamed.end()) value = it->second;
  redirect_reads(graph, to);
  redirect_reads(graph, renamed);
  for (Node& node : graph.nodes) for (std::string& o : node.outputs) if (const auto it = renamed.find(o); it != renamed.end()) o = it->second;
  return removed;
}

}  // namespace onward::passes
