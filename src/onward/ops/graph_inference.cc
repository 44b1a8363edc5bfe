#include "onward/ops/graph_inference.h"

#include "onward/ops/small_values.h"

namespace onward {

void SharedInference::add(Error problem) {
  constexpr size_t most = 100;
  if (problem.code != Code::limit_size) problem.code = Code::bad_model;
  if (problems.size() < most) problems.push_back(std::move(problem));
}

// The graph inside a node, as that node's operator asks about it.
struct GraphInference::Inside : Body {
  mutable GraphInference graph;
  Inside(const Graph& g, SharedInference& shared, const GraphInference* outer) : graph(g, shared, outer) {}

  std::vector<Value> run(std::span<const Value>, const Call&) const override { unsupported("a graph that is only looked at does not run"); }
  std::vector<Fact> infer(std::span<const Fact> arguments) const override {
    graph.walk(arguments);
    return graph.outputs();
  }
};

GraphInference::GraphInference(const Graph& graph, SharedInference& shared, const GraphInference* outer) : graph_(graph), shared_(shared), outer_(outer) {
  for (const auto& [name, tensor] : graph.initializers) facts_[name] = {.type = tensor.type(), .dims = tensor.dims(), .value = &tensor};
  for (const ValueInfo& v : graph.values) declared_[v.name] = &v;
  for (const ValueInfo& v : graph.outputs) declared_[v.name] = &v;
}

GraphInference::~GraphInference() = default;

void GraphInference::walk(std::span<const Fact> arguments) {
  size_t next = 0;
  for (const ValueInfo& input : graph_.inputs) {
    if (graph_.initializers.contains(input.name)) continue;
    Fact fact = next < arguments.size() ? arguments[next] : Fact{};
    ++next;
    if (outer_) {
      const std::string wrong = contradiction(input.type, fact, shared_.symbols);
      if (!wrong.empty()) shared_.add(Error(Code::bad_model, text("input '", input.name, "' of graph '", graph_.name, "': ", wrong)));
    }
    set(input.name, !outer_ || shared_.believe ? completed(std::move(fact), input.type, shared_.symbols) : std::move(fact));
  }
  for (const Node& node : graph_.nodes) visit(node);
  for (const ValueInfo& output : graph_.outputs)           // one that no node makes: an input, an initializer, a value from outside
    if (const Fact* fact = find(output.name)) {
      const std::string wrong = contradiction(output.type, *fact, shared_.symbols);
      if (!wrong.empty() && (!facts_.contains(output.name) || graph_.initializers.contains(output.name)))
        shared_.add(Error(Code::bad_model, text("output '", output.name, "' of graph '", graph_.name, "': ", wrong)));
    }
}

const Fact* GraphInference::find(std::string_view name) const {
  for (const GraphInference* g = this; g; g = g->outer_)
    if (const auto it = g->facts_.find(name); it != g->facts_.end()) return &it->second;
  return nullptr;
}

std::vector<Fact> GraphInference::outputs() const {
  std::vector<Fact> out;
  for (const ValueInfo& output : graph_.outputs) {
    const Fact* fact = find(output.name);
    out.push_back(fact ? *fact : Fact{});
  }
  return out;
}

GraphTypes GraphInference::types() const {
  GraphTypes out;
  out.values.reserve(facts_.size());
  for (const auto& [name, fact] : facts_) out.values.emplace(name, type_of_fact(fact, shared_.symbols));
  for (const auto& [key, inside] : bodies_) out.bodies.emplace(key, inside->graph.types());
  return out;
}

void GraphInference::set(const std::string& name, Fact fact) {
  if (!name.empty()) facts_[name] = std::move(fact);
}

std::shared_ptr<const void> GraphInference::prepared(const Node& node, const Operator& op) {
  if (const auto it = prepared_.find(&node); it != prepared_.end()) return it->second;
  const auto constant = [&](std::string_view name) -> const Tensor* {
    for (const GraphInference* g = this; g; g = g->outer_) {
      if (const auto it = g->graph_.initializers.find(name); it != g->graph_.initializers.end()) return &it->second;
      if (g->facts_.contains(name)) return nullptr;
    }
    return nullptr;
  };
  const auto compile = [&](const GraphRef& body) -> std::shared_ptr<const Body> {
    if (!body) fail(Code::bad_model, "a subgraph is missing");
    auto inside = std::make_shared<const Inside>(*body, shared_, this);
    for (const auto& [name, a] : node.attributes)
      if (const auto* g = std::get_if<GraphRef>(&a); g && *g == body) bodies_[text(node.outputs.empty() ? "" : node.outputs[0], "/", name)] = inside;
    return inside;
  };
  auto self = op.create({node, constant, compile});
  if (outer_) prepared_.emplace(&node, self);
  return self;
}

void GraphInference::infer(const Node& node, const Operator& op, std::span<Fact> inputs, std::span<Fact> outputs) {
  const auto self = prepared(node, op);
  Inference io{inputs, outputs, &shared_.symbols};
  try {
    op.infer(self.get(), io);
  } catch (const NothingKnown&) {
  }
  infer_items(op, self.get(), inputs, outputs, shared_.symbols, shared_.values);
}

void GraphInference::visit(const Node& node) {
  static const Fact left_out{.kind = TypeInfo::Kind::none};
  std::vector<Fact> inputs, outputs(node.outputs.size());
  for (const std::string& name : node.inputs) {
    const Fact* fact = name.empty() ? &left_out : find(name);
    inputs.push_back(fact ? *fact : Fact{});
  }
  const auto* custom = shared_.custom.find(node.domain, node.op);
  const Operator* op = custom ? nullptr : find_operator(node.domain, node.op);
  const NodeTypes types = types_of(node, shared_.custom);
  for (size_t k = 0; k < outputs.size(); ++k)             // of what has no kernel, only a type that no input decides
    outputs[k].type = types.output(k, op || custom ? std::span<const Fact>(inputs) : std::span<const Fact>());
  if (shared_.visits_left-- > 0) {
    try {
      types.check(inputs);
      if (op) infer(node, *op, inputs, outputs);
    } catch (Error& e) {
      if (e.code != Code::unsupported_operator) shared_.add(std::move(e.within(shown(node))));
      outputs.assign(outputs.size(), {});
    } catch (const std::bad_alloc&) {
      outputs.assign(outputs.size(), {});
    }
  }
  for (size_t k = 0; k < outputs.size(); ++k) {
    const std::string& name = node.outputs[k];
    const auto it = declared_.find(name);
    if (it != declared_.end()) {
      const std::string wrong = contradiction(it->second->type, outputs[k], shared_.symbols);
      if (!wrong.empty()) shared_.add(Error(Code::bad_model, text(shown(node), ": output '", name, "' is ", wrong)));
      else if (shared_.believe) outputs[k] = completed(std::move(outputs[k]), it->second->type, shared_.symbols);
    }
    set(name, std::move(outputs[k]));
  }
}

}  // namespace onward
