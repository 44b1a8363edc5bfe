#include "onward/ops/allowed_types.h"

#include <algorithm>
#include <functional>

#include "onward/ops/contrib_signatures.h"

namespace onward {
namespace {

bool is_in(std::span<const Signature> table, const Signature& version) {
  return !std::less<>()(&version, table.data()) && std::less<>()(&version, table.data() + table.size());
}

const VersionTypes* types_of(const Signature& version) {
  if (is_in(standard_signatures(), version)) return &standard_types()[size_t(&version - standard_signatures().data())];
  if (is_in(contrib_signatures(), version)) return &contrib_types()[size_t(&version - contrib_signatures().data())];
  return nullptr;
}

}  // namespace

std::span<const AllowedTypes> allowed_types(const Signature& version) {
  const VersionTypes* types = types_of(version);
  if (!types) return {};
  const auto& all = types->constraints;
  return {all, size_t(std::find_if(std::begin(all), std::end(all), [](const AllowedTypes& a) { return a.constraint.empty(); }) - all)};
}

bool is_of_standard(const Signature& version) { return is_in(standard_signatures(), version); }

bool is_deprecated(const Signature& version) {
  const VersionTypes* types = types_of(version);
  return types && types->deprecated;
}

}  // namespace onward
