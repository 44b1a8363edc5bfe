// The families of this folder, as CMake lists them: a file foo.cc that defines `Definitions foo_estimators()` is in.
#include "onward/estimators/estimator.h"

// clang-format off: the list needs the header above
#include "estimators.inc"
// clang-format on

namespace onward {

Registry Registry::builtin() {
  Registry r;
  for (auto* family : estimators_files)
    for (Definition& d : family()) r.add(std::move(d));
  return r;
}

const Definition* Registry::find(std::string_view module, std::string_view name) const {
  for (size_t i = definitions_.size(); i-- > 0;) {
    const std::string_view full = definitions_[i].class_name;
    const size_t dot = full.rfind('.');
    if (full.substr(dot + 1) != name && full.substr(dot + 1) != "*") continue;
    const std::string_view package = full.substr(0, dot);
    if (module == package || (module.starts_with(package) && module[package.size()] == '.')) return &definitions_[i];
  }
  return nullptr;
}

}  // namespace onward
