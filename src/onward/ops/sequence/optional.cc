// Optional, OptionalHasElement, OptionalGetElement: values that may be absent. An absent one is an empty Value.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct OptionalOf : standard::Optional {
  void run(Call& call) const { call.outputs[0] = call.has(0) ? *call.inputs[0] : Value(); }
};

struct OptionalHasElement : standard::OptionalHasElement {
  void infer(Inference& io) const { io.output(0, DataType::b8, {}); }
  void run(Call& call) const { call.outputs[0] = Tensor::scalar<bool>(call.has(0)); }
};

struct OptionalGetElement : standard::OptionalGetElement {
  void run(Call& call) const {
    if (!call.has(0)) invalid("the optional is empty");
    call.outputs[0] = *call.inputs[0];
  }
};

}  // namespace

Operators sequence_optional() {
  return {define<OptionalOf>({.examples = {"float [1] -> float [1]"}}), define<OptionalHasElement>({.examples = {"float [1] -> bool 1", " -> bool 0"}}),
          define<OptionalGetElement>({.examples = {"string [\"a\"] -> string [\"a\"]"}})};
}

}  // namespace onward::ops
