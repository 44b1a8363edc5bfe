#include "onward/ops/evaluate.h"

#include "onward/ops/node_types.h"

namespace onward {

std::vector<Value> evaluate(const Node& node, std::span<const Value> inputs, const RunContext& context) {
  const Operator* op = find_operator(node.domain, node.op);
  if (!op) unsupported("there is no kernel for operator ", node.domain, node.domain.empty() ? "" : ".", node.op);
  const auto constant = [&](std::string_view name) -> const Tensor* {
    for (size_t i = 0; i < node.inputs.size() && i < inputs.size(); ++i) if (node.inputs[i] == name) return inputs[i].tensor();
    return nullptr;
  };
  const auto self = op->create({node, constant, [](const GraphRef&) -> std::shared_ptr<const Body> { unsupported("a node with a subgraph cannot run on its own"); }});
  std::vector<Fact> facts, inferred(node.outputs.size());
  std::vector<const Value*> pointers;
  for (const Value& v : inputs) {
    const Tensor* t = v.tensor();
    facts.push_back(t ? Fact{t->type(), t->dims(), t, {}} : Fact{});
    pointers.push_back(v.empty() ? nullptr : &v);
  }
  NodeTypes(signature(node.domain, node.op), inferred.size()).begin(facts, inferred);
  Inference io{facts, inferred};
  op->infer(self.get(), io);
  std::vector<Value> outputs(node.outputs.size());
  for (size_t k = 0; k < outputs.size(); ++k)
    if (inferred[k].dims) outputs[k] = Tensor(inferred[k].type, *inferred[k].dims, context.budget);
  Call call{pointers, outputs, context};
  op->run(self.get(), call);
  return outputs;
}

}  // namespace onward
