#include "onward/optimizer/ranks.h"

#include <algorithm>

namespace onward {

// Upwards along what varies: constants beside it can only add axes.
std::optional<int64_t> rank_of(const Graph& graph, const Links& links, std::string value) {
  constexpr std::string_view element_wise[] = {"Cast", "Identity", "Relu", "Tanh", "Sigmoid", "Softmax", "Exp", "Add", "Sub", "Mul", "Div", "Max", "MatMul"};
  constexpr int farthest = 32;
  int64_t added = 0;
  for (int step = 0; step < farthest; ++step) {
    for (const ValueInfo& v : graph.inputs)
      if (v.name == value) return v.type.kind == TypeInfo::Kind::tensor && v.type.shape ? std::optional(std::max(added, int64_t(v.type.shape->size()))) : std::nullopt;
    const Node* node = links.maker(value);
    if (!node || !node->domain.empty() || node->outputs.size() != 1 || std::find(std::begin(element_wise), std::end(element_wise), node->op) == std::end(element_wise)) return std::nullopt;
    const std::string* varies = nullptr;
    for (const std::string& input : node->inputs) {
      const Tensor* constant = constant_of(graph, input);
      if (constant) added = std::max(added, constant->rank());
      else if (!varies) varies = &input;
      else if (*varies != input) return std::nullopt;
    }
    if (!varies) return std::nullopt;
    if (node->op == "MatMul") {                           // by a matrix it keeps the rank
      const Tensor* right = node->inputs.size() == 2 ? constant_of(graph, node->inputs[1]) : nullptr;
      if (!right || right->rank() != 2 || added > 2) return std::nullopt;
      added = 0;
    }
    value = *varies;
  }
  return std::nullopt;
}

}  // namespace onward
