// Which functions of a model call which.
#pragma once
#include "onward/model/graph.h"

namespace onward {

std::string shown(const Function& function);              // "domain.name:overload"

// Throws Error{bad_model} for functions defined twice, without a name, or calling themselves, over others or from subgraphs too;
// Error{limit_size} for calls nested too deeply or a model that unfolds into too many nodes.
void check_functions(const Model& model);

}  // namespace onward
