#include "onward/optimizer/column_sources.h"

#include <cmath>
#include <set>

namespace onward {
namespace {

constexpr int deepest = 16;
constexpr int64_t most_columns = ColumnScores<double>::most_columns;

int64_t width_of(const ColumnSources::Leaves& leaves) { return ColumnPlan{leaves, {}, {}}.columns(); }

bool is_ml(const Node& node, std::string_view op) { return node.domain == "ai.onnx.ml" && node.op == op && node.inputs.size() == 1 && node.outputs.size() == 1; }

// Appends a step to every column of numbers; `values` has one for all or one for each.
bool append(ColumnSources::Leaves& leaves, ColumnPlan::Step step, const Tensor& values, std::optional<float> missing = {}) {
  const int64_t width = width_of(leaves);
  if (values.rank() > 2 || (values.rank() == 2 && values.dims()[0] != 1) || (values.size() != 1 && values.size() != width)) return false;
  int64_t first = 0;
  for (ColumnPlan::Leaf& leaf : leaves) {
    if (leaf.is_words() || (missing && leaf.missing && *leaf.missing != *missing)) return false;
    Tensor own(values.type(), {leaf.columns});
    for_type<f32 | f64>(values.type(), [&]<class T>() {
      for (int64_t c = 0; c < leaf.columns; ++c) own.data<T>()[c] = values.data<T>()[values.size() == 1 ? 0 : first + c];
    });
    leaf.steps.push_back(step), leaf.values.push_back(own);
    if (missing) leaf.missing = missing;
    first += leaf.columns;
  }
  return true;
}

Tensor tensor_of(const std::vector<float>& list) { return Tensor::of<float>({int64_t(list.size())}, list); }

}  // namespace

std::optional<ColumnSources::Leaves> ColumnSources::of(const std::string& matrix, DataType type) const {
  Maybe found = find(matrix, type, 0);
  if (!found || found->deep) return {};
  int64_t numbers = 0;
  for (const ColumnPlan::Leaf& leaf : found->leaves) numbers += leaf.is_words() ? 0 : leaf.columns;
  if (numbers > ColumnScores<double>::most_numbers || width_of(found->leaves) > most_columns) return {};
  return std::move(found->leaves);
}

ColumnSources::Maybe ColumnSources::find(const std::string& value, DataType type, int depth) const {
  if (depth > deepest) return {};
  const Node* node = links_.maker(value);
  if (!node) return input(value, type);
  if (node->outputs.size() != 1) return {};
  if (node->domain.empty()) {
    if (node->op == "Concat") return concat(*node, type, depth);
    if (node->op == "Where") return imputed_where(*node, type, depth);
    if (node->op == "Reshape") return flattened(*node, type, depth);
    if (node->op == "Gather") return table_rows(*node, type);
    constexpr std::pair<std::string_view, ColumnPlan::Step> steps[] = {{"Add", ColumnPlan::add}, {"Sub", ColumnPlan::subtract}, {"Mul", ColumnPlan::multiply}, {"Div", ColumnPlan::divide}};
    for (const auto& [op, step] : steps) if (node->op == op) return arithmetic(*node, step, type, depth);
  }
  if (type != DataType::f32) return {};
  if (is_ml(*node, "Imputer")) return imputer(*node, depth);
  if (is_ml(*node, "Scaler")) return scaler(*node, depth);
  if (is_ml(*node, "OneHotEncoder")) return one_hot(*node);
  return {};
}

ColumnSources::Maybe ColumnSources::input(const std::string& name, DataType type) const {
  if (graph_.initializers.contains(name)) return {};
  for (const ValueInfo& v : graph_.inputs) {
    if (v.name != name) continue;
    if (v.type.kind != TypeInfo::Kind::tensor || v.type.element != type || !v.type.shape || v.type.shape->size() != 2 || v.type.shape->front().size) return {};
    const std::optional<int64_t> width = v.type.shape->back().size;
    if (!width || *width < 1 || *width > most_columns) return {};
    return Found{{{.input = name, .columns = *width}}};
  }
  return {};
}

bool ColumnSources::is_words(const std::string& name) const {
  const Maybe found = links_.maker(name) ? Maybe() : input(name, DataType::str);
  return found && found->leaves[0].columns == 1;
}

ColumnSources::Maybe ColumnSources::concat(const Node& node, DataType type, int depth) const {
  int64_t axis = 0;
  node.attributes.read("axis", axis);
  Found all;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Maybe part = find(node.inputs[i], type, depth + 1);
    if (!part || (i > 0 && part->deep != all.deep)) return {};
    all.deep = part->deep;
    std::move(part->leaves.begin(), part->leaves.end(), std::back_inserter(all.leaves));
    if (width_of(all.leaves) > most_columns) return {};
  }
  if (all.leaves.empty() || (axis != -1 && axis != (all.deep ? 2 : 1))) return {};
  return all;
}

ColumnSources::Maybe ColumnSources::arithmetic(const Node& node, ColumnPlan::Step step, DataType type, int depth) const {
  if (node.inputs.size() != 2) return {};
  const bool either = step == ColumnPlan::add || step == ColumnPlan::multiply;
  const size_t at = either && constant_of(graph_, node.inputs[0]) ? 0 : 1;
  const Tensor* values = constant_of(graph_, node.inputs[at]);
  if (!values || values->type() != type) return {};
  Maybe found = find(node.inputs[1 - at], type, depth + 1);
  if (!found || found->deep || !append(found->leaves, step, *values)) return {};
  return found;
}

// Where(IsNaN(x), values, x).
ColumnSources::Maybe ColumnSources::imputed_where(const Node& node, DataType type, int depth) const {
  if (node.inputs.size() != 3) return {};
  const Node* condition = links_.maker(node.inputs[0]);
  const Tensor* values = constant_of(graph_, node.inputs[1]);
  if (!condition || !is_plain(*condition, "IsNaN", 1) || condition->inputs[0] != node.inputs[2] || !values || values->type() != type) return {};
  Maybe found = find(node.inputs[2], type, depth + 1);
  if (!found || found->deep || !append(found->leaves, ColumnPlan::impute_nan, *values)) return {};
  return found;
}

ColumnSources::Maybe ColumnSources::imputer(const Node& node, int depth) const {
  std::vector<float> values;
  float missing = 0;
  node.attributes.read("imputed_value_floats", values), node.attributes.read("replaced_value_float", missing);
  Maybe found = find(node.inputs[0], DataType::f32, depth + 1);
  if (!found || found->deep || values.empty()) return {};
  const bool nan = std::isnan(missing);
  if (!append(found->leaves, nan ? ColumnPlan::impute_nan : ColumnPlan::impute_equal, tensor_of(values), nan ? std::optional<float>() : missing)) return {};
  return found;
}

ColumnSources::Maybe ColumnSources::scaler(const Node& node, int depth) const {
  std::vector<float> offset, scale;
  node.attributes.read("offset", offset), node.attributes.read("scale", scale);
  Maybe found = find(node.inputs[0], DataType::f32, depth + 1);
  if (!found || found->deep || offset.empty() || scale.empty()) return {};
  if (!append(found->leaves, ColumnPlan::subtract, tensor_of(offset)) || !append(found->leaves, ColumnPlan::multiply, tensor_of(scale))) return {};
  return found;
}

// [rows, 1, columns] to [rows, columns].
ColumnSources::Maybe ColumnSources::flattened(const Node& node, DataType type, int depth) const {
  const Tensor* shape = node.inputs.size() == 2 ? constant_of(graph_, node.inputs[1]) : nullptr;
  if (!shape || shape->type() != DataType::i64 || shape->size() != 2 || shape->data<int64_t>()[0] != -1) return {};
  Maybe found = find(node.inputs[0], type, depth + 1);
  if (!found || width_of(found->leaves) != shape->data<int64_t>()[1]) return {};
  found->deep = false;
  return found;
}

ColumnSources::Maybe ColumnSources::one_hot(const Node& node) const {
  ColumnPlan::Leaf leaf{.input = node.inputs[0]};
  int64_t zeros = 1;
  node.attributes.read("cats_strings", leaf.words), node.attributes.read("zeros", zeros);
  if (!is_words(node.inputs[0]) || leaf.words.empty() || !zeros || node.attributes.contains("cats_int64s")) return {};
  if (std::set<std::string>(leaf.words.begin(), leaf.words.end()).size() != leaf.words.size()) return {};
  leaf.columns = int64_t(leaf.words.size());
  for (int64_t k = 0; k < leaf.columns; ++k) leaf.slots.push_back(k);
  return Found{{std::move(leaf)}, true};
}

// Gather(table, Reshape(LabelEncoder(words), [-1])) of a table whose rows are all zeros, or zeros and a one.
ColumnSources::Maybe ColumnSources::table_rows(const Node& node, DataType type) const {
  int64_t axis = 0;
  node.attributes.read("axis", axis);
  const Tensor* table = node.inputs.size() == 2 ? constant_of(graph_, node.inputs[0]) : nullptr;
  const Node* reshape = table ? links_.maker(node.inputs[1]) : nullptr;
  const Node* encoder = reshape && is_plain(*reshape, "Reshape", 2) ? links_.maker(reshape->inputs[0]) : nullptr;
  if (!encoder || !is_ml(*encoder, "LabelEncoder") || !is_words(encoder->inputs[0]) || axis != 0) return {};
  const Tensor* shape = constant_of(graph_, reshape->inputs[1]);
  if (!shape || shape->type() != DataType::i64 || shape->size() != 1 || *shape->data<int64_t>() != -1) return {};
  if (table->type() != type || table->rank() != 2 || table->dims()[0] < 1 || table->dims()[1] < 1) return {};

  ColumnPlan::Leaf leaf{.input = encoder->inputs[0], .columns = table->dims()[1]};
  Tensor keys, values, otherwise;
  encoder->attributes.read("keys_tensor", keys), encoder->attributes.read("values_tensor", values), encoder->attributes.read("default_tensor", otherwise);
  if (keys.type() != DataType::str || values.type() != DataType::i64 || otherwise.type() != DataType::i64 || keys.size() != values.size() || keys.size() < 1 || otherwise.size() != 1) return {};
  std::vector<int64_t> ones(size_t(table->dims()[0]), -1);
  bool plain = true;
  for_type<f32 | f64>(type, [&]<class T>() {
    for (int64_t r = 0; r < table->dims()[0]; ++r)
      for (int64_t c = 0; c < leaf.columns; ++c) {
        const T x = table->data<T>()[r * leaf.columns + c];
        if (x == 0) continue;
        plain &= x == 1 && ones[size_t(r)] < 0;
        ones[size_t(r)] = c;
      }
  });
  const auto is_row = [&](int64_t row) { return row >= 0 && row < table->dims()[0]; };
  const auto rows = values.values<int64_t>();
  if (!plain || !is_row(*otherwise.data<int64_t>()) || !std::all_of(rows.begin(), rows.end(), is_row)) return {};
  leaf.words.assign(keys.data<std::string>(), keys.data<std::string>() + keys.size());
  for (int64_t row : rows) leaf.slots.push_back(ones[size_t(row)]);
  leaf.otherwise = ones[size_t(*otherwise.data<int64_t>())];
  return Found{{std::move(leaf)}};
}

}  // namespace onward
