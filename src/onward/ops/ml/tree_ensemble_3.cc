// TreeEnsembleClassifier, TreeEnsembleRegressor (ai.onnx.ml 1 to 3): the forms before TreeEnsemble, still what most exporters write.
// Nodes are named by (tree, node); scores are float. Double inputs are tested in double, all others in float.
#include <set>
#include <unordered_map>

#include "onward/ops/convert.h"
#include "onward/ops/forest.h"
#include "onward/ops/ml/class_labels.h"
#include "onward/ops/ml/numeric_rows.h"
#include "onward/ops/post_transform.h"

namespace onward::ops {
namespace {

Branch branch_of(const std::string& mode) {
  constexpr std::string_view names[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"};
  for (size_t i = 0; i < std::size(names); ++i) if (names[i] == mode) return Branch(i);
  fail(Code::bad_model, "nodes_modes has '", mode, "', expected LEAF or BRANCH_LEQ, BRANCH_LT, BRANCH_GTE, BRANCH_GT, BRANCH_EQ, BRANCH_NEQ");
}

template <class T> std::vector<T> numbers(const std::vector<float>& floats, const Tensor& tensor) {
  if (!tensor) return {floats.begin(), floats.end()};
  if (!contains(f32 | f64, tensor.type())) fail(Code::bad_model, "a list of numbers is ", name_of(tensor.type()));
  std::vector<T> out(size_t(tensor.size()));
  if (!out.empty()) convert(tensor.type(), tensor.raw(), type_of<T>, out.data(), tensor.size());
  return out;
}

// What each leaf adds, as the classifier and the regressor both say it, under different names.
struct LeafLists {
  const std::vector<int64_t>&trees, &nodes, &targets;
  const std::vector<float>& weights;
  const Tensor& weights_tensor;
};

struct NodeKey {
  int64_t tree, node;
  bool operator==(const NodeKey&) const = default;
};
struct NodeHash { size_t operator()(const NodeKey& k) const { return size_t(k.tree) * 0x9E3779B97F4A7C15ull ^ size_t(k.node); } };

// Chains of "x is a, else x is b, else …" that share their yes branch are how older exporters write a set of categories.
template <class T> void merge_equality_chains(PlainForest<T>& f) {
  std::vector<int> parents(f.nodes());
  for (size_t i = 0; i < f.nodes(); ++i) for (int32_t child : {f.yes[i], f.no[i]}) if (child >= 0) ++parents[size_t(child)];
  for (size_t i = 0; i < f.nodes(); ++i) {
    if (f.mode[i] != Branch::eq) continue;
    std::vector<T> set{f.split[i]};
    while (f.no[i] >= 0) {
      const auto next = size_t(f.no[i]);
      if (f.mode[next] != Branch::eq || f.feature[next] != f.feature[i] || f.yes[next] != f.yes[i] || f.missing_yes[next] != f.missing_yes[i] || parents[next] != 1 || next == i || set.size() > f.nodes()) break;
      set.push_back(f.split[next]);
      f.no[i] = f.no[next];
    }
    if (set.size() > 1) f.mode[i] = Branch::member, f.split[i] = T(f.add_set(std::move(set)));
  }
}

template <class Op, class T> void check_lengths(const Op& op, const LeafLists& lists, const std::vector<T>& splits, const std::vector<T>& weights) {
  const size_t n = op.nodes_treeids.size();
  const std::pair<const char*, size_t> same[] = {{"nodes_nodeids", op.nodes_nodeids.size()}, {"nodes_featureids", op.nodes_featureids.size()}, {"nodes_modes", op.nodes_modes.size()},
                                                 {"nodes_values", splits.size()}, {"nodes_truenodeids", op.nodes_truenodeids.size()}, {"nodes_falsenodeids", op.nodes_falsenodeids.size()}};
  for (const auto& [name, size] : same) if (size != n) fail(Code::bad_model, name, " has ", size, " elements, nodes_treeids ", n);
  if (!op.nodes_missing_value_tracks_true.empty() && op.nodes_missing_value_tracks_true.size() != n) fail(Code::bad_model, "nodes_missing_value_tracks_true has ", op.nodes_missing_value_tracks_true.size(), " elements, nodes_treeids ", n);
  if (lists.trees.size() != weights.size() || lists.nodes.size() != weights.size() || lists.targets.size() != weights.size()) fail(Code::bad_model, "the lists of leaves have ", lists.trees.size(), ", ", lists.nodes.size(), ", ", lists.targets.size(), " and ", weights.size(), " elements");
}

// Which node a (tree, node) is: a place among the inner nodes, or ~leaf.
class NodeNumbers {
 public:
  template <class Op> explicit NodeNumbers(const Op& op) {
    for (size_t i = 0; i < op.nodes_treeids.size(); ++i) {
      const bool leaf = op.nodes_modes[i] == "LEAF";
      const int32_t id = leaf ? ~leaves++ : int32_t(stated.size());
      if (!number_.emplace(NodeKey{op.nodes_treeids[i], op.nodes_nodeids[i]}, id).second) fail(Code::bad_model, "tree ", op.nodes_treeids[i], " has node ", op.nodes_nodeids[i], " twice");
      if (!leaf) stated.push_back(i);
      if (i == 0 || op.nodes_treeids[i] != op.nodes_treeids[i - 1]) roots.push_back(id);
    }
  }
  int32_t find(int64_t tree, int64_t node) const {
    const auto it = number_.find({tree, node});
    if (it == number_.end()) fail(Code::bad_model, "tree ", tree, " has no node ", node);
    return it->second;
  }
  std::vector<size_t> stated;                             // which entry an inner node came from
  std::vector<int32_t> roots;
  int32_t leaves = 0;

 private:
  std::unordered_map<NodeKey, int32_t, NodeHash> number_;
};

// The addends of each leaf one after the other, in the order in which they are stated.
template <class T> void group_addends(PlainForest<T>& out, const NodeNumbers& numbers, const LeafLists& lists, const std::vector<T>& weights) {
  std::vector<int32_t> leaf;
  out.leaf_begin.assign(size_t(numbers.leaves) + 1, 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    const int32_t id = numbers.find(lists.trees[i], lists.nodes[i]);
    if (id >= 0) fail(Code::bad_model, "node ", lists.nodes[i], " of tree ", lists.trees[i], " has a weight and is no leaf");
    if (lists.targets[i] < 0 || lists.targets[i] >= out.targets) fail(Code::bad_model, "a leaf adds to target ", lists.targets[i], " of ", out.targets);
    leaf.push_back(~id), ++out.leaf_begin[size_t(~id) + 1];
  }
  for (size_t i = 1; i < out.leaf_begin.size(); ++i) out.leaf_begin[i] += out.leaf_begin[i - 1];
  std::vector<int32_t> next(out.leaf_begin);
  out.target.resize(weights.size()), out.weight.resize(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto at = size_t(next[size_t(leaf[i])]++);
    out.target[at] = int32_t(lists.targets[i]), out.weight[at] = weights[i];
  }
}

template <class T, class Op> PlainForest<T> plain(const Op& op, const LeafLists& lists, int64_t targets) {
  const auto splits = numbers<T>(op.nodes_values, op.nodes_values_as_tensor), weights = numbers<T>(lists.weights, lists.weights_tensor);
  check_lengths(op, lists, splits, weights);
  const NodeNumbers numbers(op);
  PlainForest<T> out;
  out.targets = targets;
  out.roots = numbers.roots;
  for (size_t i : numbers.stated) {
    const int64_t feature = op.nodes_featureids[i];
    if (feature < 0 || feature > INT32_MAX) fail(Code::bad_model, "nodes_featureids has ", feature);
    out.split.push_back(splits[i]), out.feature.push_back(int32_t(feature)), out.mode.push_back(branch_of(op.nodes_modes[i]));
    out.missing_yes.push_back(!op.nodes_missing_value_tracks_true.empty() && op.nodes_missing_value_tracks_true[i] != 0);
    out.yes.push_back(numbers.find(op.nodes_treeids[i], op.nodes_truenodeids[i])), out.no.push_back(numbers.find(op.nodes_treeids[i], op.nodes_falsenodeids[i]));
  }
  group_addends(out, numbers, lists, weights);
  merge_equality_chains(out);
  return out;
}

// A forest in the type that the input asks for. Both are made at load when the model may be fed both.
struct EitherForest {
  std::shared_ptr<const Forest<float>> floats;
  std::shared_ptr<const Forest<double>> doubles;
  bool in_double = false;                                 // the model's own numbers are double

  template <class Op> void make(const Op& op, const LeafLists& lists, int64_t targets, Aggregate how, bool marks = false) {
    in_double = (op.nodes_values_as_tensor && op.nodes_values_as_tensor.type() == DataType::f64) || (lists.weights_tensor && lists.weights_tensor.type() == DataType::f64);
    if (!in_double) floats = std::make_shared<const Forest<float>>(plain<float>(op, lists, targets), how, marks);
    doubles = std::make_shared<const Forest<double>>(plain<double>(op, lists, targets), how, marks);
  }
  // f(forest) with the one for inputs of this type
  template <class F> void with(DataType input, F&& f) const { in_double || input == DataType::f64 ? f(*doubles) : f(*floats); }
};

template <class Op> void drop_lists(Op& op) {
  const auto drop = [](auto& list) { list = {}; };
  drop(op.nodes_treeids), drop(op.nodes_nodeids), drop(op.nodes_featureids), drop(op.nodes_modes), drop(op.nodes_values), drop(op.nodes_values_as_tensor);
  drop(op.nodes_truenodeids), drop(op.nodes_falsenodeids), drop(op.nodes_missing_value_tracks_true), drop(op.nodes_hitrates), drop(op.nodes_hitrates_as_tensor);
}

struct TreeEnsembleRegressor : standard::TreeEnsembleRegressor {
  EitherForest forest;
  std::vector<double> base;
  PostTransform kind{};
  Aggregate how = Aggregate::sum;
  int64_t targets = 1;

  void prepare(const Preparation&) {
    kind = post_transform_of(post_transform);
    constexpr std::string_view names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    const auto it = std::find(std::begin(names), std::end(names), aggregate_function);
    if (it == std::end(names)) fail(Code::bad_model, "aggregate_function is '", aggregate_function, "', expected AVERAGE, SUM, MIN or MAX");
    how = Aggregate(it - std::begin(names));
    targets = n_targets.value_or(1);
    if (targets < 1 || targets > 1 << 24) fail(Code::bad_model, "n_targets is ", targets);
    base = numbers<double>(base_values, base_values_as_tensor);
    if (!base.empty() && int64_t(base.size()) != targets) fail(Code::bad_model, "base_values has ", base.size(), " elements for ", targets, " targets");
    forest.make(*this, {target_treeids, target_nodeids, target_ids, target_weights, target_weights_as_tensor}, targets, how);
    drop_lists(*this);
  }
  void infer(Inference& io) const {
    const auto [rows, columns] = rows_and_columns(io.dims(0));
    io.output(0, DataType::f32, {rows, targets});
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const auto [rows, columns] = rows_and_columns(x.dims());
    float* out = call.output(0).data<float>();
    forest.with(x.type(), [&, rows = rows, columns = columns]<class T>(const Forest<T>& f) {
      const NumericRows<T> in(call, x);
      const Tensor scores = call.scratch(type_of<T>, {rows, targets});
      f.run(call.context, in.data(), rows, columns, scores.template data<T>());
      for (int64_t r = 0; r < rows; ++r) {
        T* row = scores.template data<T>() + r * targets;
        for (size_t k = 0; k < base.size(); ++k) row[k] += T(base[k]);
        onward::post_transform(std::span<T>(row, size_t(targets)), kind);
        std::copy_n(row, targets, out + r * targets);
      }
    });
  }
};

struct TreeEnsembleClassifier : standard::TreeEnsembleClassifier {
  EitherForest forest;
  ClassLabels labels;
  std::vector<double> base;
  PostTransform kind{};
  int64_t kept = 1;                                       // scores that the trees add to
  bool one_score = false, all_positive = true;            // a binary model whose trees know one class only

  void prepare(const Preparation&) {
    kind = post_transform_of(post_transform);
    labels = {classlabels_int64s, classlabels_strings};
    labels.check();
    base = numbers<double>(base_values, base_values_as_tensor);
    const std::set<int64_t> used(class_ids.begin(), class_ids.end());
    kept = labels.size();
    for (int64_t id : used) if (id < 0 || id >= kept) fail(Code::bad_model, "class_ids has ", id, " for ", kept, " classes");
    one_score = labels.size() == 2 && used.size() == 1;
    for (double w : numbers<double>(class_weights, class_weights_as_tensor)) all_positive = all_positive && w >= 0;
    if (base.size() > size_t(kept)) fail(Code::bad_model, "base_values has ", base.size(), " elements for ", kept, " classes");
    forest.make(*this, {class_treeids, class_nodeids, class_ids, class_weights, class_weights_as_tensor}, kept, Aggregate::sum, !one_score);
    only = used.empty() ? 0 : *used.begin();
    drop_lists(*this);
  }
  int64_t only = 0;

  void infer(Inference& io) const {
    const auto [rows, columns] = rows_and_columns(io.dims(0));
    io.output(0, labels.type(), {rows});
    io.output(1, DataType::f32, {rows, labels.size()});
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const auto [rows, columns] = rows_and_columns(x.dims());
    forest.with(x.type(), [&, rows = rows, columns = columns]<class T>(const Forest<T>& f) {
      const NumericRows<T> in(call, x);
      const Tensor scores = call.scratch(type_of<T>, {rows, kept});
      const std::unique_ptr<bool[]> seen(one_score ? nullptr : new bool[size_t(rows * kept)]);
      f.run(call.context, in.data(), rows, columns, scores.template data<T>(), seen.get());
      for (int64_t r = 0; r < rows; ++r) {
        T* row = scores.template data<T>() + r * kept;
        const int64_t label = one_score ? finish_binary(row) : finish(row, seen.get() + r * kept);
        labels.write(label, call.output(0), r);
        if (call.wants(1)) std::copy_n(row, kept, call.output(1).data<float>() + r * kept);
      }
    });
  }

 private:
  template <class T> int64_t finish_binary(T* row) const {
    T score = row[only];
    if (base.size() == 1) score += T(base[0]);
    if (base.size() == 2) score += T(base[1]);
    const bool second = score > (all_positive ? T(0.5) : T(0));
    two_columns(score, all_positive ? SecondClass::probability : SecondClass::margin, kind, row);
    if (kind == PostTransform::softmax || kind == PostTransform::softmax_zero) onward::post_transform(std::span<T>(row, 2), kind);
    return second;
  }
  template <class T> int64_t finish(T* row, const bool* seen) const {
    int64_t best = -1;
    for (int64_t k = 0; k < kept; ++k) {
      if (size_t(k) < base.size()) row[k] += T(base[size_t(k)]);
      if ((seen[k] || !base.empty()) && (best < 0 || row[k] > row[best])) best = k;
    }
    onward::post_transform(std::span<T>(row, size_t(kept)), kind);
    return std::max<int64_t>(best, 0);
  }
};

}  // namespace

Operators ml_tree_ensemble_3() {
  return {
      define<TreeEnsembleRegressor>({.examples = {
          "float [[1], [2]]; nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[0, 0, 0], nodes_modes=[\"BRANCH_LEQ\", \"LEAF\", \"LEAF\"], nodes_values=[1.5, 0.0, 0.0],"
          " nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0], target_treeids=[0, 0], target_nodeids=[1, 2], target_ids=[0, 0], target_weights=[10.0, 20.0], n_targets=1 -> float [[10], [20]]"}}),
      define<TreeEnsembleClassifier>({.examples = {
          "int64 [[1], [2]]; nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[0, 0, 0], nodes_modes=[\"BRANCH_LEQ\", \"LEAF\", \"LEAF\"], nodes_values=[1.5, 0.0, 0.0],"
          " nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0], class_treeids=[0, 0], class_nodeids=[1, 2], class_ids=[0, 1], class_weights=[1.0, 2.0], classlabels_strings=[\"no\", \"yes\"]"
          " -> string [\"no\", \"yes\"], float [[1, 0], [0, 2]]"}}),
  };
}

}  // namespace onward::ops
