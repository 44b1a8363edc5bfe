// Derivatives of the operators, as text.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "onward/model/graph.h"

namespace onward {

// What a node passes back to its inputs. In a formula `x0`, `x1`, … are the node's inputs, `y` is its first output, `g` the gradient that
// arrives there; `@name` is an attribute of the node.
struct GradientRule {
  std::string_view op;
  bool broadcasts = false;                               // gradients are summed over the axes along which an input was repeated
  std::vector<std::string_view> formulas = {};           // one an input; empty or missing: nothing flows to it
  std::string (*formula)(const Node&, size_t input) = nullptr;   // where the text depends on attributes or the number of inputs
};

std::span<const GradientRule> gradient_rules();
// Null: the operator has no rule (its definition in simpler operators may be differentiated instead).
const GradientRule* gradient_rule(const Node& node);
std::string formula_of(const GradientRule& rule, const Node& node, size_t input);

}  // namespace onward
