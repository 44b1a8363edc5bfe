// Loop: runs a subgraph until its condition is false or the trip count is reached; carries values and stacks scan outputs.
#include "onward/ops/control.h"

namespace onward::ops {
namespace {

struct Loop : standard::Loop {
  std::shared_ptr<const Body> loop_body;
  size_t carried = 0, scans = 0;

  void prepare(const Preparation& at) {
    if (!body) invalid("has no body");
    if (at.node.inputs.size() < 2) invalid("has ", at.node.inputs.size(), " inputs, expected a trip count and a condition at least");
    carried = at.node.inputs.size() - 2;
    if (body->inputs.size() != carried + 2) invalid("the body has ", body->inputs.size(), " inputs, expected ", carried + 2);
    if (body->outputs.size() < carried + 1) invalid("the body has ", body->outputs.size(), " outputs, expected ", carried + 1, " at least");
    scans = body->outputs.size() - 1 - carried;
    loop_body = at.compile(body);
  }

  void infer(Inference& io) const {
    if (!io.symbols) return;
    static const Tensor yes = Tensor::scalar<bool>(true);
    std::vector<Fact> arguments{{.type = DataType::i64, .dims = Dims{}, .sizes = Dims{io.symbols->fresh("trip")}}, {.type = DataType::b8, .dims = Dims{}, .value = &yes}};
    for (size_t i = 0; i < carried; ++i) arguments.push_back(io.inputs[i + 2]);
    const std::vector<Fact> before(arguments.begin(), arguments.end());
    const auto results = infer_iterations(*loop_body, arguments, 2, 1, carried, *io.symbols);
    if (results.size() < 1 + carried) return;
    for (size_t i = 0; i < carried; ++i) io.output_fact(i, joined(before[i + 2], results[i + 1], io.symbols));
    const int64_t n = trips(io, results[0]);
    for (size_t k = 0; k < scans && 1 + carried + k < results.size(); ++k) io.output_fact(carried + k, infer_stacked(results[1 + carried + k], 0, n));
  }

  // As many as the trip count says, where the condition never says stop.
  static int64_t trips(Inference& io, const Fact& condition) {
    const auto holds = [](const Tensor* t) { return t && t->type() == DataType::b8 && t->size() == 1 && *t->data<bool>(); };
    const auto most = io.sizes(0);
    if (!most || most->size() != 1 || !holds(condition.value) || (io.has(1) && !holds(io.value(1)))) return io.unknown();
    return io.may_be_negative((*most)[0]) ? io.unknown() : io.symbols->larger((*most)[0], 0);
  }

  void run(Call& call) const {
    const int64_t trips = call.has(0) ? one<int64_t>(call.tensor(0), "trip count") : INT64_MAX;
    std::vector<Value> arguments{Value(), Value()};
    for (size_t i = 0; i < carried; ++i) arguments.push_back(call.inputs[i + 2] ? *call.inputs[i + 2] : Value());
    std::vector<std::vector<Value>> scanned(scans);
    bool go_on = call.has(1) ? one<bool>(call.tensor(1), "condition") : true;
    for (int64_t trip = 0; trip < trips && go_on; ++trip) {
      call.context.check();
      arguments[0] = Tensor::scalar<int64_t>(trip);
      arguments[1] = Tensor::scalar<bool>(go_on);
      auto results = loop_body->run(arguments, call);
      go_on = one<bool>(tensor_of(results[0], "condition"), "condition");
      std::move(results.begin() + 1, results.begin() + 1 + long(carried), arguments.begin() + 2);
      for (size_t k = 0; k < scans; ++k) scanned[k].push_back(std::move(results[1 + carried + k]));
    }
    for (size_t i = 0; i < std::min(carried, call.outputs.size()); ++i) call.outputs[i] = std::move(arguments[i + 2]);
    for (size_t k = 0; carried + k < call.outputs.size() && k < scans; ++k) call.outputs[carried + k] = stacked(call, scanned[k], body->outputs[1 + carried + k].type);
  }
};

}  // namespace

Operators control_loop() { return {define<Loop>()}; }

}  // namespace onward::ops
