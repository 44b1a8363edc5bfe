#include "onward/ops/evaluate.h"

#include <climits>

namespace onward {

std::vector<int> output_type_sources(const Signature* form, size_t outputs) {
  std::vector<int> out(outputs, INT_MIN);
  if (!form) return out;
  const auto in_ports = ports(form->inputs), out_ports = ports(form->outputs);
  for (size_t k = 0; k < outputs && !out_ports.empty(); ++k) {
    const Port& port = out_ports[std::min(k, out_ports.size() - 1)];
    for (size_t i = 0; i < in_ports.size() && out[k] == INT_MIN; ++i) if (in_ports[i].type == port.type) out[k] = int(i);
    if (!port.type.starts_with("tensor(")) continue;
    const auto name = port.type.substr(7, port.type.size() - 8);
    const auto it = std::find(std::begin(type_names), std::end(type_names), name);
    if (it != std::end(type_names)) out[k] = ~int(it - std::begin(type_names));
  }
  return out;
}

DataType output_type(int source, std::span<const Fact> inputs) {
  if (source == INT_MIN) return DataType::none;
  if (source < 0) return DataType(~source);
  return size_t(source) < inputs.size() ? inputs[size_t(source)].type : DataType::none;
}

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
  const auto sources = output_type_sources(signature(node.domain, node.op), node.outputs.size());
  for (size_t k = 0; k < inferred.size(); ++k) inferred[k].type = output_type(sources[k], facts);
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
