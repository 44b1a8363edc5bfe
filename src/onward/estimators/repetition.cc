#include "onward/estimators/repetition.h"

namespace onward {

std::vector<Expr> repeated(int64_t most, std::vector<Expr> start, const std::function<Expr(Repetition&)>& formula, std::optional<Expr> go) {
  GraphBuilder& g = *start.at(0).graph;
  const std::unique_ptr<GraphBuilder> body = g.body();
  // Names are one space for a graph and its bodies: a loop is called after what it starts with and the values before it.
  int before = start[0].id;
  while (g.has(before)) ++before;
  const std::string name = text(start[0].name(), "_loop_", before);
  body->input(name + "_step", DataType::i64, {});
  body->input(name + "_go", DataType::b8, {});
  Repetition repetition{*body, {}};
  std::vector<Result> results;
  for (size_t i = 0; i < start.size(); ++i) {
    results.push_back({start[i].type(), start[i].shape()});
    repetition.state.push_back(body->input(text(name, "_", i), start[i].type(), start[i].shape()));
  }
  std::vector<Expr> made{reshaped(formula(repetition), {})};
  ONWARD_CHECK(repetition.state.size() == start.size());
  made.insert(made.end(), repetition.state.begin(), repetition.state.end());
  std::vector<Expr> inputs{g.constant(Tensor::scalar<int64_t>(most)), go ? reshaped(*go, {}) : g.constant(Tensor::scalar(true))};
  inputs.insert(inputs.end(), start.begin(), start.end());
  return g.add("Loop", inputs, {{"body", body->finish(made)}}, results);
}

Expr total(Expr x) { return sum(sum(x, 1), 0); }
Expr anywhere(Expr x) {
  const Expr found = max(max(cast(x, DataType::f64), 1), 0);
  return found > 0.0;
}

}  // namespace onward
