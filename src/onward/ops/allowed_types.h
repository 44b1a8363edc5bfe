// Which element types each version of each operator allows; the rows are generated (standard_types.cc, contrib_types.cc).
#pragma once
#include "onward/ops/signature.h"

namespace onward {

// One type constraint of a version: the elements that it allows in tensors, in sequences of tensors and in optionals.
struct AllowedTypes {
  std::string_view constraint;
  Types tensors, sequences, optionals;
  Types before = {};                                     // tensors that inputs took in an older version and in this one do not
  bool mixed = false;                                    // a variadic input whose values may each be of another type
};

// Of one version of an operator. None has more constraints; the others have no name.
struct VersionTypes {
  AllowedTypes constraints[6];
  bool deprecated = false;
};
std::span<const VersionTypes> standard_types();          // in the order of standard_signatures()
std::span<const VersionTypes> contrib_types();           // in the order of contrib_signatures()

// Of a row of these two tables; other operators say nothing here. Ports that allow one type alone ("tensor(int64)") have no constraint.
std::span<const AllowedTypes> allowed_types(const Signature& version);
bool is_of_standard(const Signature& version);
bool is_deprecated(const Signature& version);

}  // namespace onward
