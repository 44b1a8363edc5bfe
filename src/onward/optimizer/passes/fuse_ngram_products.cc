// Counts of n-grams that are multiplied by a constant matrix: the operator reads the rows of the matrix that a document reaches, and the
// wide row of counts, nearly all of it zeros, is never made. The sums run in the order of the columns, as before.
#include "onward/optimizer/links.h"
#include "onward/optimizer/passes.h"

namespace onward::passes {

int fuse_ngram_products(Graph& graph, const OptimizeOptions&) {
  const auto counts = [](const Node& n) { return n.domain == "com.onward" && (n.op == "NgramCounts" || n.op == "NgramHashes") && n.inputs.size() < 3; };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), counts)) return 0;
  const Links links(graph);
  std::vector<bool> gone(graph.nodes.size());
  int fused = 0;
  for (Node& node : graph.nodes) {
    if (!counts(node)) continue;
    const Node* product = links.only_reader(node.outputs[0]);
    if (!product || !is_plain(*product, "MatMul", 2) || product->inputs[0] != node.outputs[0]) continue;
    const Tensor* matrix = constant_of(graph, product->inputs[1]);
    if (!matrix || matrix->rank() != 2 || matrix->type() != DataType::f64) continue;
    node.inputs.resize(3);
    node.inputs[2] = product->inputs[1];
    node.outputs = product->outputs;
    gone[links.place(*product)] = true, ++fused;
  }
  replace_nodes(graph, {}, gone);
  return fused;
}

}  // namespace onward::passes
