// Structural rules of the standard that need no knowledge of operators.
#pragma once
#include "onward/model/graph.h"

namespace onward {

// Throws Error{bad_model} naming the node: names made twice, values read before they are made, cycles, missing opsets, functions that
// call themselves, attributes of a caller where there is none. Throws Error{limit_size} for graphs or calls nested too deeply, and
// for functions that would unfold into more nodes than any real model has.
void check(const Model& model);

}  // namespace onward
