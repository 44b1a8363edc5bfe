// SequenceMap: a subgraph run for every item of one or more sequences of equal length; other inputs stay as they are.
#include "onward/ops/control.h"

namespace onward::ops {
namespace {

struct SequenceMap : standard::SequenceMap {
  std::shared_ptr<const Body> each;

  void prepare(const Preparation& at) {
    if (!body) invalid("has no body");
    if (body->inputs.size() != at.node.inputs.size()) invalid("the body has ", body->inputs.size(), " inputs, the node ", at.node.inputs.size());
    if (body->outputs.size() < at.node.outputs.size()) invalid("the body has ", body->outputs.size(), " outputs, the node ", at.node.outputs.size());
    each = at.compile(body);
  }

  void infer(Inference& io) const {
    if (!io.symbols) return;
    std::vector<Fact> arguments;
    for (const Fact& in : io.inputs) arguments.push_back(in.kind == TypeInfo::Kind::sequence ? in.item ? one_item(*in.item, *io.symbols) : Fact{} : in);
    const auto results = each->infer(arguments);
    for (size_t k = 0; k < std::min(results.size(), io.outputs.size()); ++k)
      if (results[k].is_tensor()) io.output_of(k, TypeInfo::Kind::sequence, every_item(results[k], *io.symbols));
  }

  void run(Call& call) const {
    const size_t n = call.sequence(0).items.size();
    std::vector<Sequence> out(call.outputs.size());
    for (size_t k = 0; k < out.size(); ++k) out[k].type = body->outputs[k].type.innermost();
    std::vector<Value> arguments(call.inputs.size());
    for (size_t i = 0; i < n; ++i) {
      call.context.check();
      for (size_t k = 0; k < arguments.size(); ++k) {
        if (!call.has(k)) continue;
        const auto* items = std::get_if<Sequence>(call.inputs[k]);
        if (items && items->items.size() != n) invalid("sequences of ", n, " and ", items->items.size(), " items");
        arguments[k] = items ? items->items[i] : *call.inputs[k];
      }
      auto results = each->run(arguments, call);
      for (size_t k = 0; k < out.size(); ++k) {
        if (const Tensor* t = results[k].tensor()) out[k].type = t->type();
        out[k].items.push_back(std::move(results[k]));
      }
    }
    for (size_t k = 0; k < out.size(); ++k) call.outputs[k] = std::move(out[k]);
  }
};

}  // namespace

Operators sequence_sequence_map() { return {define<SequenceMap>()}; }

}  // namespace onward::ops
