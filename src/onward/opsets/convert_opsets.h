// A model for other versions of the standard: the same graph, names, subgraphs, functions and metadata; only nodes that another version
// writes otherwise change.
#pragma once
#include <set>

#include "onward/model/graph.h"

namespace onward {

inline constexpr int64_t oldest_opset = 7;                // of ai.onnx that is written; any version of ai.onnx.ml

struct OpsetConversion {
  size_t changed = 0;                                     // nodes that were not the same at both versions
  std::vector<std::string> lost = {};                     // what the older form cannot say, one sentence each
  std::set<std::string> notes = {};                       // what it costs, where the answers stay the same
};

// `target`: domain -> version. A version of ai.onnx alone takes ai.onnx.ml to the one of the same release where the model's is newer.
// The IR version is that of the release. Throws Error{usage} for versions that do not exist or are not written,
// Refusal{unsupported_operator} naming every node that has no form in the target, why, and the oldest version that has one; and what check
// and check_nodes throw.
OpsetConversion convert_opsets(Model& model, Opsets target);

// The oldest IR version that a file of these opsets may have.
int64_t ir_version_of(const Opsets& opsets);

}  // namespace onward
