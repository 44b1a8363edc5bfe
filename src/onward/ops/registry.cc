#include "onward/ops/operator.h"
#include "operators.inc"                // written by CMake: one line per file below ops/

namespace onward {

static std::pair<std::string_view, std::string_view> key(const Operator& op) { return {op.name.domain, op.name.op}; }

const Operators& all_operators() {
  static const Operators all = [] {
    Operators out;
    for (auto list : ops::operators_files) for (auto& op : list()) out.push_back(std::move(op));
    std::sort(out.begin(), out.end(), [](const Operator& a, const Operator& b) { return key(a) < key(b); });
    return out;
  }();
  return all;
}

const Operator* find_operator(std::string_view domain, std::string_view name) {
  const auto& all = all_operators();
  const auto it = std::lower_bound(all.begin(), all.end(), std::pair(domain, name), [](const Operator& op, const auto& wanted) { return key(op) < wanted; });
  return it != all.end() && it->name.domain == domain && it->name.op == name ? &*it : nullptr;
}

}  // namespace onward
