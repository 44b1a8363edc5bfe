// The operator Gradient as nodes: reverse-mode differentiation of the graph before it.
#pragma once
#include <functional>
#include <map>

#include "onward/model/graph.h"
#include "onward/ops/signature.h"

namespace onward {

inline bool is_gradient(const Node& node) { return node.op == "Gradient" && node.domain == "ai.onnx.preview.training"; }

// The graph that is written to. One for all Gradient nodes of a graph.
struct Differentiated {
  std::vector<Node>& nodes;                              // those before, of the newest opset; `write` appends to them
  std::function<std::string(const std::string&)> fresh;  // a name that no value has
  // Appends `text` in the place of a node, whose inputs, outputs and attributes it calls by the names of the form.
  std::function<void(const Node&, const Signature& form, std::string_view text)> write;
  std::function<void(size_t)> count;                     // of nodes that were looked at: throws when there are too many
  std::map<std::string, size_t, std::less<>> makers = {};   // of each value, as far as `indexed`
  size_t indexed = 0;
};

// Throws Error{unsupported_operator} that names the operator without a derivative, Error{bad_value} for names that do not fit.
void differentiate(const Node& gradient, Differentiated& graph);

}  // namespace onward
