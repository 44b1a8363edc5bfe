#include "onward/optimizer/row_steps.h"

#include "onward/ops/node_types.h"
#include "onward/ops/operator.h"

namespace onward {

// A node that reads rows, and what inference says of it.
struct RowSteps::Site {
  const Node& node;
  std::span<const Fact> in, out;
  std::span<const bool> rows;            // by input: has rows; else it is a constant

  int64_t rank(size_t i) const { return int64_t(in[i].dims->size()); }
  bool given(size_t i) const { return i < in.size() && in[i].type != DataType::none; }
  bool constant(size_t i) const { return given(i) && !rows[i]; }
  int64_t integer(const char* name, int64_t otherwise) const {
    const auto it = node.attributes.find(name);
    const auto* i = it == node.attributes.end() ? nullptr : std::get_if<int64_t>(&it->second);
    return i ? *i : otherwise;
  }
  bool only_rows_at(size_t at) const {   // every other input is a constant
    for (size_t i = 0; i < in.size(); ++i) if (given(i) && rows[i] != (i == at)) return false;
    return given(at);
  }
  bool spares_rows(int64_t axis) const { return axis != 0 && axis != -rank(0) && axis >= -rank(0) && axis < rank(0); }
  bool axes_spare_rows(size_t i) const { // the axes are given, as a constant
    if (!constant(i) || in[i].value->size() == 0) return false;
    const auto axes = integers(*in[i].value);
    return std::all_of(axes.begin(), axes.end(), [&](int64_t a) { return spares_rows(a); });
  }
};

namespace {

// Row by row: what has rows has the rank of the result, and no constant reaches the axis of the rows.
constexpr auto elements = [](const auto& s) {
  const size_t rank = s.out[0].dims->size();
  for (size_t i = 0; i < s.in.size(); ++i) {
    if (!s.given(i)) continue;
    const Dims& dims = *s.in[i].dims;
    if (s.rows[i] ? dims.size() != rank : dims.size() >= rank && dims[0] != 1) return false;
  }
  return true;
};
constexpr auto product_with_constant = [](const auto& s) { return s.only_rows_at(0) && s.rank(0) >= 2 && s.rank(1) <= 2 && s.integer("transA", 0) == 0 && (!s.given(2) || s.rank(2) < 2 || (*s.in[2].dims)[0] == 1); };
constexpr auto over_given_axes = [](const auto& s) { return s.only_rows_at(0) && s.axes_spare_rows(1); };
constexpr auto first_has_rows = [](const auto& s) { return s.only_rows_at(0); };
constexpr auto rows_and_lengths = [](const auto& s) { return s.rows[0] && s.constant(1) && s.rows[2] && s.constant(3) && s.constant(4) && (!s.given(5) || s.constant(5)); };
template <int64_t usual> constexpr auto along_axis = [](const auto& s) { return s.only_rows_at(0) && s.spares_rows(s.integer("axis", usual)); };
// The rows stay the first axis: inference has found their number there, and all that follows is known.
constexpr auto reshape = [](const auto& s) {
  if (!s.only_rows_at(0) || s.in[1].value->size() == 0) return false;
  const int64_t first = integers(*s.in[1].value)[0];
  return first == -1 || (first == 0 && s.integer("allowzero", 0) == 0);
};
constexpr auto transpose = [](const auto& s) {
  const auto it = s.node.attributes.find("perm");
  const auto* perm = it == s.node.attributes.end() ? nullptr : std::get_if<std::vector<int64_t>>(&it->second);
  return perm && !perm->empty() && perm->front() == 0;
};
constexpr auto concat = [](const auto& s) {
  for (size_t i = 0; i < s.in.size(); ++i) if (!s.rows[i]) return false;
  return s.spares_rows(s.integer("axis", 0));
};
constexpr auto gather = [](const auto& s) { return s.constant(0) ? s.only_rows_at(1) && (s.integer("axis", 0) == 0 || s.integer("axis", 0) == -s.rank(0)) : s.only_rows_at(0) && s.spares_rows(s.integer("axis", 0)); };
constexpr auto slice = [](const auto& s) { return s.only_rows_at(0) && s.axes_spare_rows(3); };

}  // namespace

const std::map<std::string_view, RowSteps::Condition>& RowSteps::conditions() {
  static const std::map<std::string_view, Condition> all = [] {
    std::map<std::string_view, Condition> out;
    for (const char* name : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Pow", "Neg", "Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Sign", "Tanh",
                             "Sigmoid", "Relu", "LeakyRelu", "Elu", "Softplus", "Erf", "Gelu", "Clip", "Where", "Not", "And", "Or", "Xor", "Equal", "Less", "LessOrEqual", "Greater",
                             "GreaterOrEqual", "IsNaN", "IsInf", "Cast", "Identity"}) out[name] = elements;
    for (const char* name : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "Squeeze", "Unsqueeze"}) out[name] = over_given_axes;
    for (const char* name : {"Softmax", "LogSoftmax", "TopK"}) out[name] = along_axis<-1>;
    for (const char* name : {"ArgMax", "ArgMin"}) out[name] = along_axis<0>;
    for (const char* name : {"MatMul", "Gemm"}) out[name] = product_with_constant;
    for (const char* name : {"onward.Dense", "onward.NearestRows", "onward.RowDistances", "com.onward.NgramCounts", "com.onward.NgramHashes"}) out[name] = first_has_rows;
    out["onward.RadialKernel"] = rows_and_lengths;
    out["Reshape"] = reshape, out["Transpose"] = transpose, out["Concat"] = concat, out["Gather"] = gather, out["Slice"] = slice;
    return out;
  }();
  return all;
}

RowSteps::RowSteps(const Graph& graph) : by_rows_(graph.nodes.size()), row_bytes_(graph.nodes.size()) {
  start(graph);
  for (size_t i = 0; i < graph.nodes.size() && !facts_.empty(); ++i) {
    const Node& node = graph.nodes[i];
    by_rows_[i] = step(graph, node);
    if (!by_rows_[i]) continue;
    for (const auto* names : {&node.inputs, &node.outputs}) for (const std::string& name : *names) row_bytes_[i] += bytes_of(name);
  }
}

TypeInfo RowSteps::type_of(const std::string& value) const {
  const auto it = facts_.find(value);
  if (it == facts_.end()) return {};
  std::vector<DimInfo> shape(1);
  for (size_t axis = 1; axis < it->second.dims->size(); ++axis) shape.push_back({(*it->second.dims)[axis], {}});
  return TypeInfo::tensor(it->second.type, std::move(shape));
}

// The batch is the name that the first axis of inputs has, or the first axis of the only input.
void RowSteps::start(const Graph& graph) {
  std::optional<std::string> batch;
  for (const ValueInfo& v : graph.inputs) {
    if (graph.initializers.contains(v.name) || v.type.kind != TypeInfo::Kind::tensor || !v.type.shape || v.type.shape->empty() || v.type.shape->front().size) continue;
    const std::string& name = v.type.shape->front().name;
    if (name.empty() ? graph.inputs.size() > 1 : batch && *batch != name) continue;
    if (!batch) batch = name, batch_ = name.empty() ? symbols_.fresh() : symbols_.named(name);
    Fact fact{v.type.element, Dims{batch_}, nullptr, {}};
    for (size_t axis = 1; axis < v.type.shape->size(); ++axis) fact.dims->push_back((*v.type.shape)[axis].size.value_or(-1));
    if (has_rows(fact)) facts_.emplace(v.name, std::move(fact));
  }
}

bool RowSteps::has_rows(const Fact& fact) const {
  return fact.type != DataType::none && fact.dims && !fact.dims->empty() && fact.dims->front() == batch_ && std::all_of(fact.dims->begin() + 1, fact.dims->end(), [](int64_t size) { return size >= 0; });
}

bool RowSteps::step(const Graph& graph, const Node& node) {
  const auto condition = conditions().find(node.domain.empty() ? node.op : text(node.domain, ".", node.op));
  const Operator* op = find_operator(node.domain, node.op);
  if (condition == conditions().end() || !op) return false;
  std::vector<Fact> in(node.inputs.size()), out(node.outputs.size());
  std::unique_ptr<bool[]> rows(new bool[in.size()]());
  bool any = false;
  for (size_t i = 0; i < in.size(); ++i) {
    if (node.inputs[i].empty()) continue;
    if (const auto it = facts_.find(node.inputs[i]); it != facts_.end()) in[i] = it->second, any = rows[i] = true;
    else if (const auto c = graph.initializers.find(node.inputs[i]); c != graph.initializers.end()) in[i] = {c->second.type(), c->second.dims(), &c->second, {}};
    else return false;
  }
  if (!any) return false;
  try {
    const auto self = op->create({node, [](std::string_view) -> const Tensor* { return nullptr; }, {}});       // weights are laid out when the program is made
    NodeTypes(signature(node.domain, node.op), out.size()).begin(in, out);
    Inference io{in, out, &symbols_};
    op->infer(self.get(), io);
  } catch (const Error&) {
    return false;                                         // its error belongs to the run
  } catch (const NothingKnown&) {
    return false;
  }
  if (!std::all_of(out.begin(), out.end(), [&](const Fact& f) { return has_rows(f); })) return false;
  if (!condition->second({node, in, out, {rows.get(), in.size()}})) return false;
  for (size_t k = 0; k < out.size(); ++k) facts_.emplace(node.outputs[k], Fact{out[k].type, out[k].dims, nullptr, {}});
  return true;
}

int64_t RowSteps::bytes_of(const std::string& value) const {
  const auto it = facts_.find(value);
  if (it == facts_.end()) return 0;
  int64_t bytes = it->second.type == DataType::str ? int64_t(sizeof(std::string)) : int64_t(size_of(it->second.type));
  for (size_t axis = 1; axis < it->second.dims->size(); ++axis) bytes = bytes > INT64_MAX / std::max<int64_t>(1, (*it->second.dims)[axis]) ? INT64_MAX / 64 : bytes * (*it->second.dims)[axis];
  return std::min<int64_t>(bytes, INT64_MAX / 64);
}

}  // namespace onward
