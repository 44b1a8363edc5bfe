#include "onward/cli/graph_text.h"

#include <nlohmann/json.hpp>

#include "onward/cli/model_text.h"

namespace onward::cli {
namespace {

TypeInfo type_of_value(const GraphTypes& types, const std::string& name) {
  const auto it = types.values.find(name);
  return it == types.values.end() ? TypeInfo{} : it->second;
}

std::string operator_name(const Node& node) { return node.domain.empty() ? node.op : text(node.domain, ".", node.op); }

// f(attribute, body, its types)
template <class F> void for_each_body(const Node& node, const GraphTypes& types, F&& f) {
  static const GraphTypes unknown;
  for (const auto& [name, a] : node.attributes) {
    const auto* body = std::get_if<GraphRef>(&a);
    if (!body || !*body) continue;
    const auto it = types.bodies.find(text(node.outputs.empty() ? "" : node.outputs[0], "/", name));
    f(name, **body, it == types.bodies.end() ? unknown : it->second);
  }
}

}  // namespace

std::vector<std::vector<std::string>> node_rows(const Graph& graph, const GraphTypes& types, int depth) {
  std::vector<std::vector<std::string>> rows;
  const std::string indent(size_t(2 * depth), ' ');
  for (const Node& node : graph.nodes) {
    std::string op = indent + operator_name(node);
    for (const std::string& output : node.outputs)
      if (!output.empty()) rows.push_back({std::exchange(op, ""), output, shown(type_of_value(types, output))});
    for_each_body(node, types, [&](const std::string& name, const Graph& body, const GraphTypes& inside) {
      rows.push_back({text(indent, "  ", name, ":"), "", ""});
      auto more = node_rows(body, inside, depth + 2);
      std::move(more.begin(), more.end(), std::back_inserter(rows));
    });
  }
  return rows;
}

nlohmann::ordered_json described_nodes(const Graph& graph, const GraphTypes& types) {
  auto all = nlohmann::ordered_json::array();
  for (const Node& node : graph.nodes) {
    std::vector<ValueInfo> outputs;
    for (const std::string& name : node.outputs) outputs.push_back({name, name.empty() ? TypeInfo{} : type_of_value(types, name)});
    nlohmann::ordered_json one = {{"operator", operator_name(node)}, {"name", node.name}, {"inputs", node.inputs}, {"outputs", described(outputs)}};
    for_each_body(node, types, [&](const std::string& name, const Graph& body, const GraphTypes& inside) { one["bodies"][name] = described_nodes(body, inside); });
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace onward::cli
