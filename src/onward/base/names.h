// Sets and tables of names that are asked for by any kind of text, without a copy. A model may have millions of them: they have no
// order, so that none may be read off them where it reaches a result.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace onward {

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }         // not noexcept: hashes are kept, then
};

using Names = std::unordered_set<std::string, NameHash, std::equal_to<>>;
template <class T> using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

// Of names that stay where they are as long as the table lives: a short string moves together with what holds it.
using BorrowedNames = std::unordered_set<std::string_view>;
template <class T> using ByBorrowedName = std::unordered_map<std::string_view, T>;

}  // namespace onward
