// A graph under construction behind its handle: one of its own, or that of a conversion.
#pragma once
#include "onward/api/boundary.h"
#include "onward/graph/builder.h"

struct onward_graph {
  std::unique_ptr<onward::GraphBuilder> own;             // null in a conversion
  onward::GraphBuilder* graph = nullptr;
  std::shared_ptr<const onward::CustomOperators> operators = {};
  onward::Expr value(onward_expr id) const;              // throws Error{usage} for a number that is no value of it
};

namespace onward {

using NamedExprs = std::map<std::string, Expr, std::less<>>;

// Nodes in the text form of models, "y = Clip(x, low, high)\n z, where = TopK(y, k; axis=1)": their inputs are known by name or literals,
// and what they make becomes known. What operators say of shapes gives their results. Throws Error{usage, bad_model, unsupported_operator}.
void add_nodes(GraphBuilder& graph, std::string_view text, const CustomOperators& custom, NamedExprs& known);

}  // namespace onward
