// TreeEnsembleClassifier, TreeEnsembleRegressor (ai.onnx.ml 1 to 3): the forms before TreeEnsemble, still what most exporters write.
// Nodes are named by (tree, node); scores are float. Double inputs are tested in double, all others in float.
#include <mutex>
#include <set>
#include <unordered_map>

#include "onward/base/large_pages.h"
#include "onward/ops/convert.h"
#include "onward/ops/forest.h"
#include "onward/ops/ml/class_labels.h"
#include "onward/ops/ml/numeric_rows.h"
#include "onward/ops/ml/stated_list.h"
#include "onward/ops/post_transform.h"

namespace onward::ops {
namespace {

constexpr auto leaf_mode = Branch(255);

Branch branch_of(std::string_view mode) {
  if (mode == "LEAF") return leaf_mode;
  constexpr std::string_view names[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"};
  for (size_t i = 0; i < std::size(names); ++i) if (names[i] == mode) return Branch(i);
  fail(Code::bad_model, "nodes_modes has '", mode, "', expected LEAF or BRANCH_LEQ, BRANCH_LT, BRANCH_GTE, BRANCH_GT, BRANCH_EQ, BRANCH_NEQ");
}

// Of either form an operator has for numbers; a list of floats as floats is not copied.
template <class T> class StatedNumbers {
 public:
  StatedNumbers(const std::vector<float>& floats, const Tensor& tensor) {
    if (tensor) {
      if (!contains(f32 | f64, tensor.type())) fail(Code::bad_model, "a list of numbers is ", name_of(tensor.type()));
      own_.resize(size_t(tensor.size()));
      if (!own_.empty()) convert(tensor.type(), tensor.raw(), type_of<T>, own_.data(), tensor.size());
    } else if constexpr (std::is_same_v<T, float>) {
      all_ = floats;
      return;
    } else {
      own_.assign(floats.begin(), floats.end());
    }
    all_ = own_;
  }
  StatedNumbers(const StatedNumbers&) = delete;
  size_t size() const { return all_.size(); }
  T operator[](size_t i) const { return all_[i]; }
  std::vector<T> copy() const { return {all_.begin(), all_.end()}; }

 private:
  std::vector<T> own_;
  std::span<const T> all_;
};

template <class T> std::vector<T> numbers(const std::vector<float>& floats, const Tensor& tensor) { return StatedNumbers<T>(floats, tensor).copy(); }

// Of each node what it is: a test, or a leaf.
std::vector<Branch> stated_modes(const Attributes& from) {
  std::vector<Branch> all;
  const auto it = from.find("nodes_modes");
  if (auto* few = it == from.end() ? nullptr : std::get_if<FewTexts>(&it->second)) {
    Branch kinds[256];
    std::transform(few->distinct().begin(), few->distinct().end(), kinds, branch_of);
    reserve_in_large_pages(all, few->size());
    for (const uint8_t i : few->items()) all.push_back(kinds[i]);
  } else {
    for (const std::string& mode : stated<std::vector<std::string>>(from, "nodes_modes")) all.push_back(branch_of(mode));
  }
  return all;
}

// What a node of either operator states: its trees, and what each leaf adds, which the two say under different names.
struct StatedTrees {
  StatedIntegers tree, node, feature, yes, no, missing_yes;
  std::vector<Branch> mode;
  const std::vector<float>& values;
  const Tensor& values_tensor;
  StatedIntegers leaf_tree, leaf_node, leaf_target;
  const std::vector<float>& weights;
  const Tensor& weights_tensor;

  // `kind`: class or target.
  StatedTrees(const Attributes& from, const std::string& kind)
      : tree(from, "nodes_treeids"), node(from, "nodes_nodeids"), feature(from, "nodes_featureids"), yes(from, "nodes_truenodeids"), no(from, "nodes_falsenodeids"),
        missing_yes(from, "nodes_missing_value_tracks_true"), mode(stated_modes(from)), values(stated<std::vector<float>>(from, "nodes_values")), values_tensor(stated<Tensor>(from, "nodes_values_as_tensor")),
        leaf_tree(from, (kind + "_treeids").c_str()), leaf_node(from, (kind + "_nodeids").c_str()), leaf_target(from, (kind + "_ids").c_str()),
        weights(stated<std::vector<float>>(from, (kind + "_weights").c_str())), weights_tensor(stated<Tensor>(from, (kind + "_weights_as_tensor").c_str())) {
    const size_t n = tree.size(), leaves = weights_tensor ? size_t(weights_tensor.size()) : weights.size();
    const std::pair<const char*, size_t> same[] = {{"nodes_nodeids", node.size()}, {"nodes_featureids", feature.size()}, {"nodes_modes", mode.size()}, {"nodes_values", values_tensor ? size_t(values_tensor.size()) : values.size()},
                                                   {"nodes_truenodeids", yes.size()}, {"nodes_falsenodeids", no.size()}};
    for (const auto& [name, size] : same) if (size != n) fail(Code::bad_model, name, " has ", size, " elements, nodes_treeids ", n);
    if (!missing_yes.empty() && missing_yes.size() != n) fail(Code::bad_model, "nodes_missing_value_tracks_true has ", missing_yes.size(), " elements, nodes_treeids ", n);
    if (leaf_tree.size() != leaves || leaf_node.size() != leaves || leaf_target.size() != leaves) fail(Code::bad_model, "the lists of leaves have ", leaf_tree.size(), ", ", leaf_node.size(), ", ", leaf_target.size(), " and ", leaves, " elements");
  }
};

struct NodeKey {
  int64_t tree, node;
  bool operator==(const NodeKey&) const = default;
};
struct NodeHash { size_t operator()(const NodeKey& k) const { return size_t(k.tree) * 0x9E3779B97F4A7C15ull ^ size_t(k.node); } };

// Chains of "x is a, else x is b, else …" that share their yes branch are how older exporters write a set of categories.
template <class T> void merge_equality_chains(PlainForest<T>& f) {
  if (std::find(f.mode.begin(), f.mode.end(), Branch::eq) == f.mode.end()) return;
  std::vector<int> parents(f.nodes());
  for (size_t i = 0; i < f.nodes(); ++i) for (int32_t child : {f.yes[i], f.no[i]}) if (child >= 0) ++parents[size_t(child)];
  std::vector<bool> taken(f.nodes());                     // into a chain that begins before them
  for (size_t i = 0; i < f.nodes(); ++i) {
    if (f.mode[i] != Branch::eq || taken[i]) continue;
    std::vector<T> set{f.split[i]};
    while (f.no[i] >= 0) {
      const auto next = size_t(f.no[i]);
      if (f.mode[next] != Branch::eq || f.feature[next] != f.feature[i] || f.yes[next] != f.yes[i] || f.missing_yes[next] != f.missing_yes[i] || parents[next] != 1 || next == i || set.size() > f.nodes()) break;
      set.push_back(f.split[next]), taken[next] = true;
      f.no[i] = f.no[next];
    }
    if (set.size() > 1) f.mode[i] = Branch::member, f.split[i] = T(f.add_set(std::move(set)));
  }
}

// Which node a (tree, node) is: a place among the inner nodes, or ~leaf. Trees whose nodes stand together and are numbered from 0, as
// every exporter writes them, need no table.
class NodeNumbers {
 public:
  explicit NodeNumbers(const StatedTrees& s) : s_(s) {
    reserve_in_large_pages(id_, s.tree.size());
    reserve_in_large_pages(stated, s.tree.size());
    for (size_t i = 0; i < s.tree.size(); ++i) {
      const bool leaf = s.mode[i] == leaf_mode;
      id_.push_back(leaf ? ~leaves++ : int32_t(stated.size()));
      if (!leaf) stated.push_back(i);
      if (i == 0 || s.tree[i] != s.tree[i - 1]) {
        roots.push_back(id_.back());
        in_order_ &= first_.emplace(s.tree[i], i).second;
        begin_ = i;
      }
      in_order_ &= s.node[i] == int64_t(i - begin_);
    }
    found_tree_ = s.tree.empty() ? 0 : s.tree[0], found_ = 0;
    if (in_order_) return;
    for (size_t i = 0; i < s.tree.size(); ++i)
      if (!number_.emplace(NodeKey{s.tree[i], s.node[i]}, id_[i]).second) fail(Code::bad_model, "tree ", s.tree[i], " has node ", s.node[i], " twice");
  }
  int32_t find(int64_t tree, int64_t node) {
    if (in_order_) {
      if (tree != found_tree_) {                          // who asks goes from tree to tree
        const auto first = first_.find(tree);
        found_tree_ = tree, found_ = first == first_.end() ? s_.tree.size() : first->second;
      }
      if (node >= 0 && node < int64_t(s_.tree.size() - found_) && s_.tree[found_ + size_t(node)] == tree) return id_[found_ + size_t(node)];
    } else if (const auto it = number_.find({tree, node}); it != number_.end()) {
      return it->second;
    }
    fail(Code::bad_model, "tree ", tree, " has no node ", node);
  }
  std::vector<size_t> stated;                             // which entry an inner node came from
  std::vector<int32_t> roots;
  int32_t leaves = 0;

 private:
  const StatedTrees& s_;
  std::vector<int32_t> id_;                               // of each entry
  std::unordered_map<int64_t, size_t> first_;             // entry of each tree, where they are in order
  std::unordered_map<NodeKey, int32_t, NodeHash> number_; // where they are not
  int64_t found_tree_ = 0;
  size_t found_ = 0;                                      // its first entry; none: their number
  size_t begin_ = 0;
  bool in_order_ = true;
};

// The addends of each leaf one after the other, in the order in which they are stated.
template <class T> void group_addends(PlainForest<T>& out, NodeNumbers& numbers, const StatedTrees& s, const StatedNumbers<T>& weights) {
  std::vector<int32_t> leaf;
  for (auto* list : {&leaf, &out.leaf_begin, &out.target}) reserve_in_large_pages(*list, weights.size() + 1);
  reserve_in_large_pages(out.weight, weights.size());
  out.leaf_begin.assign(size_t(numbers.leaves) + 1, 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    const int32_t id = numbers.find(s.leaf_tree[i], s.leaf_node[i]);
    if (id >= 0) fail(Code::bad_model, "node ", s.leaf_node[i], " of tree ", s.leaf_tree[i], " has a weight and is no leaf");
    if (s.leaf_target[i] < 0 || s.leaf_target[i] >= out.targets) fail(Code::bad_model, "a leaf adds to target ", s.leaf_target[i], " of ", out.targets);
    leaf.push_back(~id), ++out.leaf_begin[size_t(~id) + 1];
  }
  for (size_t i = 1; i < out.leaf_begin.size(); ++i) out.leaf_begin[i] += out.leaf_begin[i - 1];
  std::vector<int32_t> next(out.leaf_begin);
  out.target.resize(weights.size()), out.weight.resize(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto at = size_t(next[size_t(leaf[i])]++);
    out.target[at] = int32_t(s.leaf_target[i]), out.weight[at] = weights[i];
  }
}

template <class T> PlainForest<T> plain(const StatedTrees& s, int64_t targets) {
  const StatedNumbers<T> splits(s.values, s.values_tensor);
  NodeNumbers numbers(s);
  PlainForest<T> out;
  out.targets = targets;
  out.roots = numbers.roots;
  const size_t nodes = numbers.stated.size();
  for (auto* list : {&out.feature, &out.yes, &out.no}) reserve_in_large_pages(*list, nodes);
  reserve_in_large_pages(out.split, nodes);
  out.mode.reserve(nodes), out.missing_yes.reserve(nodes);
  for (size_t i : numbers.stated) {
    if (s.feature[i] < 0 || s.feature[i] > INT32_MAX) fail(Code::bad_model, "nodes_featureids has ", s.feature[i]);
    out.split.push_back(splits[i]), out.feature.push_back(int32_t(s.feature[i])), out.mode.push_back(s.mode[i]);
    out.missing_yes.push_back(!s.missing_yes.empty() && s.missing_yes[i] != 0);
    out.yes.push_back(numbers.find(s.tree[i], s.yes[i])), out.no.push_back(numbers.find(s.tree[i], s.no[i]));
  }
  group_addends(out, numbers, s, StatedNumbers<T>(s.weights, s.weights_tensor));
  merge_equality_chains(out);
  return out;
}

PlainForest<double> in_double(const PlainForest<float>& f) {
  PlainForest<double> out{{f.split.begin(), f.split.end()}, f.feature, f.yes, f.no, f.mode, f.missing_yes, f.roots, {}, f.leaf_begin, f.target, {f.weight.begin(), f.weight.end()}, f.targets};
  for (const auto& set : f.sets) out.sets.emplace_back(set.begin(), set.end());
  return out;
}

// A forest in the type that the input asks for. The one in double is made when the model is first fed doubles.
class EitherForest {
 public:
  void make(const StatedTrees& s, int64_t targets, Aggregate how, bool marks = false) {
    how_ = how, marks_ = marks;
    double_ = contains(f64, s.values_tensor.type()) || contains(f64, s.weights_tensor.type());
    if (double_) return void(doubles_ = std::make_unique<const Forest<double>>(plain<double>(s, targets), how, marks));
    auto trees = plain<float>(s, targets);
    const auto any = [&](Branch a, Branch b) { return std::any_of(trees.mode.begin(), trees.mode.end(), [&](Branch m) { return m == a || m == b; }); };
    strict_ = any(Branch::lt, Branch::gte);
    const bool mixed = strict_ && any(Branch::leq, Branch::gt);
    floats_ = std::make_unique<const Forest<float>>(std::move(trees), how, marks);
    if (mixed || !floats_->serves_doubles()) plain_ = std::make_unique<const PlainForest<float>>(plain<float>(s, targets));
  }
  // f(forest) with the one for inputs of this type
  template <class F> void with(DataType input, F&& f) const {
    if (!double_ && input != DataType::f64) return f(*floats_);
    std::call_once(once_, [&] {
      if (doubles_) return;
      doubles_ = plain_ ? std::make_unique<const Forest<double>>(in_double(*plain_), how_, marks_) : std::make_unique<const Forest<double>>(*floats_, strict_);
    });
    f(*doubles_);
  }

 private:
  bool double_ = false;                                   // the model's own numbers are double
  std::unique_ptr<const Forest<float>> floats_;
  mutable std::unique_ptr<const Forest<double>> doubles_;
  mutable std::once_flag once_;
  std::unique_ptr<const PlainForest<float>> plain_;       // what the one in double is made of, unless that is the one in float
  bool strict_ = false;
  Aggregate how_ = Aggregate::sum;
  bool marks_ = false;
};

// Where a forest's scores of type T go on their way to float: into the output itself where they are floats, into a few places here where
// they are few.
template <class T> class ScoreRows {
 public:
  ScoreRows(const Call& call, float* out, int64_t rows, int64_t width) : out_(out), count_(rows * width), width_(width) {
    if (!std::is_same_v<T, float> && count_ > int64_t(std::size(few_))) many_ = call.scratch(type_of<T>, {rows, width});
  }
  T* data() {
    if constexpr (std::is_same_v<T, float>) return out_;
    else return many_ ? many_.template data<T>() : few_;
  }
  T* row(int64_t r) { return data() + r * width_; }
  void finish() {
    if constexpr (!std::is_same_v<T, float>) std::copy_n(data(), count_, out_);
  }

 private:
  float* out_;
  int64_t count_, width_;
  T few_[std::is_same_v<T, float> ? 1 : 64];
  Tensor many_;
};

struct TreeEnsembleRegressor : standard::TreeEnsembleRegressor {
  EitherForest forest;
  std::vector<double> base;
  PostTransform kind{};
  Aggregate how = Aggregate::sum;
  int64_t targets = 1;

  void read(const Attributes& from) {
    from.read("aggregate_function", aggregate_function), from.read("base_values", base_values), from.read("base_values_as_tensor", base_values_as_tensor);
    from.read("n_targets", n_targets), from.read("post_transform", post_transform);
  }
  void prepare(const Preparation& at) {
    kind = post_transform_of(post_transform);
    constexpr std::string_view names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
    const auto it = std::find(std::begin(names), std::end(names), aggregate_function);
    if (it == std::end(names)) fail(Code::bad_model, "aggregate_function is '", aggregate_function, "', expected AVERAGE, SUM, MIN or MAX");
    how = Aggregate(it - std::begin(names));
    targets = n_targets.value_or(1);
    if (targets < 1 || targets > 1 << 24) fail(Code::bad_model, "n_targets is ", targets);
    base = numbers<double>(base_values, base_values_as_tensor);
    if (!base.empty() && int64_t(base.size()) != targets) fail(Code::bad_model, "base_values has ", base.size(), " elements for ", targets, " targets");
    forest.make(StatedTrees(at.node.attributes, "target"), targets, how);
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
      ScoreRows<T> scores(call, out, rows, targets);
      f.run(call.context, in.data(), rows, columns, scores.data());
      for (int64_t r = 0; (!base.empty() || kind != PostTransform::none) && r < rows; ++r) {
        T* row = scores.row(r);
        for (size_t k = 0; k < base.size(); ++k) row[k] += T(base[k]);
        onward::post_transform(std::span<T>(row, size_t(targets)), kind);
      }
      scores.finish();
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

  void read(const Attributes& from) {
    from.read("base_values", base_values), from.read("base_values_as_tensor", base_values_as_tensor), from.read("classlabels_int64s", classlabels_int64s);
    from.read("classlabels_strings", classlabels_strings), from.read("post_transform", post_transform);
  }
  void prepare(const Preparation& at) {
    const StatedTrees stated(at.node.attributes, "class");
    kind = post_transform_of(post_transform);
    labels = {classlabels_int64s, classlabels_strings};
    labels.check();
    base = numbers<double>(base_values, base_values_as_tensor);
    std::set<int64_t> used;
    for (size_t i = 0; i < stated.leaf_target.size(); ++i) used.insert(stated.leaf_target[i]);
    kept = labels.size();
    for (int64_t id : used) if (id < 0 || id >= kept) fail(Code::bad_model, "class_ids has ", id, " for ", kept, " classes");
    one_score = labels.size() == 2 && used.size() == 1;
    for (double w : numbers<double>(stated.weights, stated.weights_tensor)) all_positive = all_positive && w >= 0;
    if (base.size() > size_t(kept)) fail(Code::bad_model, "base_values has ", base.size(), " elements for ", kept, " classes");
    forest.make(stated, kept, Aggregate::sum, !one_score);
    only = used.empty() ? 0 : *used.begin();
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
      const Tensor& label = call.output(0);
      const Tensor unwanted = call.wants(1) ? Tensor() : call.scratch(DataType::f32, {rows, kept});
      ScoreRows<T> scores(call, (unwanted ? unwanted : call.output(1)).template data<float>(), rows, kept);
      const std::unique_ptr<bool[]> seen(one_score || f.always_seen() ? nullptr : new bool[size_t(rows * kept)]);
      f.run(call.context, in.data(), rows, columns, scores.data(), seen.get());
      for (int64_t r = 0; r < rows; ++r) labels.write(one_score ? finish_binary(scores.row(r)) : finish(scores.row(r), seen ? seen.get() + r * kept : nullptr), label, r);
      scores.finish();
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
      if ((!seen || seen[k] || !base.empty()) && (best < 0 || row[k] > row[best])) best = k;
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
