// The options --opset and --ml-opset of the commands that write models.
#pragma once
#include "onward/cli/call.h"
#include "onward/opsets/convert_opsets.h"

namespace onward::cli {

inline constexpr Option opset_option{"--opset", "N", "version of ai.onnx to write, from 7; ai.onnx.ml follows to the version of that release"};
inline constexpr Option ml_opset_option{"--ml-opset", "N", "version of ai.onnx.ml to write, from 1"};

bool asks_for_opsets(const Arguments& a);

// Writes the model for the opsets that the options name, runs it before and after, and says what its older form loses. `data`: a table to
// run both on; else on inputs that are made up. Throws Error{unsupported_operator} naming the node that has no form there,
// Error{difference} where the answers are not the same.
struct ChangedOpsets {
  OpsetConversion conversion;
  int64_t compared = 0;                                  // elements of the outputs
  std::string not_compared;                              // why
  std::string difference;                                // of the answers, where the older form loses something
  std::vector<std::string> lost() const;                 // all that a user is told of
};
ChangedOpsets change_opsets(Call& call, Model& model, const std::optional<std::string>& data = {});

}  // namespace onward::cli
