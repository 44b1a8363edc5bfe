// A leaf of TreeEnsemble 5 adds one weight to one target. A leaf with several non-zero values therefore needs copies of its
// tree; copy j holds the leaves' j-th non-zero values and only the branches that lead to one. Fully grown forests have pure
// leaves, so their copies are nearly empty, and the sums stay exact: all that is left out is the addition of zero.
#include "onward/estimators/tree_ensemble.h"

#include <algorithm>

namespace onward {
namespace {

// The node's attributes, each a column, in the form in which the model holds them.
struct Flat {
  std::vector<int64_t> roots, feature, yes, no, target, yes_leaf, no_leaf, missing;
  std::vector<uint8_t> mode;
  std::vector<double> split, weight, members;

  // Room for trees without copies; more of them let the columns grow.
  void reserve(const std::vector<Tree>& trees) {
    size_t inner = 0, leaves = 0;
    for (const Tree& t : trees)
      for (const TreeNode& n : t.nodes) ++(n.is_leaf() ? leaves : inner);
    for (auto* column : {&feature, &yes, &no, &yes_leaf, &no_leaf, &missing}) column->reserve(inner);
    mode.reserve(inner), split.reserve(inner), target.reserve(leaves), weight.reserve(leaves), roots.reserve(trees.size());
  }
  int64_t leaf(int64_t to, double w) {
    target.push_back(to), weight.push_back(w);
    return int64_t(weight.size()) - 1;
  }
  int64_t node(const TreeNode& n, const std::vector<double>* set) {
    feature.push_back(n.feature), split.push_back(set ? 0 : n.split), mode.push_back(uint8_t(n.test)), missing.push_back(n.missing_yes);
    yes.push_back(0), no.push_back(0), yes_leaf.push_back(0), no_leaf.push_back(0);
    if (set) {
      members.insert(members.end(), set->begin(), set->end());
      if (set->empty()) members.push_back(-1);  // ONNX Runtime refuses an empty set; no category is -1
      members.push_back(__builtin_nan(""));
    }
    return int64_t(feature.size()) - 1;
  }
};

struct Addend {
  int64_t target = 0;
  double weight = 0;
};

// What leaf `leaf` adds; `number` counts its non-zero values.
class Leaves {
 public:
  Leaves(const Tree& tree, std::optional<int64_t> index_target)
      : tree_(tree), index_target_(index_target), width_(tree.values.data() ? tree.values.dim(1) : 0) {}
  int count(size_t leaf) const {
    if (index_target_ || !width_) return 1;
    return int(width_ - std::count(row(leaf), row(leaf) + width_, 0.0));
  }
  Addend addend(size_t leaf, int number) const {
    if (index_target_) return {*index_target_, tree_.numbers.empty() ? double(leaf) : double(tree_.numbers[leaf])};
    if (!width_) return {tree_.target, tree_.nodes[leaf].split};
    for (int64_t k = 0; k < width_; ++k)
      if (row(leaf)[k] != 0 && number-- == 0) return {k, row(leaf)[k]};
    return {};
  }

 private:
  const double* row(size_t leaf) const { return tree_.values.data() + int64_t(leaf) * width_; }
  const Tree& tree_;
  std::optional<int64_t> index_target_;
  int64_t width_;
};

void flatten(const Tree& tree, const Leaves& leaves, Flat& out) {
  size_t n = tree.nodes.size();
  std::vector<int32_t> copies(n);  // that a subtree needs
  std::vector<int64_t> number(n);  // of a node in the current copy
  for (size_t i = n; i-- > 0;) {              // children come after their parent
    const TreeNode& node = tree.nodes[i];
    copies[i] = node.is_leaf() ? leaves.count(i) : std::max(copies[size_t(node.yes)], copies[size_t(node.no)]);
  }
  for (int copy = 0; copy < copies[0]; ++copy) {
    std::fill(number.begin(), number.end(), -1);
    out.roots.push_back(int64_t(out.feature.size()));
    if (tree.nodes[0].is_leaf()) {  // a tree must have a node: one whose ways meet
      Addend a = leaves.addend(0, copy);
      int64_t leaf = out.leaf(a.target, a.weight), at = out.node({}, nullptr);
      auto i = size_t(at);
      out.yes[i] = out.no[i] = leaf, out.yes_leaf[i] = out.no_leaf[i] = 1;
      continue;
    }
    std::vector<bool> wanted(n);
    wanted[0] = true;
    for (size_t i = 0; i < n; ++i) {
      const TreeNode& node = tree.nodes[i];
      if (!wanted[i] || node.is_leaf()) continue;
      auto set = tree.sets.find(int32_t(i));
      number[i] = out.node(node, node.test == Test::member && set != tree.sets.end() ? &set->second : nullptr);
      for (int32_t child : {node.yes, node.no}) wanted[size_t(child)] = copies[size_t(child)] > copy;
    }
    int64_t nothing = -1;  // one leaf stands for all branches left out
    auto link = [&](int32_t child, int64_t& to, int64_t& to_leaf) {
      auto c = size_t(child);
      to_leaf = number[c] < 0;
      if (number[c] >= 0) {
        to = number[c];
        return;
      }
      if (!wanted[c]) {
        to = nothing < 0 ? nothing = out.leaf(0, 0) : nothing;
        return;
      }
      Addend a = leaves.addend(c, copy);
      to = out.leaf(a.target, a.weight);
    };
    for (size_t i = 0; i < n; ++i) {
      if (number[i] < 0) continue;
      auto at = size_t(number[i]);
      link(tree.nodes[i].yes, out.yes[at], out.yes_leaf[at]);
      link(tree.nodes[i].no, out.no[at], out.no_leaf[at]);
    }
  }
}

// A column of numbers, handed to the model without another copy.
template <class T>
Tensor held(std::vector<T>&& column) {
  auto owner = std::make_shared<std::vector<T>>(std::move(column));
  return Tensor::view(type_of<T>, {int64_t(owner->size())}, owner->data(), owner);
}
Tensor reals(std::vector<double>&& column, DataType type) {
  if (type == DataType::f64) return held(std::move(column));
  return held(std::vector<float>(column.begin(), column.end()));
}

Attributes attributes_of(Flat&& f, int64_t targets, DataType type) {
  Attributes a;  // an initializer list would copy the columns
  a.emplace("n_targets", targets), a.emplace("aggregate_function", int64_t{1}), a.emplace("post_transform", int64_t{0});
  a.emplace("tree_roots", std::move(f.roots)), a.emplace("nodes_featureids", std::move(f.feature));
  a.emplace("nodes_modes", held(std::move(f.mode))), a.emplace("nodes_splits", reals(std::move(f.split), type));
  a.emplace("nodes_missing_value_tracks_true", std::move(f.missing));
  a.emplace("nodes_truenodeids", std::move(f.yes)), a.emplace("nodes_trueleafs", std::move(f.yes_leaf));
  a.emplace("nodes_falsenodeids", std::move(f.no)), a.emplace("nodes_falseleafs", std::move(f.no_leaf));
  a.emplace("leaf_targetids", std::move(f.target)), a.emplace("leaf_weights", reals(std::move(f.weight), type));
  if (!f.members.empty()) a.emplace("membership_values", reals(std::move(f.members), type));
  return a;
}

Expr ensemble(const Operand& x, std::shared_ptr<const TreeEnsemble> e, int64_t targets, bool index) {
  const Expr in = x.in(*x.graph());
  if (in.columns() != e->features) formula_error(x.at, text("trees of ", e->features, " features are given ", shown(in)));
  const DataType type = in.type();
  const auto make = [e, targets, type, index] {
    Flat flat;
    flat.reserve(e->trees);
    for (size_t t = 0; t < e->trees.size(); ++t)
      flatten(e->trees[t], Leaves(e->trees[t], index ? std::optional(int64_t(t)) : std::nullopt), flat);
    if (flat.roots.empty()) {
      const Tree nothing = constant_tree(0, 0);
      flatten(nothing, Leaves(nothing, {}), flat);
    }
    return attributes_of(std::move(flat), targets, type);
  };
  return in.graph->add_large("TreeEnsemble", {in}, make, text("trees ", reinterpret_cast<uintptr_t>(e.get()), index ? " leaf" : " sum"),
                             Result{type, {in.shape()[0], targets}}, "ai.onnx.ml");
}

}  // namespace

Tree constant_tree(double value, int64_t target) {
  Tree t;
  t.nodes.push_back({.split = value});
  t.target = target;
  return t;
}

void check(const TreeEnsemble& e) {
  for (size_t t = 0; t < e.trees.size(); ++t) {
    const Tree& tree = e.trees[t];
    auto n = int64_t(tree.nodes.size());
    if (n == 0) fail(Code::bad_file, "tree ", t, " is empty");
    if (tree.values && (tree.values.shape().size() != 2 || tree.values.dim(0) != n || tree.values.dim(1) > e.targets))
      fail(Code::bad_file, "tree ", t, " has values of shape ", shown(tree.values.shape()), " for ", n, " nodes and ", e.targets,
           " targets");
    if (!tree.numbers.empty() && int64_t(tree.numbers.size()) != n) fail(Code::bad_file, "tree ", t, " numbers ", tree.numbers.size(), " of ", n, " nodes");
    if (tree.target < 0 || tree.target >= e.targets) fail(Code::bad_file, "tree ", t, " adds to target ", tree.target, " of ", e.targets);
    for (int64_t i = 0; i < n; ++i) {
      const TreeNode& node = tree.nodes[size_t(i)];
      if (node.is_leaf()) continue;
      if (node.yes <= i || node.no <= i || node.yes >= n || node.no >= n)
        fail(Code::bad_file, "tree ", t, ": node ", i, " has children ", node.yes, " and ", node.no, " of ", n);
      if (node.feature < 0 || node.feature >= e.features)
        fail(Code::bad_file, "tree ", t, ": node ", i, " tests feature ", node.feature, " of ", e.features);
    }
  }
}

Expr tree_sum(const Operand& x, std::shared_ptr<const TreeEnsemble> e) {
  int64_t targets = e->targets;
  return ensemble(x, std::move(e), targets, false);
}

Expr leaf_index(const Operand& x, const std::shared_ptr<const TreeEnsemble>& e) {
  // The sum over one tree of its leaf's number is the number.
  return cast(ensemble(x, e, int64_t(e->trees.size()), true), DataType::i64);
}

}  // namespace onward
