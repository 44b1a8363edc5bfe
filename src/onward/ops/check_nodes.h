// Nodes against the standard's signatures at the model's own opsets: numbers of inputs and outputs, names and kinds of attributes.
#pragma once
#include "onward/model/graph.h"

namespace onward {

// Throws Error{bad_model} naming the node and what the standard says. Operators that are not of the standard are not judged here.
void check_nodes(const Model& model);

}  // namespace onward
