// The nodes of a graph with the types of what they make, as `onward inspect` says them.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "onward/ops/infer_types.h"

namespace onward::cli {

// Rows of operator, output and type, for table_text; those of subgraphs are moved in.
std::vector<std::vector<std::string>> node_rows(const Graph& graph, const GraphTypes& types, int depth = 0);
nlohmann::ordered_json described_nodes(const Graph& graph, const GraphTypes& types);

}  // namespace onward::cli
