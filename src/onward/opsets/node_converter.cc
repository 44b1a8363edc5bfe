#include "onward/opsets/node_converter.h"

#include "onward/opsets/raising.h"
#include "onward/opsets/releases.h"
#include "onward/ops/allowed_types.h"
#include "onward/ops/operator.h"

namespace onward {
namespace {

constexpr size_t most_nodes = 20'000'000;
constexpr int deepest = 64;                               // of graphs in graphs, and of texts in texts

std::string domain_name(std::string_view domain) { return std::string(domain.empty() ? "ai.onnx" : domain); }

// What the words of a text mean: the newest version of every domain, but `opset` of the node's own operator.
Opsets newest_opsets() { return {{"", newest_version("")}, {"ai.onnx.ml", newest_version("ai.onnx.ml")}, {"onward", 1}}; }

int first_version(const Node& node) {
  int first = signature(node.domain, node.op)->since;
  for (const Signature& s : standard_signatures())
    if (s.domain == node.domain && s.op == node.op) first = std::min(first, s.since);
  return first;
}

}  // namespace

const Function* OpsetChange::function(const Node& node) const {
  for (const Function& f : functions) if (f.name == node.op && f.domain == node.domain && f.overload == node.overload) return &f;
  return nullptr;
}

NodeConverter::NodeConverter(Graph& graph, OpsetChange& shared, const Known* outer, int depth) : graph_(graph), shared_(shared), known_(outer), depth_(depth) {
  if (depth > deepest) fail(Code::limit_size, "graphs are nested more than ", deepest, " deep");
  known_.declare(graph);
}

void NodeConverter::run(const Opsets& from) {
  std::vector<Node> nodes = std::move(graph_.nodes);
  for (Node& node : nodes) convert(std::move(node), from, 0);
  graph_.nodes = std::move(done_);
}

void NodeConverter::convert(Node node, const Opsets& opsets, int depth) {
  if (++shared_.nodes > most_nodes) fail(Code::limit_size, "more than ", most_nodes, " nodes once they are written for other opsets");
  if (depth > deepest) fail(Code::limit_size, "definitions are nested more than ", deepest, " deep");
  if (const Function* f = shared_.function(node)) {
    if (!shared_.put_in_place.contains(function_key(f->domain, f->name, f->overload))) return emit(std::move(node), opsets);
    for (Node& inner : inlined(node, *f, shared_.names)) convert(std::move(inner), f->opsets, depth + 1);
    return;
  }
  const auto version = opsets.find(node.domain);
  if (version == opsets.end()) fail(Code::bad_model, shown(node), ": the model does not say which opset of domain '", node.domain, "' it uses");
  const auto wanted = shared_.target.find(node.domain);
  const std::string label = shown(node), domain = node.domain;
  try {
    rewrite(std::move(node), opsets, version->second, wanted == shared_.target.end() ? version->second : wanted->second, depth);
  } catch (Error& e) {
    if (e.code != Code::unsupported_operator || !shared_.refused || depth > 0) throw e.message.starts_with("node '") ? e : e.within(label);
    shared_.refused->push_back({domain, {e.code, label, e.message, e.hint}});
  }
}

void NodeConverter::rewrite(Node node, const Opsets& opsets, int64_t opset, int64_t target, int depth) {
  if (node.domain == "onward") return expand(node, own_form(node), own_operator_text(node, known_), newest_opsets(), depth);
  const Signature *now = signature(node.domain, node.op, opset), *then = signature(node.domain, node.op, target);
  if (!now) {
    if (signature(node.domain, node.op)) fail(Code::bad_model, "operator ", node.op, " is not in opset ", opset);
    return emit(std::move(node), opsets);                 // not of the standard: what it means does not depend on its opsets
  }
  if (depth == 0 && now != then) ++shared_.changed;
  known_.learn(node, opset);
  if (then && is_deprecated(*then) && then->since >= now->since) {
    if (const std::string text = text_for_deprecated(node, known_); !text.empty()) return expand(node, *now, text, newest_opsets(), depth);
    if (now != then || depth > 0) {
      if (expand_meaning(node, opset, depth)) return;
      unsupported("operator ", node.op, " is deprecated in opset ", target, " of ", domain_name(node.domain));
    }
  }
  if (now == then && depth == 0) return emit(std::move(node), opsets);
  if (now == then) return with_types(std::move(node), *then, opsets, depth);
  if (node.op == "Constant" && node.domain.empty() && then) return constant(std::move(node), *then, opsets);
  if (!then || then->since < now->since) lower(std::move(node), opsets, opset, depth);
  else raise(std::move(node), opsets, opset, target, depth);
}

void NodeConverter::expand(const Node& node, const Signature& form, std::string_view body, const Opsets& opsets, int depth) {
  for (Node& inner : expanded(node, form, body, shared_.names, graph_)) {
    for (const std::string& input : inner.inputs)
      if (const auto it = graph_.initializers.find(input); it != graph_.initializers.end()) known_.constant(input, it->second);
    convert(std::move(inner), opsets, depth + 1);
  }
}

void NodeConverter::lower(Node node, const Opsets& opsets, int64_t opset, int depth) {
  const auto wanted = shared_.target.find(node.domain);
  const int64_t target = wanted->second;
  const Signature* then = signature(node.domain, node.op, target);
  const Node before = node;
  try {
    int64_t at_opset = opset;
    while (const LoweringRule* rule = lowering_rule(node.domain, node.op, at_opset, target)) {
      const Signature* form = signature(node.domain, node.op, at_opset);
      Lowering at{node, *form, then, known_, shared_.target, shared_.lost, shared_.notes};
      const std::string text = rule->lower(at);
      at_opset = rule->below - 1;
      if (text.empty()) continue;
      Opsets words = newest_opsets();
      // The node's own operator in its older form; other operators in their newest.
      for (Node& inner : expanded(node, *form, text, shared_.names, graph_)) {
        for (const std::string& input : inner.inputs)
          if (const auto it = graph_.initializers.find(input); it != graph_.initializers.end()) known_.constant(input, it->second);
        Opsets meant = words;
        if (inner.op == node.op && inner.domain == node.domain) {
          meant[node.domain] = at_opset;
          if (const Signature* older = signature(node.domain, node.op, at_opset)) {
            Lowering written{inner, *signature(node.domain, node.op, opset), older, known_, shared_.target, shared_.lost, shared_.notes};
            drop_newer_attributes(written);
          }
        }
        convert(std::move(inner), meant, depth + 1);
      }
      return;
    }
    if (!then) unsupported("operator ", node.op, " came with opset ", first_version(node), " of ", domain_name(node.domain));
    Lowering at{node, *signature(node.domain, node.op, opset), then, known_, shared_.target, shared_.lost, shared_.notes};
    follow_table_down(at);
    with_types(std::move(node), *then, opsets, depth);
  } catch (Error& e) {
    if (e.code != Code::unsupported_operator) throw;
    if (expand_meaning(before, opset, depth)) return;
    if (!e.hint.empty() || e.message.starts_with("node '")) throw;
    throw Error(e.code, text("there is no form in opset ", target, " of ", domain_name(node.domain), ": ", e.message), "choose a newer opset");
  }
}

// As it is, or between casts where this version does not take its types.
void NodeConverter::with_types(Node node, const Signature& then, const Opsets& opsets, int depth) {
  const Lowering at{node, then, &then, known_, shared_.target, shared_.lost, shared_.notes};
  const std::string text = text_with_wider_types(at);
  if (text.empty()) return emit(std::move(node), opsets);
  for (Node& inner : expanded(node, then, text, shared_.names, graph_)) {
    Opsets meant = newest_opsets();
    if (inner.op == node.op && inner.domain == node.domain) meant[node.domain] = shared_.target.at(node.domain);
    convert(std::move(inner), meant, depth + 1);
  }
}

// The standard's own definition in simpler operators, where it has one.
bool NodeConverter::expand_meaning(const Node& node, int64_t opset, int depth) {
  const Signature *now = signature(node.domain, node.op, opset), *newest = signature(node.domain, node.op);
  if (newest->body.empty()) return false;
  Node lifted = node;
  if (now != newest) raise_by_table(lifted, *now, *newest, known_, shared_.names, graph_);
  Opsets words = newest_opsets();
  words[""] = newest->body_opset;
  expand(lifted, *newest, newest->body, words, depth);
  return true;
}

void NodeConverter::raise(Node node, const Opsets& opsets, int64_t opset, int64_t target, int depth) {
  const Signature *now = signature(node.domain, node.op, opset), *then = signature(node.domain, node.op, target);
  if (const Operator* op = find_operator(node.domain, node.op))
    for (const Upgrade& upgrade : op->facts.upgrades) {
      if (opset >= upgrade.below || target < upgrade.below) continue;
      if (upgrade.to.find('(') != upgrade.to.npos) return expand(node, *now, upgrade.to, newest_opsets(), depth);
      raise_by_hand(node, upgrade.to, known_);
    }
  if (const std::string text = text_for_new_sense(node, *now, *then, known_); !text.empty()) return expand(node, *now, text, newest_opsets(), depth);
  raise_by_table(node, *now, *then, known_, shared_.names, graph_);
  emit(std::move(node), opsets);
}

// As a tensor, which every version takes; one of a type that this version of Constant does not know is an initializer.
void NodeConverter::constant(Node node, const Signature& then, const Opsets& opsets) {
  const Knowledge& known = known_.of(node.outputs.at(0));
  if (!known.value) return emit(std::move(node), opsets);
  const auto types = allowed_types(then);
  const bool taken = !types.empty() && contains(types[0].tensors, known.value->type());
  if (taken && (then.since >= 12 || node.attributes.contains("value"))) return emit(std::move(node), opsets);
  if (!taken) { graph_.initializers[node.outputs[0]] = *known.value; return; }
  const Tensor value = *known.value;
  node.attributes.clear();
  node.attributes["value"] = value;
  emit(std::move(node), opsets);
}

void NodeConverter::emit(Node node, const Opsets& opsets) {
  std::vector<std::vector<Knowledge>> results;
  for (auto& [name, attribute] : node.attributes) {
    auto* body = std::get_if<GraphRef>(&attribute);
    if (!body || !*body) continue;
    Graph inner = **body;
    NodeConverter converter(inner, shared_, &known_, depth_ + 1);
    if (inner.inputs.size() == node.inputs.size() || node.op == "Loop")       // what goes into a Loop's or Scan's body undeclared
      for (size_t i = 0; i < inner.inputs.size(); ++i) {
        if (inner.inputs[i].type.kind != TypeInfo::Kind::none || i >= node.inputs.size()) continue;
        const Knowledge& given = known_.of(node.inputs[i]);
        converter.known().set(inner.inputs[i].name, {given.kind, given.element, {}, {}, {}});
      }
    converter.run(opsets);
    std::vector<Knowledge>& found = results.emplace_back();
    for (const ValueInfo& output : inner.outputs) found.push_back(converter.known().of(output.name));
    *body = std::make_shared<const Graph>(std::move(inner));
  }
  const size_t skipped = node.op == "Loop" ? 1 : 0;       // the condition
  if (!results.empty() && node.op != "SequenceMap")
    for (size_t k = 0; k < node.outputs.size() && k + skipped < results[0].size(); ++k)
      if (!node.outputs[k].empty()) known_.set(node.outputs[k], {results[0][k + skipped].kind, results[0][k + skipped].element, {}, {}, {}});
  done_.push_back(std::move(node));
}

}  // namespace onward
