#include "onward/ops/infer_types.h"

#include "onward/ops/upgrade.h"

namespace onward {
namespace {

// Names that the file uses are taken: a size that is equal to no other must not read like one of them.
void declare_names(const TypeInfo& type, Symbols& symbols) {
  if (type.item) declare_names(*type.item, symbols);
  if (type.shape) for (const DimInfo& d : *type.shape) if (!d.size && !d.name.empty()) symbols.declared(d.name);
}

void declare_names(const Graph& graph, Symbols& symbols) {
  for (const auto* list : {&graph.inputs, &graph.outputs, &graph.values}) for (const ValueInfo& v : *list) declare_names(v.type, symbols);
  for (const Node& node : graph.nodes)
    for (const auto& [name, a] : node.attributes) if (const auto* g = std::get_if<GraphRef>(&a); g && *g) declare_names(**g, symbols);
}

size_t nodes_in(const Graph& graph) {
  size_t n = graph.nodes.size();
  for (const Node& node : graph.nodes)
    for (const auto& [name, a] : node.attributes) if (const auto* g = std::get_if<GraphRef>(&a); g && *g) n += nodes_in(**g);
  return n;
}

// Calls use(walked graph) once everything is known.
template <class F> void walk(const Graph& graph, SharedInference& shared, F&& use) {
  constexpr int64_t passes = 8;                           // over every node, on average
  shared.visits_left = passes * int64_t(nodes_in(graph)) + 1000;
  declare_names(graph, shared.symbols);
  std::vector<Fact> arguments;
  for (const ValueInfo& input : graph.inputs)
    if (!graph.initializers.contains(input.name)) arguments.push_back(declared_fact(input.type, shared.symbols));
  GraphInference inference(graph, shared);
  inference.walk(arguments);
  use(inference);
}

void complete(TypeInfo& declared, const TypeInfo& inferred) {
  if (declared.kind == TypeInfo::Kind::none) { declared = inferred; return; }
  if (declared.kind != inferred.kind || (declared.element != inferred.element && declared.element != DataType::none)) return;
  declared.element = inferred.element;
  if (!declared.item) declared.item = inferred.item;
  if (!inferred.shape) return;
  if (!declared.shape) declared.shape = inferred.shape;
  if (declared.shape->size() != inferred.shape->size()) return;
  for (size_t i = 0; i < declared.shape->size(); ++i) {
    DimInfo& d = (*declared.shape)[i];
    const DimInfo& found = (*inferred.shape)[i];
    if (!d.size && (d.name.empty() || found.size)) d = found;
  }
}

void write_into(Graph& graph, const GraphTypes& types) {
  BorrowedNames declared;
  for (auto* list : {&graph.values, &graph.outputs})
    for (ValueInfo& v : *list) {
      declared.insert(v.name);
      if (const auto it = types.values.find(v.name); it != types.values.end()) complete(v.type, it->second);
    }
  std::vector<ValueInfo> more;
  for (Node& node : graph.nodes) {
    for (const std::string& name : node.outputs)
      if (const auto it = types.values.find(name); !name.empty() && !declared.contains(name) && it != types.values.end() && it->second.kind != TypeInfo::Kind::none)
        more.push_back({name, it->second});
    for (auto& [name, a] : node.attributes) {
      auto* body = std::get_if<GraphRef>(&a);
      const auto it = types.bodies.find(text(node.outputs.empty() ? "" : node.outputs[0], "/", name));
      if (!body || !*body || it == types.bodies.end()) continue;
      Graph inner = **body;
      write_into(inner, it->second);
      *body = std::make_shared<const Graph>(std::move(inner));
    }
  }
  std::move(more.begin(), more.end(), std::back_inserter(graph.values));
}

}  // namespace

InferredTypes infer_types(const Model& model, const CustomOperators& custom) {
  Model modern = model;
  modernise_known(modern, custom);
  SharedInference shared{custom};
  InferredTypes out;
  walk(modern.graph, shared, [&](const GraphInference& walked) { out.graph = walked.types(); });
  out.problems = std::move(shared.problems);
  return out;
}

void check_types(const Model& model, const CustomOperators& custom) {
  const InferredTypes inferred = infer_types(model, custom);
  if (!inferred.problems.empty()) throw inferred.problems.front();
}

void write_types(Model& model, const GraphTypes& types) { write_into(model.graph, types); }

void complete_outputs(std::vector<ValueInfo>& outputs, const Model& modern, const CustomOperators& custom) {
  SharedInference shared{custom};
  walk(modern.graph, shared, [&](const GraphInference& walked) {
    for (ValueInfo& v : outputs) if (const Fact* fact = walked.find(v.name)) complete(v.type, type_of_fact(*fact, shared.symbols));
  });
}

}  // namespace onward
