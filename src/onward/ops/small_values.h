// Values that inference follows: shapes on their way through arithmetic, and whatever small nodes make of constants.
#pragma once
#include <deque>

#include "onward/ops/operator.h"

namespace onward {

// After `infer`: runs the kernel where all inputs are known and little is asked for, keeping the answers in `values`; else follows
// the items of shape vectors by the operator's own rule.
void infer_items(const Operator& op, const void* self, std::span<Fact> inputs, std::span<Fact> outputs, Symbols& symbols, std::deque<Tensor>& values);

// The items of a small integer or boolean tensor, as far as known.
std::optional<Dims> items_of(const Fact& fact);

}  // namespace onward
