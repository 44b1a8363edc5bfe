// MatMul with constant weights, then times a power of 2, then + bias, then Max(y, 0) or Relu become one onward.Dense. The arithmetic is the
// same, bit for bit: y - b is y + (-b), and a power of 2 may as well be in the weights (but for sums that leave the range of normal numbers).
#include <cmath>

#include "onward/optimizer/passes.h"
#include "onward/optimizer/ranks.h"

namespace onward::passes {
namespace {

// What the one reader of a Dense does with it; it becomes part of it where it can.
struct Fusion {
  Graph& graph;
  const Links& links;
  std::vector<bool>& gone;
  Node dense;

  const Node* reader() const { return links.only_reader(dense.outputs[0]); }
  void take(const Node& node) {
    gone[links.place(node)] = true;
    dense.outputs = node.outputs;
  }

  bool take_power_of_two() {
    const Node* node = reader();
    if (!node || !is_plain(*node, "Mul", 2)) return false;
    const Tensor *factor = constant_of(graph, node->inputs[node->inputs[0] == dense.outputs[0] ? 1 : 0]), *weights = constant_of(graph, dense.inputs[1]);
    if (!factor || factor->size() != 1 || factor->rank() > 1 || factor->type() != weights->type()) return false;
    Tensor scaled(weights->type(), weights->dims());
    bool exact = false;
    for_type<f32 | f64>(scaled.type(), [&]<class T>() {
      const T by = *factor->data<T>();
      int exponent = 0;
      exact = std::isfinite(by) && std::fabs(std::frexp(by, &exponent)) == T(0.5);
      for (int64_t i = 0; i < scaled.size(); ++i) {
        const T w = weights->data<T>()[i], product = w * by;
        exact &= product / by == w || w != w;
        scaled.data<T>()[i] = product;
      }
    });
    if (!exact) return false;
    dense.inputs[1] = added(dense.inputs[1] + "/scaled", std::move(scaled));
    take(*node);
    return true;
  }
  std::string added(std::string name, Tensor t) {
    while (graph.initializers.contains(name) || links.makes(name)) name += "'";
    graph.initializers[name] = std::move(t);
    return name;
  }
  bool take_bias() {
    const Node* node = reader();
    const bool minus = node && is_plain(*node, "Sub", 2);
    if (!node || !(minus || is_plain(*node, "Add", 2))) return false;
    const size_t at = node->inputs[0] == dense.outputs[0] ? 1 : 0;
    const Tensor *bias = constant_of(graph, node->inputs[at]), *weights = constant_of(graph, dense.inputs[1]);
    if (!bias || (minus && at == 0) || bias->type() != weights->type() || (bias->size() != 1 && bias->size() != weights->dims()[1])) return false;
    if (bias->rank() > 1 && (bias->rank() > 2 || bias->dims().back() != bias->size() || rank_of(graph, links, dense.inputs[0]).value_or(0) < 2)) return false;
    dense.inputs.push_back(minus || bias->rank() > 1 ? flat(node->inputs[at], *bias, minus) : node->inputs[at]);
    take(*node);
    return true;
  }
  // The bias as a vector.
  std::string flat(const std::string& name, const Tensor& bias, bool negative) {
    Tensor t(bias.type(), {bias.size()});
    for_type<f32 | f64>(t.type(), [&]<class T>() {
      for (int64_t i = 0; i < t.size(); ++i) t.data<T>()[i] = negative ? -bias.data<T>()[i] : bias.data<T>()[i];
    });
    return added(name + (negative ? "/negative" : "/flat"), std::move(t));
  }
  void take_rectifier() {
    const Node* node = reader();
    if (!node) return;
    std::string rectifier;
    if (is_plain(*node, "Relu", 1)) rectifier = "Relu";
    else if (is_plain(*node, "Max", 2)) {
      const size_t at = node->inputs[0] == dense.outputs[0] ? 1 : 0;
      const Tensor* other = constant_of(graph, node->inputs[at]);
      if (!other || other->rank() > 1 || other->size() != 1 || !is_zero(*other)) return;
      rectifier = at == 1 ? "Max" : "Relu";              // Max(0, y) is Relu(y): both keep a -0
    }
    if (rectifier.empty()) return;
    dense.attributes["rectifier"] = rectifier;
    take(*node);
  }
  static bool is_zero(const Tensor& t) {
    bool zero = false;
    for_type<f32 | f64>(t.type(), [&]<class T>() { zero = *t.data<T>() == 0 && !std::signbit(*t.data<T>()); });
    return zero;
  }
};

}  // namespace

int fuse_dense(Graph& graph, const OptimizeOptions&) {
  if (!has_operator(graph, "MatMul")) return 0;
  const Links links(graph);
  std::vector<bool> gone(graph.nodes.size());
  std::map<size_t, Node> fused;                           // in the place of the MatMul
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!is_plain(node, "MatMul", 2)) continue;
    const Tensor* weights = constant_of(graph, node.inputs[1]);
    if (!weights || constant_of(graph, node.inputs[0]) || weights->rank() != 2 || weights->size() == 0 || !contains(f32 | f64, weights->type())) continue;
    Fusion fusion{graph, links, gone, {.domain = "onward", .op = "Dense", .name = node.name, .inputs = node.inputs, .outputs = node.outputs}};
    const bool scaled = fusion.take_power_of_two(), biased = fusion.take_bias();
    fusion.take_rectifier();
    if (!scaled && !biased && fusion.dense.attributes.empty()) continue;
    gone[i] = true;
    fused[i] = std::move(fusion.dense);
  }
  return replace_nodes(graph, std::move(fused), gone);
}

}  // namespace onward::passes
