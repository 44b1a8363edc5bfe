// Distances from every row to every row of a constant matrix, and TopK of them, become one onward.NearestRows: the tensor of all
// differences is never made. What is recognised: TopK(fold(apart(Sub(Reshape(x, [0, 1, features]), rows)))), smallest first, where
// fold(apart(d)) is ReduceSum(Mul(d, d)), ReduceSum(Abs(d)) or ReduceMax(Abs(d)); and TopK(com.microsoft.CDist(x, rows)) of (squared)
// Euclidean distances. The distances without TopK become one onward.RowDistances.
#include "onward/optimizer/links.h"
#include "onward/optimizer/passes.h"

namespace onward::passes {
namespace {

int64_t integer(const Node& node, const char* name, int64_t otherwise) {
  const auto it = node.attributes.find(name);
  const auto* i = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
  return i ? *i : otherwise;
}

bool holds(const Graph& graph, const std::string& name, std::initializer_list<int64_t> wanted) {
  const Tensor* t = constant_of(graph, name);
  return t && contains(i32 | i64, t->type()) && integers(*t) == std::vector<int64_t>(wanted);
}

// The steps from TopK upwards, each of which only the next one reads.
struct Search {
  const Graph& graph;
  const Links& links;
  std::vector<const Node*> inner;
  std::string metric, x, rows;

  // Rows of whose distances the nearest are sought.
  const Tensor* matrix_of(const std::string& value) const {
    const Tensor* matrix = constant_of(graph, value);
    return matrix && matrix->rank() == 2 && matrix->size() > 0 && contains(f32 | f64, matrix->type()) ? matrix : nullptr;
  }
  bool find_cdist(const Node& cdist) {
    const auto it = cdist.attributes.find("metric");
    const auto* name = it == cdist.attributes.end() ? nullptr : std::get_if<std::string>(&it->second);
    metric = name ? *name : "sqeuclidean";
    if ((metric != "euclidean" && metric != "sqeuclidean") || cdist.inputs.size() != 2 || !matrix_of(cdist.inputs[1])) return false;
    x = cdist.inputs[0], rows = cdist.inputs[1];
    return !constant_of(graph, x);
  }
  const Node* above(const std::string& value) {
    const Node* node = links.maker(value);
    if (!node || !links.only_reader(value)) return nullptr;
    inner.push_back(node);
    return node;
  }
  bool find(const Node& top) {
    const auto last = [](int64_t axis, int64_t rank) { return axis == -1 || axis == rank - 1; };
    if (!top.domain.empty() || top.op != "TopK" || top.inputs.size() != 2 || integer(top, "largest", 1) || !last(integer(top, "axis", -1), 2)) return false;
    const Tensor* k = constant_of(graph, top.inputs[1]);
    if (!k || k->type() != DataType::i64 || k->size() != 1) return false;
    const Node* fold = above(top.inputs[0]);
    if (fold && fold->domain == "com.microsoft" && fold->op == "CDist") return find_cdist(*fold);
    return fold && find_distances(*fold);
  }
  bool find_distances(const Node& reduction) {
    const Node* fold = &reduction;
    if (!(is_plain(*fold, "ReduceSum", 2) || is_plain(*fold, "ReduceMax", 2)) || integer(*fold, "keepdims", 1)) return false;
    if (!holds(graph, fold->inputs[1], {-1}) && !holds(graph, fold->inputs[1], {2})) return false;
    const Node* apart = above(fold->inputs[0]);
    if (!apart) return false;
    if (is_plain(*apart, "Mul", 2) && apart->inputs[0] == apart->inputs[1] && fold->op == "ReduceSum") metric = "squared";
    else if (is_plain(*apart, "Abs", 1)) metric = fold->op == "ReduceSum" ? "manhattan" : "chebyshev";
    else return false;
    const Node* off = above(apart->inputs[0]);
    if (!off || !is_plain(*off, "Sub", 2)) return false;
    const Tensor* matrix = matrix_of(off->inputs[1]);
    if (!matrix) return false;
    const Node* shaped = above(off->inputs[0]);
    if (!shaped || !is_plain(*shaped, "Reshape", 2) || integer(*shaped, "allowzero", 0) || !holds(graph, shaped->inputs[1], {0, 1, matrix->dims()[1]})) return false;
    x = shaped->inputs[0], rows = off->inputs[1];
    return !constant_of(graph, x);
  }
};

}  // namespace

int fuse_nearest_rows(Graph& graph, const OptimizeOptions&) {
  if (!has_operator(graph, "TopK") && !has_operator(graph, "ReduceSum") && !has_operator(graph, "ReduceMax")) return 0;
  const Links links(graph);
  std::vector<bool> gone(graph.nodes.size());
  std::map<size_t, Node> fused;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& top = graph.nodes[i];
    Search search{graph, links, {}, {}, {}, {}};
    if (!search.find(top)) continue;
    Node node{.domain = "onward", .op = "NearestRows", .name = top.name, .inputs = {search.x, search.rows}, .outputs = top.outputs};
    node.attributes["k"] = integers(*constant_of(graph, top.inputs[1]))[0];
    node.attributes["metric"] = search.metric;
    for (const Node* inner : search.inner) gone[links.place(*inner)] = true;
    fused[i] = std::move(node);
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& fold = graph.nodes[i];
    Search search{graph, links, {}, {}, {}, {}};
    constexpr int64_t fewest = 32;                        // that are measured at once; fewer do well as steps of small rows
    if (gone[i] || !search.find_distances(fold) || constant_of(graph, search.rows)->dims()[0] < fewest) continue;
    Node node{.domain = "onward", .op = "RowDistances", .name = fold.name, .inputs = {search.x, search.rows}, .outputs = fold.outputs};
    node.attributes["metric"] = search.metric;
    for (const Node* inner : search.inner) gone[links.place(*inner)] = true;
    fused[i] = std::move(node);
  }
  return replace_nodes(graph, std::move(fused), gone);
}

}  // namespace onward::passes
