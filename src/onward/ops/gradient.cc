#include "onward/ops/gradient.h"

#include <algorithm>
#include <set>

#include "onward/ops/gradient_rules.h"
#include "onward/ops/operator.h"

namespace onward {
namespace {

// g, summed over the axes along which `like` was repeated, in the shape of `like`.
constexpr std::string_view sum_to = R"(
from = Shape(g)
to = Shape(like)
padded = Concat(ConstantOfShape(Sub(Size(from), Reshape(Size(to), int64 [1])); value=int64 [1]), to; axis=0)
repeated = Reshape(NonZero(Not(Equal(padded, from))), int64 [-1])
d = Reshape(ReduceSum(g, repeated; keepdims=1, noop_with_empty_axes=1), to; allowzero=1))";

constexpr size_t most_inputs = 256;                       // each input's formula may name all of them

class Reverse {
 public:
  Reverse(const Node& gradient, Differentiated& graph) : node_(gradient), graph_(graph) {
    gradient.attributes.read("xs", xs_);
    gradient.attributes.read("zs", zs_);
    gradient.attributes.read("y", y_);
    if (xs_.empty() || y_.empty()) invalid("xs or y is missing");
    if (gradient.inputs.size() != xs_.size() + zs_.size())
      invalid("has ", gradient.inputs.size(), " inputs for ", xs_.size(), " xs and ", zs_.size(), " zs");
    if (gradient.outputs.size() > xs_.size()) invalid("has ", gradient.outputs.size(), " outputs for ", xs_.size(), " xs");
    if (std::set<std::string>(xs_.begin(), xs_.end()).size() < xs_.size()) invalid("xs names a value twice");
  }

  void run() {
    bind_inputs();
    const auto nodes = slice();
    if (!graph_.makers.contains(y_) && std::count(xs_.begin(), xs_.end(), y_) + std::count(zs_.begin(), zs_.end(), y_) == 0)
      invalid("y is '", y_, "', which no node before it computes");
    for (size_t i : nodes) forward(graph_.nodes[i]);
    const std::string y = here(y_);
    gradients_[y].push_back(made("Expand(CastLike(float 1, y), Shape(y))", {{"y", y}}));
    for (size_t k = local_.size(); k-- > 0;) backward(Node(local_[k]));
    for (size_t i = 0; i < node_.outputs.size(); ++i) {
      if (node_.outputs[i].empty()) continue;
      const std::string x = here(xs_[i]), sum = total(x);
      if (sum.empty()) write("Expand(CastLike(float 0, x), Shape(x))", {{"x", x}}, node_.outputs[i]);
      else write("Identity(x)", {{"x", sum}}, node_.outputs[i]);
    }
  }

 private:
  using Words = std::vector<std::pair<std::string_view, std::string>>;
  const Node& node_;
  Differentiated& graph_;
  std::vector<std::string> xs_, zs_;
  std::string y_;
  std::map<std::string, std::string, std::less<>> names_;              // of a value of the graph, where it is another here
  std::set<std::string, std::less<>> seen_;
  std::set<std::string, std::less<>> changed_;                         // other values flow in than in the graph
  std::set<std::string, std::less<>> active_;                          // depends on xs
  std::vector<Node> local_;                                            // the active nodes, in order
  std::map<std::string, std::vector<std::string>, std::less<>> gradients_;

  std::string here(const std::string& name) const {
    const auto it = names_.find(name);
    return it == names_.end() ? name : it->second;
  }

  // Values given under other names flow through a copy of the nodes; so each name stands for one value.
  void bind_inputs() {
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      const std::string& name = i < xs_.size() ? xs_[i] : zs_[i - xs_.size()];
      seen_.insert(name);
      if (node_.inputs[i] != name) names_[name] = made("Identity(x)", {{"x", node_.inputs[i]}}), changed_.insert(name);
      if (i < xs_.size()) active_.insert(here(name));
    }
  }

  // The nodes between xs, zs and y.
  std::vector<size_t> slice() {
    for (; graph_.indexed < graph_.nodes.size(); ++graph_.indexed)
      for (const std::string& output : graph_.nodes[graph_.indexed].outputs) if (!output.empty()) graph_.makers[output] = graph_.indexed;
    std::set<size_t> found;
    std::vector<std::string> open{y_};
    while (!open.empty()) {
      const std::string name = std::move(open.back());
      open.pop_back();
      if (!seen_.insert(name).second) continue;
      const auto it = graph_.makers.find(name);
      if (it == graph_.makers.end() || !found.insert(it->second).second) continue;
      for (const std::string& input : graph_.nodes[it->second].inputs) if (!input.empty()) open.push_back(input);
    }
    graph_.count(found.size());
    return {found.begin(), found.end()};
  }

  // Takes the node over, copied where other values flow in; into simpler operators where only those have derivatives.
  void forward(Node node) {
    const bool copy = std::any_of(node.inputs.begin(), node.inputs.end(), [&](const auto& n) { return changed_.contains(n); });
    for (std::string& n : node.inputs) n = here(n);
    const GradientRule* rule = gradient_rule(node);
    const bool active = depends(node) && !(rule && rule->formulas.empty() && !rule->formula);
    if (!copy && !active) return;
    if (!copy && rule) return take(node);
    for (const auto& [name, a] : node.attributes) if (std::holds_alternative<GraphRef>(a)) no_derivative(node);
    for (std::string& n : node.outputs) if (!n.empty()) {
      if (copy) changed_.insert(n);
      n = names_[n] = graph_.fresh(n);
    }
    const size_t before = graph_.nodes.size();
    const Signature* form = signature(node.domain, node.op);
    if (!active || rule) graph_.nodes.push_back(node);
    else if (form && !form->body.empty()) graph_.write(node, *form, form->body);
    else no_derivative(node);
    const std::vector<Node> written(graph_.nodes.begin() + int64_t(before), graph_.nodes.end());
    for (const Node& n : written) expanded(n);
  }

  // A node of the copy, or of an operator's definition.
  void expanded(Node node) {
    for (std::string& n : node.inputs) n = here(n);
    if (!depends(node)) return;
    const GradientRule* rule = gradient_rule(node);
    if (!rule) forward(node);
    else if (!rule->formulas.empty() || rule->formula) take(node);
  }

  bool depends(const Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](const auto& n) { return active_.contains(n); });
  }

  void take(const Node& node) {
    for (const std::string& output : node.outputs) active_.insert(output);
    local_.push_back(node);
  }

  [[noreturn]] static void no_derivative(const Node& node) {
    const std::string name = text(node.domain, node.domain.empty() ? "" : ".", node.op);
    throw Error(Code::unsupported_operator, text("there is no derivative of operator ", name, " (", shown(node), ")"),
                "name a value behind it in xs, or compute it by other operators");
  }

  void backward(const Node& node) {
    for (size_t k = 1; k < node.outputs.size(); ++k) if (gradients_.contains(node.outputs[k])) no_derivative(node);
    const std::string g = node.outputs.empty() ? "" : total(node.outputs[0]);
    if (g.empty()) return;
    if (node.inputs.size() > most_inputs)
      unsupported("the gradient of ", shown(node), " with ", node.inputs.size(), " inputs; the most is ", most_inputs);
    const GradientRule& rule = *gradient_rule(node);
    Words words{{"y", node.outputs[0]}, {"g", g}};
    std::vector<std::string> formal;
    for (size_t k = 0; k < node.inputs.size(); ++k) formal.push_back(text("x", k));
    for (size_t k = 0; k < node.inputs.size(); ++k) words.emplace_back(formal[k], node.inputs[k]);
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      if (!active_.contains(node.inputs[k])) continue;
      const std::string formula = formula_of(rule, node, k);
      if (formula.empty()) continue;
      std::string d = made(formula, words, node.attributes);
      if (rule.broadcasts) d = written_as(sum_to, {{"g", d}, {"like", node.inputs[k]}}, {}, graph_.fresh(node_.outputs[0] + "/d"));
      gradients_[node.inputs[k]].push_back(d);
    }
  }

  // The sum of what arrived at a value; empty: nothing did.
  std::string total(const std::string& name) {
    const auto it = gradients_.find(name);
    if (it == gradients_.end()) return "";
    std::string sum = it->second[0];
    for (size_t i = 1; i < it->second.size(); ++i) sum = made("Add(a, b)", {{"a", sum}, {"b", it->second[i]}});
    it->second = {sum};
    return sum;
  }

  std::string made(const std::string& formula, const Words& words, const Attributes& attributes = {}) {
    const std::string out = graph_.fresh(node_.outputs.empty() ? "gradient" : node_.outputs[0] + "/g");
    write(formula, words, out, attributes);
    return out;
  }
  void write(const std::string& formula, const Words& words, const std::string& output, const Attributes& attributes = {}) {
    written_as("d = " + formula, words, attributes, output);
  }

  // `text` with its words put in, whose `d` becomes `output`.
  std::string written_as(std::string_view body, const Words& words, const Attributes& attributes, const std::string& output) {
    std::string formal;
    Node node{.op = "Gradient", .outputs = {output}, .attributes = attributes};
    for (const auto& [word, value] : words) {
      formal += text(formal.empty() ? "" : " ", word, ":T");
      node.inputs.push_back(value);
    }
    graph_.write(node, {.domain = "", .op = "Gradient", .since = 1, .inputs = formal, .outputs = "d:T"}, body);
    return output;
  }
};

}  // namespace

void differentiate(const Node& gradient, Differentiated& graph) { Reverse(gradient, graph).run(); }

}  // namespace onward
