// What objects of each class and files of each booster say in the newest versions that this release knows.
#pragma once
#include <span>
#include <string_view>

namespace onward {

struct KnownFields {
  std::string_view owner;  // a class of scikit-learn ("sklearn": any of them), or a boosting library
  std::string_view names;  // between blanks
};
std::span<const KnownFields> known_fields();

}  // namespace onward
