// Nodes written as text, into a graph under construction: what operators say of shapes gives their results.
#include "onward/api/graph_handle.h"

#include "onward/model/text.h"
#include "onward/ops/check_nodes.h"

namespace onward {
namespace {

struct Known {
  const Operator* op;
  const CustomOperators::Entry* registered;
  NodeTypes types;
};

Known known_operator(const Node& node, const CustomOperators& custom) {
  const auto* registered = custom.find(node.domain, node.op);
  const Operator* op = registered ? &registered->op : find_operator(node.domain, node.op);
  if (op) return {op, registered, types_of(node, custom)};
  const bool standard = signature(node.domain, node.op) != nullptr;
  throw Error(Code::unsupported_operator, text(standard ? "the shapes of this operator are not known here" : "there is no such operator"),
              standard ? "write it with simpler operators" : registration_hint(node.domain));
}

// As a check of a whole model would: ports and attributes against the operator's form.
void check_form(const Node& node, const CustomOperators& custom, const Opsets& opsets) {
  Model one;
  one.opsets = opsets;
  one.graph.nodes = {node};
  check_nodes(one, custom);
}

std::vector<Result> inferred(GraphBuilder& g, const Node& node, const std::vector<Expr>& inputs, const Known& known) {
  std::map<std::string, Tensor, std::less<>> constants;
  std::vector<Fact> facts, outputs(node.outputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].empty()) { facts.emplace_back(); continue; }
    const Tensor* constant = g.constant_value(inputs[i]);
    facts.push_back({inputs[i].type(), inputs[i].shape(), constant, {}});
    if (constant) constants.emplace(node.inputs[i], *constant);
  }
  const Preparation at{node, [&](std::string_view name) { const auto it = constants.find(name); return it == constants.end() ? nullptr : &it->second; },
                       [](const GraphRef&) -> std::shared_ptr<const Body> { unsupported("a node with a graph inside cannot be written here"); }};
  const auto self = known.registered ? known.registered->create(at) : known.op->create(at);
  known.types.begin(facts, outputs);
  Inference io{facts, outputs, &g.symbols()};
  try {
    known.op->infer(self.get(), io);
  } catch (const NothingKnown&) {
  }
  std::vector<Result> results;
  for (size_t k = 0; k < outputs.size(); ++k) {
    if (outputs[k].type == DataType::none || !outputs[k].dims)
      throw Error(Code::usage, text("the type and shape of output ", k, " cannot be told"), known.registered ? "give the operator a shape inference" : "write it with operators whose shapes follow from their inputs");
    results.push_back({outputs[k].type, *outputs[k].dims});
  }
  return results;
}

}  // namespace

void add_nodes(GraphBuilder& g, std::string_view text, const CustomOperators& custom, NamedExprs& known) {
  Graph parsed;
  try {
    parsed = parse_nodes(text);
  } catch (Error& e) {
    throw Error(Code::usage, onward::text("nodes: ", e.message), e.hint);
  }
  for (const auto& [name, tensor] : parsed.initializers) known.emplace(name, g.constant(tensor));
  for (Node& node : parsed.nodes) {
    try {
      if (node.domain == "ai.onnx") node.domain.clear();
      const Known op = known_operator(node, custom);
      const int64_t version = g.use_domain(node.domain, op.registered ? op.registered->form.since : 1);
      check_form(node, custom, {{node.domain, version}});
      std::vector<Expr> inputs;
      for (const std::string& name : node.inputs) {
        if (name.empty()) { inputs.push_back(g.nothing()); continue; }
        const auto found = known.find(name);
        if (found == known.end()) fail(Code::usage, "'", name, "' stands for nothing");
        inputs.push_back(g.open(found->second) ? as_numbers(found->second) : found->second);
      }
      const std::vector<Expr> made = g.add(node.op, inputs, node.attributes, inferred(g, node, inputs, op), node.domain);
      for (size_t k = 0; k < made.size(); ++k) known.insert_or_assign(node.outputs[k], made[k]);
    } catch (Error& e) {
      throw e.within(shown(node));
    }
  }
}

}  // namespace onward
