// Problems as JSON: what --json and onward_status_problems say.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "onward/base/refusal.h"

namespace onward {

// [{"code": "E0402", "where", "places": [...], "message", "hint"}]; `where` is the first of the places.
nlohmann::ordered_json described(const std::vector<Problem>&);

}  // namespace onward
