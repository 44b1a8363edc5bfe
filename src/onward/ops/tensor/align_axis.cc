// onward.AlignAxis: B with trailing axes of size 1, so that its first axis meets axis `axis` of A under numpy's broadcasting.
// Only upgrades from opsets below 7 make it; without `axis` B stays as it is.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct AlignAxis {
  static constexpr Name standard_name{"onward", "AlignAxis", 1};
  std::optional<int64_t> axis;
  void read(const Attributes& from) { from.read("axis", axis); }

  void infer(Inference& io) const {
    Dims dims = io.dims(1);
    const auto rank = int64_t(io.dims(0).size());
    const int64_t reach = axis ? rank - axis_of(*axis, rank) : int64_t(dims.size());
    if (reach < int64_t(dims.size())) invalid("axis ", *axis, " leaves no room for a second operand of shape ", shown(dims));
    dims.resize(size_t(reach), 1);
    io.output(0, io.inputs[1].type, dims);
  }
  void run(Call& call) const {
    call.outputs[0] = call.tensor(1).reshaped(call.output(0).dims());
  }
};

}  // namespace

Operators tensor_align_axis() { return {define<AlignAxis>({.examples = {"float [[1, 2], [3, 4]], float [5, 6]; axis=0 -> float [[5], [6]]"}})}; }

}  // namespace onward::ops
