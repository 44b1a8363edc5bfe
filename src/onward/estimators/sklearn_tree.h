// scikit-learn's stored trees as ours.
#pragma once
#include <functional>

#include "onward/estimators/fields.h"
#include "onward/estimators/tree_ensemble.h"

namespace onward {

struct Leaf {           // what becomes of a leaf's stored value
  int64_t outputs = 0;  // > 0: counts of classes for each output -> fractions; stored as counts until 1.2
  double scale = 1;
  std::optional<int64_t> target = {};  // one value, added to this target
};

// `tree` is the Cython object sklearn.tree._tree.Tree: {nodes: records, values: (nodes, outputs, classes)}.
Tree read_tree(Fields&, const plain::Value& tree, const Leaf&);
// The Cython trees of one tree estimator, or of each of `estimators_`.
std::vector<plain::Value> fitted_trees(Fields&);
// Each as `read`(tree, its number) makes it, checked together; what is wrong is reported with the tree's number. Whether all is well.
bool read_trees(Fields&, std::span<const plain::Value> trees, TreeEnsemble& to,
                const std::function<Tree(const plain::Value&, size_t)>& read);
// Rows are rounded to float32 before they meet float64 thresholds.
Expr as_trees_see_it(Expr x);

}  // namespace onward
