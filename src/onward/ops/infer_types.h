// The type and shape of every value of a model, told without running it. Sizes that depend on the inputs are expressions over the
// names that the inputs declare: "2*batch*seq".
#pragma once
#include "onward/ops/graph_inference.h"

namespace onward {

struct InferredTypes {
  GraphTypes graph;                                      // by the names of the model as given, and of what its functions became
  std::vector<Error> problems;                           // what contradicts itself, naming the node; the first hundred
};

// Of any model, old ones and those with operators unknown here included: what cannot be told is left out, and nothing is thrown for it.
// Of custom operators only the types are told: their code is for runs.
InferredTypes infer_types(const Model& model, const CustomOperators& custom = {});

// Throws Error{bad_model} for the first contradiction.
void check_types(const Model& model, const CustomOperators& custom = {});

// Writes what was inferred into the model: the type of every value between inputs and outputs, and of outputs what the file leaves open.
void write_types(Model& model, const GraphTypes& types);

// The outputs of a model of the newest opset, completed where the file leaves them open.
void complete_outputs(std::vector<ValueInfo>& outputs, const Model& modern, const CustomOperators& custom);

}  // namespace onward
