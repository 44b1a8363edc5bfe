// Gelu: x times the normal distribution's cumulative probability of x, by erf or by the tanh approximation.
#include "onward/ops/activation/gelu.h"
#include "onward/ops/elementwise.h"

namespace onward::ops {
namespace {

struct Gelu : standard::Gelu {
  Elementwise<standard::Gelu, decltype(gelu_exact), T.types> exactly;
  Elementwise<standard::Gelu, decltype(gelu_by_tanh), T.types> approximately;

  void prepare(const Preparation&) const {
    if (approximate != "none" && approximate != "tanh") invalid("approximate is '", approximate, "', expected none or tanh");
  }
  void infer(Inference& io) const { io.output(0, io.dims(0)); }
  void run(Call& call) const { approximate == "tanh" ? approximately.run(call) : exactly.run(call); }
};

}  // namespace

Operators activation_gelu() {
  return {define<Gelu>({.in_place = true, .tolerance = 1e-6, .examples = {"float [0, 1, -100] -> float [0, 0.8413447, 0]", "double [1]; approximate=\"tanh\" -> double [0.84119199]"}})};
}

}  // namespace onward::ops
