// What a graph compares the columns of its inputs with: thresholds of trees, members of their sets, keys of encoders.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "onward/model/graph.h"

namespace onward {

struct ComparedConstants {
  using Column = std::pair<std::string, int64_t>;        // of an input: its name, and the place along the second axis
  std::map<Column, std::vector<double>> thresholds, values;   // ascending, each once
  std::map<Column, std::vector<std::string>> words;
};
// Follows columns through nodes that only pick, join and cast them.
ComparedConstants compared_constants(const Graph& graph);

}  // namespace onward
