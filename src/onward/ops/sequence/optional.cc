// Optional, OptionalHasElement, OptionalGetElement: values that may be absent. An absent one is an empty Value.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct OptionalOf : standard::Optional {
  void infer(Inference& io) const {
    if (!io.inputs.empty()) return io.output_of(0, TypeInfo::Kind::optional, io.inputs[0]);
    if (io.symbols && type.kind != TypeInfo::Kind::none) io.output_of(0, TypeInfo::Kind::optional, declared_fact(type, *io.symbols));
  }
  void run(Call& call) const { call.outputs[0] = call.has(0) ? *call.inputs[0] : Value(); }
};

struct OptionalHasElement : standard::OptionalHasElement {
  void infer(Inference& io) const { io.output(0, DataType::b8, {}); }
  void run(Call& call) const { call.outputs[0] = Tensor::scalar<bool>(call.has(0)); }
};

struct OptionalGetElement : standard::OptionalGetElement {
  void infer(Inference& io) const {
    if (!io.inputs.empty()) io.output_fact(0, io.inputs[0].kind == TypeInfo::Kind::optional && io.item(0) ? *io.item(0) : io.inputs[0]);
  }
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
