// A tree of an XGBoost file.
#include "onward/estimators/xgboost_tree.h"

namespace onward {
namespace {

constexpr int64_t most_outputs = 1'000'000;

double as_float(double x) { return double(float(x)); }

struct Columns {
  std::vector<int64_t> left, right, feature, default_left, type;
  std::vector<double> split;

  explicit Columns(const BoosterRecord& t)
      : left(t.integers("left_children")), right(t.integers("right_children")), feature(t.integers("split_indices")),
        default_left(t.integers("default_left")), split(t.reals("split_conditions")) {
    if (t.has("split_type")) type = t.integers("split_type");  // since 1.3
    type.resize(type.empty() ? left.size() : type.size());
    const size_t n = left.size();
    for (const auto& [name, size] : {std::pair<const char*, size_t>{"right_children", right.size()},
                                     {"split_indices", feature.size()},
                                     {"default_left", default_left.size()},
                                     {"split_conditions", split.size()},
                                     {"split_type", type.size()}})
      if (size != n) t.bad(name, "has ", size, " items for ", n, " nodes");
    if (n == 0 || n > most_nodes) t.bad("left_children", "has ", n, " nodes");
  }
  static constexpr size_t most_nodes = size_t{1} << 30;
};

int32_t index(const BoosterRecord& t, std::string_view key, int64_t i, size_t n) {
  if (i < 0 || uint64_t(i) >= n) t.bad(key, "holds ", i, "; expected less than ", n);
  return int32_t(i);
}

void read_categories(const BoosterRecord& t, Tree& tree) {
  if (!t.has("categories_nodes")) return;
  const std::vector<int64_t> nodes = t.integers("categories_nodes"), starts = t.integers("categories_segments"),
                             sizes = t.integers("categories_sizes"), all = t.integers("categories");
  if (starts.size() != nodes.size() || sizes.size() != nodes.size()) t.bad("categories_segments", "does not fit categories_nodes");
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int32_t node = index(t, "categories_nodes", nodes[i], tree.nodes.size());
    const auto count = int64_t(all.size());
    if (starts[i] < 0 || sizes[i] < 0 || starts[i] > count || sizes[i] > count - starts[i])
      t.bad("categories_segments", "reaches beyond the ", count, " categories");
    tree.sets[node].assign(all.begin() + starts[i], all.begin() + starts[i] + sizes[i]);
  }
}

// What a leaf adds to each of several outputs at once.
Numbers vector_leaves(const BoosterRecord& t, const Columns& c, int64_t width) {
  const bool apart = t.has("leaf_weights");  // since 3.1: by leaf; before, by node
  const std::string key = apart ? "leaf_weights" : "base_weights";
  const std::vector<double> weights = t.reals(key);
  const auto n = int64_t(c.left.size());
  if (width > most_outputs || n > 2 * (int64_t(weights.size()) / width + 1)) t.bad(key, "has ", weights.size(), " items for ", n, " nodes");
  for (int64_t i = 0; i < n; ++i) {
    if (c.left[size_t(i)] >= 0) continue;
    const int64_t row = apart ? c.right[size_t(i)] : i, count = int64_t(weights.size()) / width;
    if (row < 0 || row >= count) t.bad(key, "has ", count, " rows; leaf ", i, " is row ", row);
  }
  return Numbers::of({n, width}, [&](int64_t at) {
    const int64_t i = at / width;
    if (c.left[size_t(i)] >= 0) return 0.0;
    return as_float(weights[size_t((apart ? c.right[size_t(i)] : i) * width + at % width)]);
  });
}

}  // namespace

Tree read_xgboost_tree(const BoosterRecord& t, int64_t target, int64_t outputs, std::optional<double> weight) {
  const Columns c(t);
  Tree tree;
  tree.target = target;
  tree.nodes.resize(c.left.size());
  read_categories(t, tree);
  for (size_t i = 0; i < c.left.size(); ++i) {
    TreeNode& node = tree.nodes[i];
    if (c.left[i] == -1) {
      // Of dropout, the product in float32.
      node.split = weight ? double(float(c.split[i]) * float(*weight)) : as_float(c.split[i]);
      continue;
    }
    const int32_t left = index(t, "left_children", c.left[i], c.left.size()), right = index(t, "right_children", c.right[i], c.left.size());
    const bool to_left = c.default_left[i] != 0;
    const auto feature = int32_t(std::min<int64_t>(std::max<int64_t>(c.feature[i], -1), INT32_MAX));
    if (c.type[i] == 1) node = {0, feature, right, left, Test::member, !to_left};  // what is in the set goes right
    else node = {as_float(c.split[i]), feature, left, right, Test::lt, to_left};
    if (c.type[i] == 1 && !tree.sets.contains(int32_t(i))) tree.sets[int32_t(i)];
  }
  const BoosterRecord parameters = t.record("tree_param");
  const int64_t width = parameters.integer("size_leaf_vector", 0);
  if (width > 1) {
    if (width != outputs) t.bad("tree_param.size_leaf_vector", "is ", width, " for ", outputs, " outputs");
    if (weight) t.bad("tree_param.size_leaf_vector", "is ", width, " in a model with dropout");
    tree.values = vector_leaves(t, c, width);
  }
  return in_order(std::move(tree));
}

}  // namespace onward
