// One node run on its own: for constant folding and for tests.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

// Where each output of a node takes its type from, as the standard's signature ties them together: the index of an input, or
// ~DataType, or INT_MIN where only infer can tell. `form` may be null.
std::vector<int> output_type_sources(const Signature* form, size_t outputs);
// The type that `source` gives for these inputs; DataType::none where infer must tell.
DataType output_type(int source, std::span<const Fact> inputs);

// Throws what the operator throws. Nodes with subgraphs cannot be run so.
std::vector<Value> evaluate(const Node& node, std::span<const Value> inputs, const RunContext& context = {});

}  // namespace onward
