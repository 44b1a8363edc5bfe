// Which element types each version of each operator allows; the rows are generated (standard_types.cc).
#pragma once
#include <functional>

#include "onward/ops/signature.h"

namespace onward {

// One type constraint of a version: the elements that it allows in tensors, in sequences of tensors and in optionals.
struct AllowedTypes {
  std::string_view constraint;
  Types tensors, sequences, optionals;
};

inline bool is_of_standard(const Signature& version) {
  const auto table = standard_signatures();
  return !std::less<>()(&version, table.data()) && std::less<>()(&version, table.data() + table.size());
}

// Of a row of standard_signatures(); other operators say nothing here. Ports that allow one type alone ("tensor(int64)") have no constraint.
std::span<const AllowedTypes> allowed_types(const Signature& version);
bool is_deprecated(const Signature& version);

}  // namespace onward
