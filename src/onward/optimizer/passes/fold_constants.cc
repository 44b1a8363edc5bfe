// Nodes whose inputs are all constants are run once, here. A node that throws stays: its error belongs to the run that reaches it.
#include "onward/ops/evaluate.h"
#include "onward/optimizer/passes.h"
#include "onward/optimizer/uses.h"

namespace onward::passes {
namespace {

bool may_fold(const Graph& graph, const Node& node) {
  if (!std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& name) { return name.empty() || graph.initializers.contains(name); })) return false;
  if (has_subgraph(node) || node.outputs.empty()) return false;
  const Operator* op = find_operator(node.domain, node.op);
  return op && !op->facts.random;
}

// Text lies outside the memory that a budget counts: every element may bring the longest one along.
size_t room_for(std::span<const Value> inputs, size_t limit) {
  size_t longest = 0;
  for (const Value& v : inputs)
    if (const Tensor* t = v.tensor(); t && t->type() == DataType::str)
      for (const std::string& s : t->values<std::string>()) longest = std::max(longest, s.size());
  return limit / (1 + longest / sizeof(std::string));
}

std::optional<std::vector<Value>> folded(const Graph& graph, const Node& node, size_t limit) {
  std::vector<Value> inputs;
  for (const std::string& name : node.inputs) inputs.push_back(name.empty() ? Value() : Value(graph.initializers.find(name)->second));
  RunContext context;
  context.budget = std::make_shared<MemoryBudget>(room_for(inputs, limit));
  try {
    auto out = evaluate(node, inputs, context);
    for (size_t k = 0; k < out.size(); ++k) if (!node.outputs[k].empty() && !out[k].tensor()) return std::nullopt;   // sequences and absent optionals are no initializers
    return out;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
}

}  // namespace

int fold_constants(Graph& graph, const OptimizeOptions& options) {
  size_t kept = 0;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    auto values = may_fold(graph, node) ? folded(graph, node, options.largest_folded) : std::nullopt;
    if (!values) {
      if (kept != i) graph.nodes[kept] = std::move(node);
      ++kept;
      continue;
    }
    for (size_t k = 0; k < values->size(); ++k)
      if (!node.outputs[k].empty() && !(*values)[k].empty()) graph.initializers[node.outputs[k]] = std::get<Tensor>(std::move((*values)[k]));
  }
  const int changes = int(graph.nodes.size() - kept);
  graph.nodes.resize(kept);
  return changes;
}

}  // namespace onward::passes
