#include "onward/opsets/known.h"

#include <climits>

#include "onward/ops/evaluate.h"
#include "onward/ops/node_types.h"
#include "onward/ops/upgrade.h"
#include "onward/opsets/releases.h"

namespace onward {
namespace {

constexpr int64_t most_folded = 4096;                     // elements of a constant that is computed from constants

bool has_body(const Node& node) {
  return std::any_of(node.attributes.begin(), node.attributes.end(), [](const auto& a) { return std::holds_alternative<GraphRef>(a.second); });
}

// Operators whose preparation is as large as their model: their types are known without it.
bool is_ensemble(const Node& node) { return node.op.starts_with("TreeEnsemble") || node.op.starts_with("SVM"); }

// The container that an operator makes of others or takes apart.
struct Container { std::string_view op; TypeInfo::Kind kind; };
constexpr Container containers[] = {
    {"SequenceConstruct", TypeInfo::Kind::sequence}, {"SplitToSequence", TypeInfo::Kind::sequence}, {"SequenceAt", TypeInfo::Kind::tensor},
    {"ConcatFromSequence", TypeInfo::Kind::tensor}, {"Optional", TypeInfo::Kind::optional}, {"OptionalGetElement", TypeInfo::Kind::none},
    {"SequenceEmpty", TypeInfo::Kind::sequence},
};

}  // namespace

const Knowledge& Known::of(const std::string& name) const {
  static const Knowledge nothing;
  const auto it = values_.find(name);
  return it != values_.end() ? it->second : outer_ ? outer_->of(name) : nothing;
}

void Known::set(const std::string& name, Knowledge what) { values_[name] = std::move(what); }

void Known::constant(const std::string& name, const Tensor& value) { values_[name] = {TypeInfo::Kind::tensor, value.type(), value.dims(), value, {}}; }

Knowledge Known::declared(const ValueInfo& info) {
  Knowledge out{info.type.kind, info.type.innermost(), {}, {}, {}};
  if (info.type.kind != TypeInfo::Kind::tensor || !info.type.shape) return out;
  out.dims.emplace();
  for (const DimInfo& d : *info.type.shape) out.dims->push_back(d.size && *d.size >= 0 ? *d.size : d.name.empty() ? symbols_.fresh() : symbols_.named(d.name));
  return out;
}

void Known::declare(const Graph& graph) {
  for (auto* list : {&graph.values, &graph.outputs, &graph.inputs}) for (const ValueInfo& info : *list) values_[info.name] = declared(info);
  for (const auto& [name, tensor] : graph.initializers) constant(name, tensor);
}

void Known::merge(const std::string& name, Knowledge found) {
  Knowledge& known = values_[name];
  if (found.element != DataType::none) known.element = found.element;
  if (found.kind != TypeInfo::Kind::none) known.kind = found.kind;
  if (found.dims) known.dims = std::move(found.dims);
  if (found.value) known.value = std::move(found.value);
  if (found.sizes) known.sizes = std::move(found.sizes);
}

void Known::learn(const Node& node, int64_t opset) {
  const Signature* form = signature(node.domain, node.op, opset);
  const auto sources = output_type_sources(form, node.outputs.size());
  for (size_t k = 0; k < node.outputs.size(); ++k) {
    if (node.outputs[k].empty()) continue;
    Knowledge found;
    if (sources[k] != INT_MIN && sources[k] < 0) found = {TypeInfo::Kind::tensor, DataType(~sources[k]), {}, {}, {}};
    else if (sources[k] >= 0 && size_t(sources[k]) < node.inputs.size()) {
      const Knowledge& from = of(node.inputs[size_t(sources[k])]);
      found.kind = from.kind, found.element = from.element;
    }
    merge(node.outputs[k], found);
  }
  for (const Container& c : containers)
    if (c.op == node.op && !node.outputs.empty()) {
      const DataType element = node.inputs.empty() ? DataType::none : of(node.inputs[0]).element;
      return merge(node.outputs[0], {c.kind, element, {}, {}, {}});
    }
  for (const char* names_type : {"to", "dtype"})
    if (const auto it = node.attributes.find(names_type); it != node.attributes.end() && !node.outputs.empty() && !node.outputs[0].empty())
      if (auto* type = std::get_if<int64_t>(&it->second); type && *type > 0 && *type < int64_t(DataType::count)) merge(node.outputs[0], {TypeInfo::Kind::tensor, DataType(*type), {}, {}, {}});
  if (is_ensemble(node) && !node.op.ends_with("Classifier") && !node.inputs.empty()) {
    int64_t targets = 1;
    if (const auto it = node.attributes.find("n_targets"); it != node.attributes.end() && std::holds_alternative<int64_t>(it->second)) targets = std::get<int64_t>(it->second);
    const auto& dims = of(node.inputs[0]).dims;
    merge(node.outputs[0], {TypeInfo::Kind::tensor, DataType::none, Dims{dims && !dims->empty() ? (*dims)[0] : symbols_.fresh(), targets}, {}, {}});
  }
  if (!form || is_ensemble(node) || has_body(node)) return;
  try {
    infer(node, opset);
  } catch (const Error&) {                                // a value that no kernel takes: nothing is known of it, and the node may still be kept
  }
}

void Known::infer(const Node& node, int64_t opset) {
  static const Opsets newest{{"", newest_version("")}, {"ai.onnx.ml", newest_version("ai.onnx.ml")}};
  Model alone;
  alone.opsets = newest;
  auto& version = alone.opsets[node.domain];
  version = version ? std::min(version, opset) : opset;
  alone.graph.nodes.push_back(node);
  modernise(alone);
  for (const Node& newest : alone.graph.nodes) infer_newest(newest, alone.graph.initializers);
}

void Known::infer_newest(const Node& node, const std::map<std::string, Tensor, std::less<>>& made) {
  const Operator* op = find_operator(node.domain, node.op);
  if (!op || has_body(node)) return;
  std::map<std::string, Tensor, std::less<>> from_sizes;   // what arithmetic on known shapes gives is constant
  const auto value = [&](std::string_view name) -> const Tensor* {
    if (const auto it = made.find(name); it != made.end()) return &it->second;
    const Knowledge& known = of(std::string(name));
    if (known.value) return known.value->size() <= most_folded ? &*known.value : nullptr;
    if (!known.sizes || known.element != DataType::i64 || !known.dims || std::any_of(known.sizes->begin(), known.sizes->end(), is_symbol)) return nullptr;
    if (known.dims->size() > 1 || (known.dims->size() == 1 && (*known.dims)[0] != int64_t(known.sizes->size()))) return nullptr;
    return &from_sizes.try_emplace(std::string(name), Tensor::of<int64_t>(*known.dims, std::span<const int64_t>(*known.sizes))).first->second;
  };
  const auto self = op->create({node, value, [](const GraphRef&) -> std::shared_ptr<const Body> { unsupported("a subgraph"); }});
  std::vector<Fact> facts, found(node.outputs.size());
  std::vector<Value> constants;
  for (const std::string& name : node.inputs) {
    const Tensor* v = value(name);
    const Knowledge& known = of(name);
    if (v) facts.push_back({v->type(), v->dims(), v, {}}), constants.emplace_back(*v);
    else facts.push_back(known.kind == TypeInfo::Kind::tensor ? Fact{known.element, known.dims, nullptr, known.sizes} : Fact{});
    if (!v && name.empty()) constants.emplace_back();
  }
  NodeTypes(signature(node.domain, node.op), found.size()).begin(facts, found);
  Inference io{facts, found, &symbols_};
  try {
    op->infer(self.get(), io);
  } catch (const NothingKnown&) {
  }
  int64_t elements = 0;
  for (const Fact& f : found) elements = f.dims && std::none_of(f.dims->begin(), f.dims->end(), is_symbol) ? std::max(elements, count(*f.dims)) : INT64_MAX;
  std::vector<Value> results;
  if (constants.size() == node.inputs.size() && (elements <= most_folded || node.op == "Constant") && !op->facts.random) results = evaluate(node, constants);
  for (size_t k = 0; k < found.size(); ++k) {
    if (node.outputs[k].empty()) continue;
    Knowledge k_th{found[k].type != DataType::none ? TypeInfo::Kind::tensor : TypeInfo::Kind::none, found[k].type, found[k].dims, {}, found[k].sizes};
    if (const Tensor* t = results.empty() ? nullptr : results[k].tensor()) k_th = {TypeInfo::Kind::tensor, t->type(), t->dims(), *t, {}};
    merge(node.outputs[k], std::move(k_th));
  }
}

}  // namespace onward
