// Nodes whose inputs are all constants are run once, here. A node that throws stays: its error belongs to the run that reaches it.
#include "onward/ops/evaluate.h"
#include "onward/optimizer/passes.h"
#include "onward/optimizer/uses.h"

namespace onward::passes {
namespace {

bool may_fold(const Graph& graph, const Node& node) {
  if (has_subgraph(node) || node.outputs.empty()) return false;
  const Operator* op = find_operator(node.domain, node.op);
  if (!op || op->facts.random) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& name) { return name.empty() || graph.initializers.contains(name); });
}

std::optional<std::vector<Value>> folded(const Graph& graph, const Node& node, size_t limit) {
  std::vector<Value> inputs;
  for (const std::string& name : node.inputs) inputs.push_back(name.empty() ? Value() : Value(graph.initializers.find(name)->second));
  RunContext context;
  context.budget = std::make_shared<MemoryBudget>(limit);
  try {
    auto out = evaluate(node, inputs, context);
    for (size_t k = 0; k < out.size(); ++k) if (!node.outputs[k].empty() && !out[k].tensor()) return std::nullopt;   // sequences and absent optionals are no initializers
    return out;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

int fold_constants(Graph& graph, const OptimizeOptions& options) {
  std::vector<Node> kept;
  int changes = 0;
  for (Node& node : graph.nodes) {
    auto values = may_fold(graph, node) ? folded(graph, node, options.largest_folded) : std::nullopt;
    if (!values) { kept.push_back(std::move(node)); continue; }
    ++changes;
    for (size_t k = 0; k < values->size(); ++k)
      if (!node.outputs[k].empty() && !(*values)[k].empty()) graph.initializers[node.outputs[k]] = std::get<Tensor>(std::move((*values)[k]));
  }
  graph.nodes = std::move(kept);
  return changes;
}

}  // namespace onward::passes
