// Makes a graph smaller and faster without changing what it computes. Every optimisation has a name, is timed, and can be left out.
#pragma once
#include "onward/model/graph.h"

namespace onward {

struct OptimizeOptions {
  bool only_basic = false;                       // removal of what is not needed and folding of constants; no rewrites
  std::vector<std::string> disabled = {};        // names; an unknown one is an error with the nearest known
  size_t largest_folded = 64 << 20;              // bytes of a folded constant: an Expand of a scalar stays an Expand
};

struct Applied { std::string_view name; int changes; double milliseconds; };

// The graph must be modernised (ops/upgrade.h). Throws Error{usage} for an unknown name in `disabled`.
std::vector<Applied> optimize(Graph& graph, const OptimizeOptions& options = {});
// What a session does beside: its operators of domain `onward` are faster, and no file should hold them.
std::vector<Applied> optimize_for_session(Graph& graph, const OptimizeOptions& options = {});
std::vector<std::string_view> optimization_names();

}  // namespace onward
