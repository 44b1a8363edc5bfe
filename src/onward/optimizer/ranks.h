// How many axes a value has, as far as declared inputs and steps that show it can tell.
#pragma once
#include <optional>

#include "onward/optimizer/links.h"

namespace onward {

std::optional<int64_t> rank_of(const Graph& graph, const Links& links, std::string value);

}  // namespace onward
