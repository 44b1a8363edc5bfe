#include "onward/ops/upgrade.h"

#include <set>

#include "onward/model/text.h"
#include "onward/ops/contrib_signatures.h"
#include "onward/ops/gradient.h"
#include "onward/ops/operator.h"
#include "onward/ops/rewriting.h"

namespace onward {
namespace {

constexpr size_t most_nodes = 20'000'000;                 // after functions were put in place
constexpr int deepest = 64;                               // of functions in functions, and of subgraphs

// What is shared by a graph and its subgraphs while they are rewritten.
struct Shared {
  const std::vector<Function>& functions;
  const CustomOperators& custom;
  ValueNames names = {};
  size_t nodes = 0;
  bool keep_unknown = false;                              // nodes that cannot become new ones stay
  std::map<std::string, const Function*> by_key = {};

  Shared(const std::vector<Function>& all, const CustomOperators& custom) : functions(all), custom(custom) {
    for (const Function& f : all) by_key.emplace(function_key(f.domain, f.name, f.overload), &f);
  }
  const Function* function(const Node& node) const {
    if (by_key.empty()) return nullptr;
    const auto it = by_key.find(function_key(node.domain, node.op, node.overload));
    return it == by_key.end() ? nullptr : it->second;
  }
};

// One graph under reconstruction.
class Rewriter {
 public:
  Rewriter(Graph& graph, Shared& shared, int depth) : graph_(graph), shared_(shared), depth_(depth) {
    if (depth > deepest) fail(Code::limit_size, "graphs or functions are nested more than ", deepest, " deep");
  }

  void node(Node node, const Opsets& opsets, int depth = 0) {
    if (++shared_.nodes > most_nodes) fail(Code::limit_size, "more than ", most_nodes, " nodes once functions are in place");
    if (depth > deepest) fail(Code::limit_size, "functions are nested more than ", deepest, " deep");
    if (const Function* f = shared_.function(node)) {
      for (Node& inner : inlined(node, *f, shared_.names)) this->node(std::move(inner), f->opsets, depth + 1);
      return;
    }
    const auto version = opsets.find(node.domain);
    if (version == opsets.end()) fail(Code::bad_model, shown(node), ": the model does not say which opset of domain '", node.domain, "' it uses");
    const std::string label = shown(node);
    if (shared_.keep_unknown) return upgrade_if_known(node, version->second, opsets, depth);
    try {
      upgrade(std::move(node), version->second, opsets, depth);
    } catch (Error& e) {
      throw e.message.starts_with("node '") ? e : e.within(label);
    }
  }

  // Puts the nodes of `body` in the place of `node`: its words for inputs, outputs and attributes are those of `form`.
  void replace(const Node& node, const Signature& form, std::string_view body, int64_t opset, int depth) {
    const Opsets newest{{"", opset}, {"ai.onnx.ml", INT64_MAX}, {"onward", INT64_MAX}, {"com.microsoft", INT64_MAX}, {node.domain, opset}};
    for (Node& inner : expanded(node, form, body, shared_.names, graph_)) this->node(std::move(inner), newest, depth + 1);
  }

  void finish() { graph_.nodes = std::move(done_); }

 private:
  Graph& graph_;
  Shared& shared_;
  int depth_;
  std::vector<Node> done_;
  std::optional<Differentiated> differentiated_;

  void upgrade_if_known(const Node& node, int64_t opset, const Opsets& opsets, int depth) {
    const size_t before = done_.size();
    try {
      upgrade(node, opset, opsets, depth);
    } catch (const Error& e) {
      if (e.code != Code::unsupported_operator) throw;
      done_.resize(before);
      done_.push_back(node);
    }
  }

  void upgrade(Node node, int64_t opset, const Opsets& opsets, int depth) {
    if (const auto* registered = shared_.custom.find(node.domain, node.op)) {
      if (opset < registered->form.since) unsupported("the model uses version ", opset, " of domain '", node.domain, "', the operator is registered from version ", registered->form.since);
      done_.push_back(std::move(node));
      return;
    }
    const Signature* then = signature(node.domain, node.op, opset);
    const Signature* now = signature(node.domain, node.op);
    const Operator* op = find_operator(node.domain, node.op);
    if (!then && !op && node.domain == "com.microsoft.nchwc")
      throw Error(Code::unsupported_operator, text("operator com.microsoft.nchwc.", node.op, " is laid out for one processor by ONNX Runtime"), "save the optimised model again with at most ORT_ENABLE_EXTENDED");
    if (!then && !op && now) unsupported("operator ", node.op, " is not in opset ", opset, ", it came with ", now->since);
    if (!then && !op) throw Error(Code::unsupported_operator, text("there is no operator ", node.domain, node.domain.empty() ? "" : ".", node.op), registration_hint(node.domain));
    if (then && op) for (const Upgrade& upgrade : op->facts.upgrades)
      if (opset < upgrade.below) {
        if (upgrade.to.find('(') != upgrade.to.npos) return replace(node, *then, upgrade.to, INT64_MAX, depth);
        node.domain = "onward", node.op = upgrade.to;
        return this->upgrade(std::move(node), INT64_MAX, opsets, depth);
      }
    if (then && then != now) follow_table(node, *then, *now);
    if (is_gradient(node)) return gradient(node, depth);
    if (const auto* refusal = op ? nullptr : contrib_refusal(node.domain, node.op)) throw Error(Code::unsupported_operator, text("operator ", node.domain, ".", node.op, " ", refusal->reason), std::string(refusal->hint));
    if (!op && now->body.empty()) throw Error(Code::unsupported_operator, text("there is no kernel for operator ", node.domain, node.domain.empty() ? "" : ".", node.op), registration_hint(node.domain));
    if (!op) check_contrib_limits(node);
    if (!op) return replace(node, *now, now->body, now->body_opset, depth);
    for (auto& [name, attribute] : node.attributes)
      if (auto* body = std::get_if<GraphRef>(&attribute); body && *body) *body = std::make_shared<const Graph>(subgraph(**body, opsets));
    done_.push_back(std::move(node));
  }

  void gradient(const Node& node, int depth) {
    if (depth > 0) unsupported("Gradient inside a function");
    if (!differentiated_)
      differentiated_.emplace(Differentiated{done_, [this](const std::string& wanted) { return shared_.names.fresh(wanted); },
                                       [this](const Node& of, const Signature& form, std::string_view body) { replace(of, form, body, INT64_MAX, 1); },
                                       [this](size_t n) { if ((shared_.nodes += n) > most_nodes) fail(Code::limit_size, "more than ", most_nodes, " nodes to differentiate"); }});
    differentiate(node, *differentiated_);
  }

  Graph subgraph(const Graph& from, const Opsets& opsets) {
    Graph inner = from;
    // Old exporters list a body's weights among its inputs, as the first versions of the IR asked; no node hands values to those.
    std::erase_if(inner.inputs, [&](const ValueInfo& v) { return inner.initializers.contains(v.name); });
    Rewriter rewriter(inner, shared_, depth_ + 1);
    for (Node& n : inner.nodes) rewriter.node(std::move(n), opsets);
    rewriter.finish();
    return inner;
  }

  // A value of the graph that holds what the attribute held.
  std::string constant(const std::string& name, const Attribute& attribute) {
    const std::string made = shared_.names.fresh(name);
    Tensor& t = graph_.initializers[made];
    if (auto* i = std::get_if<int64_t>(&attribute)) t = Tensor::of<int64_t>({1}, {*i});
    else if (auto* f = std::get_if<float>(&attribute)) t = Tensor::of<float>({}, {*f});
    else if (auto* ints = std::get_if<std::vector<int64_t>>(&attribute)) t = Tensor::of({int64_t(ints->size())}, *ints);
    else if (auto* reals = std::get_if<std::vector<float>>(&attribute)) t = Tensor::of({int64_t(reals->size())}, *reals);
    else unsupported("attribute '", name, "' became an input and is no number");
    return made;
  }

  void follow_table(Node& node, const Signature& then, const Signature& now) {
    const auto inputs = ports(now.inputs);
    const auto attributes = attribute_facts(now.attributes);
    for (const AttributeFact& old : attribute_facts(then.attributes)) {
      const auto kept = std::find_if(attributes.begin(), attributes.end(), [&](const auto& a) { return a.name == old.name; });
      const bool given = node.attributes.contains(old.name);
      const bool default_changed = kept == attributes.end() || kept->default_text != old.default_text;
      if (!given && !old.default_text.empty() && default_changed) node.attributes[std::string(old.name)] = parse_attribute(old.default_text);
      const auto it = node.attributes.find(old.name);
      if (it == node.attributes.end() || kept != attributes.end()) continue;
      for (size_t i = 0; i < inputs.size(); ++i) if (same_word(inputs[i].name, old.name)) {
        if (node.inputs.size() <= i) node.inputs.resize(i + 1);
        node.inputs[i] = constant(text(node.outputs.empty() ? node.name : node.outputs[0], "/", old.name), it->second);
      }
      node.attributes.erase(it);
    }
  }
};

// Versions beyond what the table knows would be run with the wrong meaning.
void check_opsets(const Model& model) {
  int64_t newest[2] = {0, 0};
  for (const Signature& s : standard_signatures()) {
    if (s.domain.empty()) newest[0] = std::max<int64_t>(newest[0], s.since);
    if (s.domain == "ai.onnx.ml") newest[1] = std::max<int64_t>(newest[1], s.since);
  }
  for (int i : {0, 1}) {
    const auto it = model.opsets.find(i ? "ai.onnx.ml" : "");
    if (it == model.opsets.end()) continue;
    if (it->second < 1) fail(Code::bad_model, "opset ", it->second, " of ", i ? "ai.onnx.ml" : "ai.onnx", " does not exist");
    if (it->second > newest[i]) throw Error(Code::unsupported_operator, text("the model uses opset ", it->second, " of ", i ? "ai.onnx.ml" : "ai.onnx", ", the newest known is ", newest[i]), "export with an older opset");
  }
}

}  // namespace

static void modernise(Model& model, const CustomOperators& custom, bool keep_unknown) {
  if (!keep_unknown) check_opsets(model);
  Shared shared(model.functions, custom);
  shared.keep_unknown = keep_unknown;
  shared.names.note(model.graph);
  Rewriter rewriter(model.graph, shared, 0);
  std::vector<Node> nodes = std::move(model.graph.nodes);
  for (Node& node : nodes) rewriter.node(std::move(node), model.opsets);
  rewriter.finish();
  model.functions.clear();
  for (const Signature& s : standard_signatures())
    if (s.domain.empty() || s.domain == "ai.onnx.ml") {
      auto& version = model.opsets[std::string(s.domain)];
      version = std::max<int64_t>(version, s.since);
    }
}

void modernise(Model& model, const CustomOperators& custom) { modernise(model, custom, false); }
void modernise_known(Model& model, const CustomOperators& custom) { modernise(model, custom, true); }

static void collect_missing(const Graph& graph, const Shared& shared, std::set<std::string>& out, int depth) {
  if (depth > deepest) return;
  for (const Node& node : graph.nodes) {
    const Signature* form = signature(node.domain, node.op);
    const ContribRefusal* refusal = contrib_refusal(node.domain, node.op);
    const bool runs = shared.function(node) || shared.custom.find(node.domain, node.op) || find_operator(node.domain, node.op) || is_gradient(node) || (form && !form->body.empty());
    if (!runs && refusal) out.insert(text(node.domain, " ", node.op, ": ", refusal->reason, "; ", refusal->hint));
    else if (!runs)
      out.insert(text(node.domain.empty() ? "ai.onnx" : node.domain, " ", node.op, form ? ": no kernel" : node.domain == "com.microsoft.nchwc" ? ": laid out for one processor; save the model with at most ORT_ENABLE_EXTENDED" : ": not an operator of the standard"));
    for (const auto& [name, a] : node.attributes) if (auto* g = std::get_if<GraphRef>(&a); g && *g) collect_missing(**g, shared, out, depth + 1);
  }
}

std::vector<std::string> missing_operators(const Model& model, const CustomOperators& custom) {
  const Shared shared(model.functions, custom);
  std::set<std::string> missing;
  collect_missing(model.graph, shared, missing, 0);
  for (const Function& f : model.functions) {
    Graph body;
    body.nodes = f.nodes;
    collect_missing(body, shared, missing, 0);
  }
  return {missing.begin(), missing.end()};
}

std::optional<Graph> meaning(const Node& node) {
  const Signature* form = signature(node.domain, node.op);
  if (!form || form->body.empty()) return std::nullopt;
  Graph graph;
  for (const std::string& name : node.outputs) graph.outputs.push_back({name, {}, {}});
  static const std::vector<Function> none;
  static const CustomOperators no_custom;
  Shared shared(none, no_custom);
  for (auto* list : {&node.inputs, &node.outputs}) for (const std::string& name : *list) shared.names.note(name);
  Rewriter rewriter(graph, shared, 0);
  rewriter.replace(node, *form, form->body, form->body_opset, 0);
  rewriter.finish();
  return graph;
}

}  // namespace onward
