#include <map>

#include "onward/model/text.h"
#include "onward/ops/side_by_side.h"

namespace onward {

LaneForms elementwise_lanes();
namespace ops {
LaneForms reduce_arg_lanes();
LaneForms reduce_lanes();
LaneForms norm_lanes();
LaneForms matmul_lanes();
LaneForms dense_lanes();
LaneForms gemm_lanes();
LaneForms cast_lanes();
LaneForms concat_lanes();
LaneForms gather_lanes();
}  // namespace ops

LaneForm lane_form(const Node& node) {
  static const std::map<std::string, LaneForm, std::less<>> all = [] {
    std::map<std::string, LaneForm, std::less<>> out;
    for (const LaneForms& some : {elementwise_lanes(), ops::reduce_arg_lanes(), ops::reduce_lanes(), ops::norm_lanes(), ops::matmul_lanes(), ops::dense_lanes(), ops::gemm_lanes(), ops::cast_lanes(), ops::concat_lanes(), ops::gather_lanes()})
      for (const NamedLaneForm& each : some) out.emplace(each.op, each.form);
    return out;
  }();
  const auto it = node.domain.empty() ? all.find(node.op) : all.find(text(node.domain, ".", node.op));
  return it == all.end() ? nullptr : it->second;
}

}  // namespace onward
