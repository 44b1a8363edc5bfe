// Radial kernels of rows with constant vectors become one onward.RadialKernel: Exp(Mul(scale, Max(Add(Sub(lengths, Mul(2, MatMul(x, S))),
// |s|²), 0))) where lengths is ReduceSum(Mul(x, x)), and the MatMul with constant weights that alone reads it. -2 x·S + lengths is the same,
// bit for bit.
#include "onward/optimizer/passes.h"
#include "onward/optimizer/ranks.h"

namespace onward::passes {
namespace {

struct RadialSearch {
  const Graph& graph;
  const Links& links;
  std::vector<const Node*> inner = {};
  std::string x, vectors, lengths, squares, scale;

  const Tensor* number(const std::string& value) const {
    const Tensor* t = constant_of(graph, value);
    return t && t->rank() == 0 && contains(f32 | f64, t->type()) ? t : nullptr;
  }
  bool is(const std::string& value, double wanted) const {
    const Tensor* t = number(value);
    return t && (t->type() == DataType::f64 ? *t->data<double>() == wanted : double(*t->data<float>()) == wanted);
  }
  // The other input of a node of two inputs, one of which `chosen` takes.
  template <class F> const std::string* beside(const Node& node, F&& chosen) const {
    for (size_t i = 0; i < 2; ++i) if (chosen(node.inputs[i])) return &node.inputs[1 - i];
    return nullptr;
  }
  const Node* above(const std::string& value, std::string_view op, size_t inputs) {
    const Node* node = links.maker(value);
    if (!node || !is_plain(*node, op, inputs) || !links.is_read_once(value)) return nullptr;
    inner.push_back(node);
    return node;
  }
  bool find(const Node& exp) {
    const Node* scaled = is_plain(exp, "Exp", 1) ? above(exp.inputs[0], "Mul", 2) : nullptr;
    const std::string* bounded = scaled ? beside(*scaled, [&](const std::string& v) { return number(v) ? (scale = v, true) : false; }) : nullptr;
    const Node* max = bounded ? above(*bounded, "Max", 2) : nullptr;
    const std::string* distance = max ? beside(*max, [&](const std::string& v) { return is(v, 0); }) : nullptr;
    const Node* sum = distance ? above(*distance, "Add", 2) : nullptr;
    const std::string* rest = sum ? beside(*sum, [&](const std::string& v) { return constant_of(graph, v) ? (squares = v, true) : false; }) : nullptr;
    return rest && find_product(*rest) && find_lengths() && fits();
  }
  bool find_product(const std::string& value) {
    const Node* made = links.maker(value);
    const bool minus = made && is_plain(*made, "Sub", 2);
    const Node* node = above(value, minus ? "Sub" : "Add", 2);
    if (!node) return false;
    for (size_t i = minus ? 1 : 0; i < 2; ++i) {
      const size_t taken = inner.size();
      lengths = node->inputs[1 - i];
      const Node* times = above(node->inputs[i], "Mul", 2);
      const std::string* product = times ? beside(*times, [&](const std::string& v) { return is(v, minus ? 2 : -2); }) : nullptr;
      const Node* multiplied = product ? above(*product, "MatMul", 2) : nullptr;
      if (multiplied) {
        x = multiplied->inputs[0], vectors = multiplied->inputs[1];
        return true;
      }
      inner.resize(taken);
    }
    return false;
  }
  // They stay as they are.
  bool find_lengths() const {
    const Node* sum = links.maker(lengths);
    if (!sum || !is_plain(*sum, "ReduceSum", 2) || sum->attributes.contains("noop_with_empty_axes")) return false;
    const auto keep = sum->attributes.find("keepdims");
    const auto* kept = keep == sum->attributes.end() ? nullptr : std::get_if<int64_t>(&keep->second);
    if (keep != sum->attributes.end() && (!kept || *kept != 1)) return false;
    const Tensor* axes = constant_of(graph, sum->inputs[1]);
    if (!axes || axes->size() != 1 || !contains(i32 | i64, axes->type()) || (integers(*axes)[0] != 1 && integers(*axes)[0] != -1)) return false;
    const Node* square = links.maker(sum->inputs[0]);
    return square && is_plain(*square, "Mul", 2) && square->inputs[0] == x && square->inputs[1] == x;
  }
  bool fits() const {
    const Tensor *s = constant_of(graph, vectors), *of_s = constant_of(graph, squares), *factor = number(scale);
    return s && s->rank() == 2 && s->size() > 0 && of_s->rank() == 1 && of_s->size() == s->dims()[1] && of_s->type() == s->type() && factor->type() == s->type() &&
           contains(f32 | f64, s->type()) && !constant_of(graph, x) && rank_of(graph, links, x) == 2;
  }
};

}  // namespace

int fuse_radial_kernel(Graph& graph, const OptimizeOptions&) {
  if (!has_operator(graph, "Exp")) return 0;
  const Links links(graph);
  std::vector<bool> gone(graph.nodes.size());
  std::map<size_t, Node> fused;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    RadialSearch search{graph, links};
    if (!search.find(graph.nodes[i])) continue;
    const Node& exp = graph.nodes[i];
    Node node{.domain = "onward", .op = "RadialKernel", .name = exp.name, .inputs = {search.x, search.vectors, search.lengths, search.squares, search.scale}, .outputs = exp.outputs};
    const Node* reader = links.only_reader(exp.outputs[0]);
    const Tensor* weights = reader && is_plain(*reader, "MatMul", 2) && reader->inputs[0] == exp.outputs[0] ? constant_of(graph, reader->inputs[1]) : nullptr;
    if (weights && weights->rank() == 2 && weights->size() > 0) {
      node.inputs.push_back(reader->inputs[1]), node.outputs = reader->outputs;
      gone[links.place(*reader)] = true;
    }
    for (const Node* inner : search.inner) gone[links.place(*inner)] = true;
    fused[i] = std::move(node);
  }
  return replace_nodes(graph, std::move(fused), gone);
}

}  // namespace onward::passes
