// DepthToSpace, SpaceToDepth: blocks of pixels to channels and back, as one transposition.
#include "onward/ops/transpose.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

template <class Standard, bool to_space> struct Blocks : Standard {
  void prepare(const Preparation&) const {
    if (this->blocksize < 1 || this->blocksize > 1 << 20) invalid("blocksize is ", this->blocksize, ", expected 1 or more");
    if (this->mode != "DCR" && this->mode != "CRD") invalid("mode is '", this->mode, "', expected DCR or CRD");
  }
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    const int64_t b = this->blocksize;
    if (x.size() != 4) invalid("expected four axes, found shape ", shown(x));
    for (size_t i = 1; i < 4; ++i) if (const int64_t part = to_space ? (i == 1 ? b * b : 1) : (i == 1 ? 1 : b); !is_symbol(x[i]) && x[i] % part != 0) invalid("shape ", shown(x), " has no blocks of ", b);
    if (to_space) io.output(0, {x[0], io.divide(x[1], b * b), io.multiply(x[2], b), io.multiply(x[3], b)});
    else io.output(0, {x[0], io.multiply(x[1], b * b), io.divide(x[2], b), io.divide(x[3], b)});
  }
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const Dims& d = x.dims();
    const int64_t b = this->blocksize;
    const bool depth_first = this->mode == "DCR";
    const Dims split = !to_space ? Dims{d[0], d[1], d[2] / b, b, d[3] / b, b} : depth_first ? Dims{d[0], b, b, d[1] / (b * b), d[2], d[3]} : Dims{d[0], d[1] / (b * b), b, b, d[2], d[3]};
    const Dims perm = !to_space ? depth_first ? Dims{0, 3, 5, 1, 2, 4} : Dims{0, 1, 3, 5, 2, 4} : depth_first ? Dims{0, 3, 4, 1, 5, 2} : Dims{0, 1, 4, 2, 5, 3};
    Tensor out = y;
    transpose(x.reshaped(split), perm, out);
  }
};
using DepthToSpace = Blocks<standard::DepthToSpace, true>;
using SpaceToDepth = Blocks<standard::SpaceToDepth, false>;

}  // namespace

Operators tensor_depth_to_space() {
  return {define<DepthToSpace>({.examples = {"float [[[[1]], [[2]], [[3]], [[4]]]]; blocksize=2 -> float [[[[1, 2], [3, 4]]]]"}}),
          define<SpaceToDepth>({.examples = {"float [[[[1, 2], [3, 4]]]]; blocksize=2 -> float [[[[1]], [[2]], [[3]], [[4]]]]"}})};
}

}  // namespace onward::ops
