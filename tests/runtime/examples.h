// The examples that operators bring along, as graphs.
#pragma once
#include <string>
#include <vector>

#include "onward/model/text.h"
#include "onward/ops/operator.h"

namespace onward {

struct Example { Graph graph; std::vector<Tensor> expected; };

inline Example parse_example(const Operator& op, std::string_view text) {
  const size_t arrow = text.find(" -> ") + 1;            // an equation of Einsum has one without spaces
  Example out;
  const Graph answers = parse_nodes("e = Expected(" + std::string(text.substr(arrow + 2)) + ")");
  for (const auto& name : answers.nodes[0].inputs) out.expected.push_back(answers.initializers.at(name));
  std::string outputs = "y0";
  for (size_t i = 1; i < out.expected.size(); ++i) outputs += ", y" + std::to_string(i);
  const std::string name = (op.name.domain.empty() ? "" : std::string(op.name.domain) + ".") + std::string(op.name.op);
  out.graph = parse_nodes(outputs + " = " + name + "(" + std::string(text.substr(0, arrow)) + ")");
  for (const std::string& o : out.graph.nodes[0].outputs) out.graph.outputs.push_back({o, {}, {}});
  return out;
}

}  // namespace onward
