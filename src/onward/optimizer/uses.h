// Which names a graph reads, subgraphs included, and how a value is renamed everywhere it is read.
#pragma once
#include <functional>

#include "onward/base/names.h"
#include "onward/model/graph.h"

namespace onward {

// Names that a node reads: its inputs, and what its subgraphs take from outside.
void for_each_read(const Node& node, const std::function<void(const std::string&)>& f);
bool has_subgraph(const Node& node);
// Reads of the keys become reads of the values, in nodes and in their subgraphs, wherever the name is not made again inside.
void redirect_reads(Graph& graph, const ByName<std::string>& to);
BorrowedNames output_names(const Graph& graph);
bool has_operator(const Graph& graph, std::string_view op);                              // of the standard's own domain
const Tensor* constant_of(const Graph& graph, const std::string& name);                  // null for what is no initializer
// A node of the standard's own domain with these many inputs and one output.
bool is_plain(const Node& node, std::string_view op, size_t inputs);

}  // namespace onward
