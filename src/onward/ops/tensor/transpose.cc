// Transpose: axes in another order; without `perm`, reversed.
#include "onward/ops/transpose.h"

#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Transpose : standard::Transpose {
  Dims order(int64_t rank) const {
    if (!perm.empty() && int64_t(perm.size()) != rank) invalid("perm names ", perm.size(), " axes of a tensor of rank ", rank);
    Dims out(perm);
    for (int64_t i = rank; perm.empty() && i-- > 0;) out.push_back(i);
    std::vector<bool> seen(out.size());
    for (int64_t& p : out) {
      p = axis_of(p, rank);
      if (seen[size_t(p)]) invalid("perm names axis ", p, " twice");
      seen[size_t(p)] = true;
    }
    return out;
  }

  void infer(Inference& io) const {
    Dims out;
    for (int64_t p : order(int64_t(io.dims(0).size()))) out.push_back(io.dims(0)[size_t(p)]);
    io.output(0, out);
  }
  void run(Call& call) const { transpose(call.tensor(0), order(call.tensor(0).rank()), call.output(0)); }
};

}  // namespace

Operators tensor_transpose() {
  return {define<Transpose>({.examples = {"float [[1, 2, 3], [4, 5, 6]] -> float [[1, 4], [2, 5], [3, 6]]",
                                          "string [[[\"a\", \"b\"]]]; perm=[2, 0, 1] -> string [[[\"a\"]], [[\"b\"]]]"}})};
}

}  // namespace onward::ops
