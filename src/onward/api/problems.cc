#include "onward/api/problems.h"

#include <nlohmann/json.hpp>

namespace onward {

nlohmann::ordered_json described(const std::vector<Problem>& problems) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Problem& p : problems) {
    std::vector<std::string> places{p.where};
    places.insert(places.end(), p.also.begin(), p.also.end());
    all.push_back({{"code", id_of(p.code)}, {"where", p.where}, {"places", places}, {"message", p.message}, {"hint", p.hint}});
  }
  return all;
}

}  // namespace onward
