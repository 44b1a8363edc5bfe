// Nodes against the standard's signatures at the model's own opsets: numbers of inputs and outputs, names and kinds of attributes.
#pragma once
#include "onward/ops/custom.h"

namespace onward {

// Throws Error{bad_model} naming the node and what the standard, or who registered the operator, says. Others are not judged here.
void check_nodes(const Model& model, const CustomOperators& custom = {});
// The same of the inputs alone, once nodes are of the newest version: what was an attribute that could be left out may now be missing.
void check_modernised(const Model& model, const CustomOperators& custom = {});

}  // namespace onward
