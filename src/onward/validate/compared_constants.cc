#include "onward/validate/compared_constants.h"

#include <algorithm>
#include <cmath>

namespace onward {
namespace {

using Column = ComparedConstants::Column;

template <class T> void make_set(std::map<Column, std::vector<T>>& lists) {
  for (auto& [column, list] : lists) std::sort(list.begin(), list.end()), list.erase(std::unique(list.begin(), list.end()), list.end());
}

template <class T> const T* attribute(const Node& node, std::string_view name) {
  const auto it = node.attributes.find(name);
  return it == node.attributes.end() ? nullptr : std::get_if<T>(&it->second);
}

// Of the first of these attributes that the node has.
std::vector<double> numbers_of(const Node& node, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto* list = attribute<std::vector<float>>(node, name); list && !list->empty()) return {list->begin(), list->end()};
    if (auto* list = attribute<std::vector<int64_t>>(node, name); list && !list->empty()) return {list->begin(), list->end()};
    const Tensor* tensor = attribute<Tensor>(node, name);
    std::vector<double> found;
    if (tensor) for_type<f32 | f64 | i64>(tensor->type(), [&]<class T>() { found.assign(tensor->values<T>().begin(), tensor->values<T>().end()); });
    if (!found.empty()) return found;
  }
  return {};
}

// The newest tree operator has modes as a tensor, and no leaves among the nodes; the older ones as texts.
bool tests_membership(const Node& node, size_t i) {
  constexpr uint8_t member = 6;
  const Tensor* modes = attribute<Tensor>(node, "nodes_modes");
  return modes && modes->type() == DataType::u8 && i < size_t(modes->size()) && modes->data<uint8_t>()[i] == member;
}
bool is_leaf(const Node& node, size_t i) {
  const auto* modes = attribute<std::vector<std::string>>(node, "nodes_modes");
  return modes && (i >= modes->size() || (*modes)[i] == "LEAF");
}

class Collecting {
 public:
  explicit Collecting(const Graph& graph) : graph_(graph) {
    for (const Node& node : graph.nodes) for (const std::string& output : node.outputs) makers_[output] = &node;
    for (const Node& node : graph.nodes) {
      if (node.domain != "ai.onnx.ml" || node.inputs.empty()) continue;
      if (node.op.starts_with("TreeEnsemble")) trees(node);
      if (node.op == "LabelEncoder" || node.op == "OneHotEncoder") encoder(node);
    }
    make_set(found.thresholds), make_set(found.values), make_set(found.words);
  }
  ComparedConstants found;

 private:
  void trees(const Node& node) {
    const std::vector<Column> columns = columns_of(node.inputs[0], 0);
    const std::vector<double> splits = numbers_of(node, {"nodes_splits", "nodes_values_as_tensor", "nodes_values"}), sets = numbers_of(node, {"membership_values"});
    const auto* features = attribute<std::vector<int64_t>>(node, "nodes_featureids");
    for (size_t i = 0, in_sets = 0; features && i < std::min(features->size(), splits.size()); ++i) {
      const int64_t feature = (*features)[i];
      const Column* column = feature >= 0 && size_t(feature) < columns.size() && !columns[size_t(feature)].first.empty() ? &columns[size_t(feature)] : nullptr;
      if (tests_membership(node, i)) {
        for (; in_sets < sets.size() && !std::isnan(sets[in_sets]); ++in_sets) if (column) found.values[*column].push_back(sets[in_sets]);
        ++in_sets;                                       // a NaN ends each set
      } else if (column && !is_leaf(node, i) && std::isfinite(splits[i])) {
        found.thresholds[*column].push_back(splits[i]);
      }
    }
  }

  void encoder(const Node& node) {
    for (const Column& column : columns_of(node.inputs[0], 0)) {
      if (column.first.empty()) continue;
      for (const double x : numbers_of(node, {"keys_floats", "keys_int64s", "keys_tensor", "cats_int64s"})) if (std::isfinite(x)) found.values[column].push_back(x);
      for (const char* name : {"keys_strings", "cats_strings"})
        if (auto* words = attribute<std::vector<std::string>>(node, name)) found.words[column].insert(found.words[column].end(), words->begin(), words->end());
    }
  }

  // The input's column behind each column of a value, with an empty name where it is another's; empty where not even their number is known.
  std::vector<Column> columns_of(const std::string& value, int depth) const {
    for (const ValueInfo& input : graph_.inputs)
      if (input.name == value) return columns_of_input(input);
    const auto maker = makers_.find(value);
    if (maker == makers_.end() || depth > 100 || maker->second->inputs.empty()) return {};
    const Node& node = *maker->second;
    if (node.op == "Cast" || node.op == "Identity" || node.op == "Imputer") return columns_of(node.inputs[0], depth + 1);
    if (node.op == "Gather" || node.op == "ArrayFeatureExtractor") return picked(node, depth);
    if (node.op == "Concat") return joined(node, depth);
    if (node.op == "Reshape") return unknown_columns(node);
    return {};
  }

  static std::vector<Column> columns_of_input(const ValueInfo& input) {
    std::vector<Column> out;
    if (!input.type.shape || input.type.shape->size() != 2) return out;
    for (int64_t i = 0; i < (*input.type.shape)[1].size.value_or(0); ++i) out.emplace_back(input.name, i);
    return out;
  }

  std::vector<Column> joined(const Node& node, int depth) const {
    std::vector<Column> all;
    for (const std::string& part : node.inputs) {
      const std::vector<Column> columns = columns_of(part, depth + 1);
      if (columns.empty()) return {};
      all.insert(all.end(), columns.begin(), columns.end());
    }
    return all;
  }

  std::vector<Column> picked(const Node& node, int depth) const {
    int64_t axis = 0;
    node.attributes.read("axis", axis);
    const std::vector<int64_t> places = node.inputs.size() > 1 ? constant(node.inputs[1]) : std::vector<int64_t>{};
    const std::vector<Column> from = columns_of(node.inputs[0], depth + 1);
    std::vector<Column> out;
    if (node.op == "Gather" && axis != 1 && axis != -1) return out;
    for (const int64_t place : places) {
      if (place < 0 || place >= int64_t(from.size())) return {};
      out.push_back(from[size_t(place)]);
    }
    return out;
  }

  std::vector<Column> unknown_columns(const Node& node) const {
    const std::vector<int64_t> shape = node.inputs.size() > 1 ? constant(node.inputs[1]) : std::vector<int64_t>{};
    constexpr int64_t most = 1 << 20;
    return shape.size() == 2 && shape[1] > 0 && shape[1] < most ? std::vector<Column>(size_t(shape[1])) : std::vector<Column>{};
  }

  std::vector<int64_t> constant(const std::string& name) const {
    const auto it = graph_.initializers.find(name);
    if (it == graph_.initializers.end() || (it->second.type() != DataType::i64 && it->second.type() != DataType::i32)) return {};
    return integers(it->second);
  }

  const Graph& graph_;
  std::map<std::string, const Node*, std::less<>> makers_;   // of a value
};

}  // namespace

ComparedConstants compared_constants(const Graph& graph) { return std::move(Collecting(graph).found); }

}  // namespace onward
