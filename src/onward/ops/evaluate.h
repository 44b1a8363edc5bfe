// One node run on its own: for constant folding and for tests.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

// Throws what the operator throws. Nodes with subgraphs cannot be run so.
std::vector<Value> evaluate(const Node& node, std::span<const Value> inputs, const RunContext& context = {});

}  // namespace onward
