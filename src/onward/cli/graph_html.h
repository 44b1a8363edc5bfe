// A graph as one HTML page: drawn as SVG here, so it needs no script and no network.
#pragma once
#include "onward/ops/infer_types.h"

namespace onward::cli {

// Inputs on top, outputs below; a node's title says its attributes and the types of its outputs. Beyond `most_nodes` only the first are drawn.
std::string graph_html(const std::string& title, const Graph& graph, const GraphTypes& types, size_t most_nodes = 2000);

}  // namespace onward::cli
