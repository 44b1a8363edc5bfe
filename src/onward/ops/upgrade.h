// Old nodes become nodes of the newest opset, functions of the model become their nodes, and operators without a kernel become the
// standard's definition of them in simpler ones.
#pragma once
#include "onward/ops/custom.h"

namespace onward {

// What the standard's table shows is done for every operator: attributes that became inputs of the same name, and defaults
// that changed. What it cannot show (the same words with a new sense) is in the operator's own `upgrades`. Afterwards the model has
// no functions and says the newest opsets. Throws Error{unsupported_operator} for what no kernel and no definition covers,
// Error{bad_model} for opsets that are not declared, Error{limit_size} when functions multiply without bound.
void modernise(Model& model, const CustomOperators& custom = {});

// The same, but nodes of operators that are not known here stay as they are.
void modernise_known(Model& model, const CustomOperators& custom = {});

// All operators of a model that cannot run here: "ai.onnx Foo: …", once each. Empty: the model can be modernised.
std::vector<std::string> missing_operators(const Model& model, const CustomOperators& custom = {});

// The node as the standard defines it in simpler operators; empty where it does not.
std::optional<Graph> meaning(const Node& node);

}  // namespace onward
