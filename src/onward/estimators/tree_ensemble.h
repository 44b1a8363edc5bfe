// Trees of any origin as plain data: scikit-learn's, XGBoost's and our own training's fill the same struct.
#pragma once
#include <map>

#include "onward/graph/math.h"

namespace onward {

// The numbers are those of ai.onnx.ml TreeEnsemble 5.
enum class Test : uint8_t { le = 0, lt = 1, ge = 2, gt = 3, eq = 4, ne = 5, member = 6 };

struct TreeNode {
  double split = 0;  // a leaf of one value: the value
  int32_t feature = 0;
  int32_t yes = -1, no = -1;  // children; a leaf has none. Children come after their parent
  Test test = Test::le;
  bool missing_yes = false;
  bool is_leaf() const { return yes < 0; }
};

struct Tree {
  std::vector<TreeNode> nodes;
  Numbers values;  // (nodes, width): what a leaf adds to each target; empty: its split, to `target`
  int64_t target = 0;
  std::vector<int32_t> numbers;  // of the leaves, by node, where their library counts them otherwise; empty: the node's place
  std::map<int32_t, std::vector<double>> sets;  // of the nodes that test membership
};

struct TreeEnsemble {
  std::vector<Tree> trees;
  int64_t targets = 1;
  int64_t features = 0;
};

Tree constant_tree(double value, int64_t target);  // a base score, added in its place in the sum
void check(const TreeEnsemble&);                   // throws an Error for trees that no writer makes

// The leaves' values, added tree by tree in order: (batch, targets) of x's type.
Expr tree_sum(const Operand& x, std::shared_ptr<const TreeEnsemble>);
// The number of the leaf reached in each tree: int64 (batch, trees).
Expr leaf_index(const Operand& x, const std::shared_ptr<const TreeEnsemble>&);

}  // namespace onward
