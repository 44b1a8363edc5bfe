// onward.Given: the first input or, where it is left out, the second. Meanings of operators with optional inputs are written with it.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Given {
  static constexpr Name standard_name{"onward", "Given", 1};
  void read(const Attributes&) {}

  void infer(Inference& io) const {
    const size_t i = io.has(0) ? 0 : 1;
    io.output(0, io.type(i), io.dims(i));
  }
  void run(Call& call) const { call.outputs[0] = call.tensor(call.has(0) ? 0 : 1); }
};

}  // namespace

Operators contrib_given() { return {define<Given>({.examples = {"float [1], float [2] -> float [1]", ", int64 3 -> int64 3"}})}; }

}  // namespace onward::ops
