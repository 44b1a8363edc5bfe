// What ONNX Runtime states about its own operators: domain com.microsoft, and the fused ones that its optimizer writes into the
// standard's domain. contrib.{h,cc} are generated from its table; what an operator means in standard ones stands in contrib_meanings.cc,
// and what no engine but one can run in contrib_refusals.cc.
#pragma once
#include "onward/ops/signature.h"

namespace onward {

// An operator that needs no kernel: its meaning in other operators at `opset`, in the words of its signature.
struct ContribMeaning {
  std::string_view domain, op, body;
  int opset = 28;
  std::string_view limits = {};         // "a:INT=1;b:NONE": where this is its meaning: the only value of an attribute, an input left out
};

// An operator that is not run for a reason, and what its user can do.
struct ContribRefusal { std::string_view op, reason, hint; };
std::span<const ContribRefusal> contrib_refusals();
const ContribRefusal* contrib_refusal(std::string_view domain, std::string_view op);

std::span<const Signature> contrib_signatures();          // with their meanings; sorted by domain, name, version
std::span<const Signature> generated_contrib_signatures();
std::span<const Signature> experimental_signatures();     // of the first opsets, no longer in the standard; sorted, with their meanings
std::span<const ContribMeaning> contrib_meanings();
void check_contrib_limits(const Node& node);              // throws where the meaning does not hold for the node's attributes

}  // namespace onward
