// If: one of two subgraphs, chosen by a condition. The branches see the values of the graph around them.
#include "onward/ops/control.h"

namespace onward::ops {
namespace {

struct If : standard::If {
  std::shared_ptr<const Body> on_true, on_false;

  void prepare(const Preparation& at) {
    if (!then_branch || !else_branch) invalid("needs a then_branch and an else_branch");
    for (const auto* branch : {&then_branch, &else_branch})
      if ((*branch)->outputs.size() < at.node.outputs.size()) invalid("a branch has ", (*branch)->outputs.size(), " outputs, the node ", at.node.outputs.size());
    on_true = at.compile(then_branch);
    on_false = at.compile(else_branch);
  }
  void infer(Inference& io) const {
    if (!io.symbols) return;
    const Tensor* condition = io.value(0);
    const bool known = condition && condition->type() == DataType::b8 && condition->size() == 1;
    if (known) {
      const auto results = (*condition->data<bool>() ? on_true : on_false)->infer({});
      for (size_t i = 0; i < std::min(results.size(), io.outputs.size()); ++i) io.output_fact(i, results[i]);
      return;
    }
    const auto yes = on_true->infer({}), no = on_false->infer({});
    for (size_t i = 0; i < std::min({yes.size(), no.size(), io.outputs.size()}); ++i) io.output_fact(i, joined(yes[i], no[i], io.symbols));
  }
  void run(Call& call) const {
    auto results = (one<bool>(call.tensor(0), "condition") ? on_true : on_false)->run({}, call);
    for (size_t i = 0; i < call.outputs.size(); ++i) call.outputs[i] = std::move(results[i]);
  }
};

}  // namespace

Operators control_if() { return {define<If>()}; }

}  // namespace onward::ops
