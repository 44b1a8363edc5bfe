// How operators treat rows that stand side by side: of a value with rows each column lies on its own, one number for each lane of a block.
// What is one number for a row keeps all lanes of a vector busy then, and sums over a row's numbers go from column to column.
//
// A form of an operator for such rows is a step that gives the bits of its kernel; each stands beside that kernel, `lane_form` finds it.
#pragma once
#include <algorithm>
#include <functional>

#include "onward/ops/operator.h"

namespace onward {

struct LaneValue {
  DataType type = DataType::none;
  Dims dims = {};                       // the first is that of the rows, unless it is a constant
  const Tensor* constant = nullptr;     // the same for all rows
  int64_t at = -1;                      // where it begins in the memory of a block, in bytes

  int64_t columns() const { return product(dims, 1, int64_t(dims.size())); }
  std::span<const int64_t> inner() const { return {dims.begin() + 1, dims.end()}; }       // without the rows
};

// A node whose inputs are constants and values with rows, whose output has rows. An input left out has no type.
struct LaneSite {
  const Operator& op;
  const void* self;                     // as op.create made it, of no constants; it outlives the step
  std::span<const LaneValue> inputs;
  LaneValue output;
  int64_t lanes;                        // of a block; a multiple of 16

  const Tensor* constant(size_t i) const { return i < inputs.size() ? inputs[i].constant : nullptr; }
  bool given(size_t i) const { return i < inputs.size() && inputs[i].type != DataType::none; }
  bool only_first_has_rows() const {
    return !inputs.empty() && inputs[0].at >= 0 && std::none_of(inputs.begin() + 1, inputs.end(), [](const LaneValue& v) { return v.at >= 0; });
  }
};

using LaneStep = std::function<void(char* block)>;       // none: not of these inputs
using LaneForm = LaneStep (*)(const LaneSite& site);
struct NamedLaneForm { std::string_view op; LaneForm form; };            // of the standard's own domain, or "onward.Name"
using LaneForms = std::vector<NamedLaneForm>;

LaneForm lane_form(const Node& node);                    // null where there is none

// Of an operator that is a struct with `LaneStep side_by_side(const LaneSite&) const`.
template <class Op> LaneStep member_form(const LaneSite& site) { return static_cast<const Op*>(site.self)->side_by_side(site); }

// Text is not moved: a block holds where each constant string stands.
inline size_t lane_size(DataType type) { return type == DataType::str ? sizeof(const std::string*) : size_of(type); }

}  // namespace onward
