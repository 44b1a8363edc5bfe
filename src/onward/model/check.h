// Structural rules of the standard that need no knowledge of operators.
#pragma once
#include "onward/model/graph.h"

namespace onward {

// Throws Error{bad_model} naming the node: names made twice, values read before they are made, cycles, missing opsets, …
void check(const Model& model);

}  // namespace onward
