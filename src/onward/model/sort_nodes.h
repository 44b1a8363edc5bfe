// The order of nodes: each after those whose outputs it reads.
#pragma once
#include "onward/model/graph.h"

namespace onward {

// What a node reads: its inputs and whatever its subgraphs take from around them, in order, without repetition or "".
std::vector<std::string> values_read(const Node& node);

// Puts the nodes in order, those of subgraphs too; nodes that may stay where they are stay there. Throws Error{bad_model} naming a cycle.
void sort_nodes(Graph& graph);

// The standard asks files to be in order, and `check` refuses others; but tools that append nodes write such files, and other runtimes run
// them. Sorts a model where it must; what lies in a cycle stays as it is, for `check` to tell.
void put_in_order(Model& model);

// "'a' -> 'b' -> 'a'": a cycle through node `at`, which reads `value`; "" where what makes `value` does not depend on that node.
std::string cycle_through(const std::vector<Node>& nodes, size_t at, std::string_view value);

}  // namespace onward
