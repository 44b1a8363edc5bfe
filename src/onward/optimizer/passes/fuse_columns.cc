// A linear model and what lies between it and the graph's inputs become one node that reads the inputs in place: the matrix with its
// one-hot columns is never made. Sums run in the order of the product that they replace, and terms that are 0 are left out.
#include <cmath>

#include "onward/ops/mirrored_classes.h"
#include "onward/optimizer/column_sources.h"
#include "onward/optimizer/passes.h"

namespace onward::passes {
namespace {

bool is_number(const Graph& graph, const std::string& name, double wanted) {
  const Tensor* t = constant_of(graph, name);
  bool same = false;
  if (t && t->size() == 1) for_type<f32 | f64>(t->type(), [&]<class T>() { same = *t->data<T>() == T(wanted); });
  return same;
}

bool all_finite(const Tensor& t) {                        // 0 times anything else is no 0
  bool finite = false;
  for_type<f32 | f64>(t.type(), [&]<class T>() {
    const auto values = t.values<T>();
    finite = std::all_of(values.begin(), values.end(), [](T x) { return std::isfinite(x); });
  });
  return finite;
}

// Fusions of one graph: each takes its last node's place.
struct Fusion {
  Graph& graph;
  const Links links{graph};
  const ColumnSources sources{graph, links};
  std::map<size_t, Node> made = {};
  std::vector<bool> gone = std::vector<bool>(graph.nodes.size());

  std::optional<ColumnPlan> plan_of(const std::string& matrix, DataType type) const {
    if (links.maker(matrix) && !links.only_reader(matrix)) return {};         // who needs the matrix all the same has made it
    auto leaves = sources.of(matrix, type);
    if (!leaves) return {};
    return ColumnPlan{std::move(*leaves), {}, {}};
  }
  static bool reads_more_than_a_matrix(const ColumnPlan& plan) { return plan.leaves.size() > 1 || plan.leaves[0].is_words() || !plan.leaves[0].steps.empty(); }
  static bool fits(const ColumnPlan& plan) { return plan.weights.rank() == 2 && plan.weights.dims()[0] == plan.columns() && plan.weights.dims()[1] >= 1 && plan.weights.dims()[1] <= ColumnScores<double>::most_targets && all_finite(plan.weights); }

  Node node_of(std::string_view op, const Node& like, const ColumnPlan& plan) const {
    Node out{.domain = "onward", .op = std::string(op), .name = like.name.empty() ? like.outputs[0] : like.name};
    for (const ColumnPlan::Leaf& leaf : plan.leaves) out.inputs.push_back(leaf.input);
    plan.write(out.attributes);
    return out;
  }

  void take_classifier(size_t at) {
    const Node& node = graph.nodes[at];
    std::vector<float> coefficients, intercepts;
    std::vector<int64_t> integers;
    std::vector<std::string> texts;
    node.attributes.read("coefficients", coefficients), node.attributes.read("intercepts", intercepts);
    node.attributes.read("classlabels_ints", integers), node.attributes.read("classlabels_strings", texts);
    std::string post_transform = "NONE";
    node.attributes.read("post_transform", post_transform);
    keep_one_of_mirrored(coefficients, intercepts, std::max(integers.size(), texts.size()), post_transform);
    auto plan = plan_of(node.inputs[0], DataType::f32);
    const int64_t targets = int64_t(intercepts.empty() ? std::max(integers.size(), texts.size()) : intercepts.size());
    if (!plan || !reads_more_than_a_matrix(*plan) || targets < 1 || int64_t(coefficients.size()) != plan->columns() * targets) return;
    plan->weights = Tensor(DataType::f32, {plan->columns(), targets});
    for (int64_t c = 0; c < plan->columns(); ++c)
      for (int64_t t = 0; t < targets; ++t) plan->weights.data<float>()[c * targets + t] = coefficients[size_t(t * plan->columns() + c)];
    if (!intercepts.empty()) plan->bias = Tensor::of<float>({targets}, intercepts);
    if (!fits(*plan)) return;
    Node out = node_of("ClassifierOfColumns", node, *plan);
    for (const auto& [name, value] : node.attributes) if (name != "coefficients") out.attributes[name] = value;
    out.attributes["intercepts"] = intercepts;
    out.outputs = node.outputs;
    made[at] = std::move(out);
  }

  void take_product(size_t at) {
    const Node& product = graph.nodes[at];
    const Tensor* weights = constant_of(graph, product.inputs[1]);
    if (!weights || !contains(f32 | f64, weights->type()) || weights->rank() != 2) return;
    auto plan = plan_of(product.inputs[0], weights->type());
    if (!plan) return;
    plan->weights = *weights;
    if (!fits(*plan)) return;
    const Node* last = &product;
    if (const Node* sum = links.only_reader(last->outputs[0]); sum && is_plain(*sum, "Add", 2)) {
      const Tensor* bias = constant_of(graph, sum->inputs[sum->inputs[0] == last->outputs[0] ? 1 : 0]);
      if (bias && bias->type() == weights->type() && bias->rank() <= 1 && bias->size() == weights->dims()[1]) plan->bias = *bias, last = sum;
    }
    if (take_logistic(*plan, *last) || !reads_more_than_a_matrix(*plan)) return;
    if (plan->leaves.size() == 1 && !plan->leaves[0].is_words() && goes_on(*last)) return;
    Node out = node_of("ProductOfColumns", product, *plan);
    out.outputs = last->outputs;
    replace(product, *last, std::move(out));
  }

  // Into another product: rows of numbers pass through all of it side by side (run_by_rows.cc).
  bool goes_on(const Node& node) const {
    const Node* reader = links.only_reader(node.outputs[0]);
    if (reader && (is_plain(*reader, "Sub", 2) || is_plain(*reader, "Add", 2))) reader = links.only_reader(reader->outputs[0]);
    return reader && is_plain(*reader, "MatMul", 2);
  }
  // `out` does what both did, where the second stood; nobody else reads what lay between.
  void replace(const Node& first, const Node& last, Node out) {
    gone[links.place(first)] = true;
    made[links.place(last)] = std::move(out);
  }

  std::vector<const Node*> readers(const std::string& value) const {
    std::vector<const Node*> out;
    for (const Node& node : graph.nodes) {
      bool reads = false;
      for_each_read(node, [&](const std::string& name) { reads |= name == value; });
      if (reads) out.push_back(&node);
    }
    return out;
  }
  const Node* only(const Node* node, std::string_view op, size_t inputs) const {
    const Node* reader = node ? links.only_reader(node->outputs[0]) : nullptr;
    return reader && is_plain(*reader, op, inputs) ? reader : nullptr;
  }

  // Reshape(s, [-1]) > 0 as the place in two labels; and [1 - p, p] of p = 1 / (1 + e^-s).
  bool take_logistic(const ColumnPlan& plan, const Node& score) {
    if (plan.weights.dims()[1] != 1 || links.is_output(score.outputs[0])) return false;
    const auto both = readers(score.outputs[0]);
    if (both.size() != 2) return false;
    const size_t flat = is_plain(*both[0], "Reshape", 2) ? 0 : 1;
    const Node* label = label_of(*both[flat]);
    const Node* answer = label ? probabilities_of(*both[1 - flat]) : nullptr;
    if (!answer) return false;
    Node out = node_of("LogisticOfColumns", score, plan);
    out.attributes["labels"] = *constant_of(graph, label->inputs[0]);
    out.outputs = {label->outputs[0], answer->outputs[0]};
    gone[links.place(*label)] = gone[links.place(*answer)] = true;
    made[links.place(score)] = std::move(out);            // before either, and what it reads are inputs
    return true;
  }
  const Node* label_of(const Node& reshape) const {
    const Tensor* shape = is_plain(reshape, "Reshape", 2) ? constant_of(graph, reshape.inputs[1]) : nullptr;
    if (!shape || shape->type() != DataType::i64 || shape->size() != 1 || *shape->data<int64_t>() != -1) return nullptr;
    const Node *greater = only(&reshape, "Greater", 2), *cast = only(greater, "Cast", 1), *gather = only(cast, "Gather", 2);
    if (!gather || greater->inputs[0] != reshape.outputs[0] || !is_number(graph, greater->inputs[1], 0) || gather->inputs[1] != cast->outputs[0]) return nullptr;
    int64_t to = 0, axis = 0;
    cast->attributes.read("to", to), gather->attributes.read("axis", axis);
    const Tensor* labels = constant_of(graph, gather->inputs[0]);
    const bool fits = labels && labels->rank() == 1 && labels->size() == 2 && contains(i64 | str, labels->type()) && axis == 0 && to == int64_t(DataType::i64);
    return fits ? gather : nullptr;
  }
  const Node* probabilities_of(const Node& negative) const {
    if (!is_plain(negative, "Neg", 1)) return nullptr;
    const Node *power = only(&negative, "Exp", 1), *sum = only(power, "Add", 2), *p = only(sum, "Div", 2);
    if (!p || p->inputs[1] != sum->outputs[0] || !is_number(graph, p->inputs[0], 1)) return nullptr;
    if (!is_number(graph, sum->inputs[sum->inputs[0] == power->outputs[0] ? 1 : 0], 1) || links.is_output(p->outputs[0])) return nullptr;
    const auto both = readers(p->outputs[0]);
    if (both.size() != 2) return nullptr;
    const Node &less = is_plain(*both[0], "Sub", 2) ? *both[0] : *both[1], &joined = &less == both[0] ? *both[1] : *both[0];
    int64_t axis = 0;
    joined.attributes.read("axis", axis);
    const bool fits = is_plain(less, "Sub", 2) && less.inputs[1] == p->outputs[0] && is_number(graph, less.inputs[0], 1) && is_plain(joined, "Concat", 2) &&
                      joined.inputs[0] == less.outputs[0] && joined.inputs[1] == p->outputs[0] && links.only_reader(less.outputs[0]) == &joined && (axis == 1 || axis == -1);
    return fits ? &joined : nullptr;
  }
};

}  // namespace

int fuse_columns(Graph& graph, const OptimizeOptions& options) {
  const auto is_root = [](const Node& node) { return is_plain(node, "MatMul", 2) || (node.domain == "ai.onnx.ml" && node.op == "LinearClassifier" && node.inputs.size() == 1 && node.outputs.size() == 2); };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), is_root)) return 0;
  Fusion fusion{graph};
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_root(graph.nodes[i])) continue;
    if (graph.nodes[i].op == "MatMul") fusion.take_product(i);
    else fusion.take_classifier(i);
  }
  if (fusion.made.empty()) return 0;
  const int made = replace_nodes(graph, std::move(fusion.made), fusion.gone);
  remove_dead_nodes(graph, options);
  return made;
}

}  // namespace onward::passes
