// BiasGelu, FastGelu: a bias added, then Gelu: the exact one, and the approximation by tanh, whose bias may be missing.
#include "onward/ops/activation/gelu.h"
#include "onward/ops/contrib.h"
#include "onward/ops/elementwise.h"

namespace onward::ops {
namespace {

constexpr auto biased_exact = [](auto x, auto bias) { return gelu_exact(x + bias); };
constexpr auto biased_by_tanh = [](auto x, auto bias) { return gelu_by_tanh(x + bias); };

void infer_biased(Inference& io) {
  const Dims& x = io.dims(0);
  if (io.has(1) && io.inputs[1].dims && !io.symbols && broadcast(x, io.dims(1)) != x) invalid("a bias of shape ", shown(io.dims(1)), " for an input of shape ", shown(x));
  io.output(0, x);
}

struct BiasGelu : Elementwise<contrib::BiasGelu, decltype(biased_exact), contrib::BiasGelu::T.types> {
  void infer(Inference& io) const { infer_biased(io); }
};

struct FastGelu : contrib::FastGelu {
  Elementwise<contrib::FastGelu, decltype(gelu_by_tanh), T.types> plain;
  Elementwise<contrib::FastGelu, decltype(biased_by_tanh), T.types> biased;

  void infer(Inference& io) const { infer_biased(io); }
  void run(Call& call) const {
    if (call.has(1)) return biased.run(call);
    Call alone{call.inputs.first(1), call.outputs, call.context, call.scope};
    plain.run(alone);
  }
};

}  // namespace

Operators contrib_gelu() {
  return {define<BiasGelu>({.in_place = true, .tolerance = 1e-6, .examples = {"float [[0, 0], [0, -100]], float [0, 1] -> float [[0, 0.8413447], [0, 0]]"}}),
          define<FastGelu>({.in_place = true, .tolerance = 1e-6, .examples = {"double [1] -> double [0.84119199]", "float [[0, 0]], float [0, 1] -> float [[0, 0.84119199]]"}})};
}

}  // namespace onward::ops
