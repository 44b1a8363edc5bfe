// "Did you mean": the candidate nearest to a word that was not understood.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace onward {

// The candidate with the fewest edits (insert, delete, replace, swap of neighbours; letter case is free), if they are few for its length.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
// "; did you mean 'petal_width'" or nothing.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

}  // namespace onward
