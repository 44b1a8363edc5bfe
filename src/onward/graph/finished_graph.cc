// A builder's drafts -> the model's graph: only what the outputs need, in the order it was written down.
#include "onward/graph/builder.h"

namespace onward {

std::vector<bool> GraphBuilder::needed_values(const std::vector<int>& results, std::vector<bool>& needed_nodes) const {
  std::vector<bool> needed(values_.size());
  needed_nodes.assign(nodes_.size(), false);
  for (int id : results) needed[size_t(id)] = true;
  for (size_t i = nodes_.size(); i-- > 0;) {
    for (int id : nodes_[i].outputs)
      if (needed[size_t(id)]) needed_nodes[i] = true;
    if (!needed_nodes[i]) continue;
    for (int id : nodes_[i].inputs)
      if (id >= 0) needed[size_t(id)] = true;
    for (int id : nodes_[i].borrowed) needed[size_t(id)] = true;
  }
  return needed;
}

Graph GraphBuilder::graph(const std::vector<Output>& outputs) {
  std::vector<int> results;
  for (const Output& o : outputs) results.push_back(o.value.id);
  std::vector<bool> needed_nodes;
  const std::vector<bool> needed = needed_values(results, needed_nodes);

  // A value that is asked for takes the output's name, where it has a node and no name to keep; else an Identity gives it one.
  std::map<int, std::string> renamed;
  std::vector<std::string> output_names;
  std::vector<Node> copies;
  for (const Output& o : outputs) {
    const std::string name = output_names.emplace_back(unused(o.name));
    const bool free = at(o.value.id).node >= 0 && !kept_names_.contains(o.value.id) && !renamed.contains(o.value.id);
    if (free) renamed[o.value.id] = name;
    else copies.push_back({"", "Identity", "output/" + name, {at(o.value.id).name}, {name}});
  }
  const auto name_of_value = [&](int id) -> const std::string& {
    const auto r = renamed.find(id);
    return r == renamed.end() ? at(id).name : r->second;
  };
  for (Node& copy : copies)
    for (const auto& [id, name] : renamed)
      if (copy.inputs[0] == at(id).name) copy.inputs[0] = name;

  const auto info = [&](const std::string& name, const Value& v) {
    std::vector<DimInfo> shape;
    for (int64_t d : v.shape) shape.push_back(is_symbol(d) ? DimInfo{{}, symbols_.name(d)} : DimInfo{d, {}});
    return ValueInfo{name, TypeInfo::tensor(v.type, std::move(shape)), {}};
  };
  Graph g;
  g.name = "model";
  for (int id : inputs_) g.inputs.push_back(info(at(id).name, at(id)));
  for (size_t i = 0; i < outputs.size(); ++i) g.outputs.push_back(info(output_names[i], at(outputs[i].value.id)));
  for (const auto& [id, tensor] : constants_)
    if (needed[size_t(id)]) g.initializers.emplace(at(id).name, tensor);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!needed_nodes[i]) continue;
    const Draft& d = nodes_[i];
    Node node{d.domain, d.op, d.name, {}, {}, d.large ? d.large() : d.attributes};
    for (int id : d.inputs) node.inputs.push_back(id < 0 ? std::string() : name_of_value(id));
    for (int id : d.outputs) node.outputs.push_back(name_of_value(id));
    g.nodes.push_back(std::move(node));
  }
  std::move(copies.begin(), copies.end(), std::back_inserter(g.nodes));
  return g;
}

Model GraphBuilder::model(const std::vector<Output>& outputs) {
  Model m;
  m.producer = "onward";
  m.graph = graph(outputs);
  m.opsets = {{"", domains_.at("")}, {"ai.onnx.ml", domains_.at("ai.onnx.ml")}};
  for (const Node& node : m.graph.nodes)
    if (!m.opsets.contains(node.domain)) m.opsets[node.domain] = use_domain(node.domain);
  return m;
}

}  // namespace onward
