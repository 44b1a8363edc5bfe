// Casts of the model's inputs to the type that they are declared with pass on what they get. Where the cast is an output it stays: an
// output is no input.
#include "onward/optimizer/passes.h"
#include "onward/optimizer/uses.h"

namespace onward::passes {

int drop_input_casts(Graph& graph, const OptimizeOptions&) {
  if (!has_operator(graph, "Cast")) return 0;
  ByName<int64_t> declared;
  for (const ValueInfo& v : graph.inputs) if (v.type.kind == TypeInfo::Kind::tensor) declared[v.name] = int64_t(v.type.element);
  const BorrowedNames outputs = output_names(graph);
  ByName<std::string> to;                                 // reads of the key become reads of the value
  std::vector<Node> kept;
  kept.reserve(graph.nodes.size());
  for (Node& node : graph.nodes) {
    const auto type = is_plain(node, "Cast", 1) ? declared.find(node.inputs[0]) : declared.end();
    const auto it = node.attributes.find("to");
    const auto* wanted = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
    if (type != declared.end() && wanted && *wanted == type->second && !outputs.contains(node.outputs[0])) to[node.outputs[0]] = node.inputs[0];
    else kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
  redirect_reads(graph, to);
  return int(to.size());
}

}  // namespace onward::passes
