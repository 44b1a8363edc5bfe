// A tree of an XGBoost file.
#include "onward/estimators/xgboost_tree.h"

namespace onward {
namespace {

constexpr int64_t most_outputs = 100'000;

double as_float(double x) { return double(float(x)); }

struct Columns {
  std::vector<int64_t> left, right, feature, default_left, type;
  std::vector<double> split;

  explicit Columns(const BoosterRecord& t)
      : left(t.integers("left_children")),
        right(t.integers("right_children")),
        feature(t.integers("split_indices")),
        default_left(t.integers("default_left")),
        split(t.reals("split_conditions")) {
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

std::map<int32_t, std::vector<double>> read_categories(const BoosterRecord& t, size_t count_of_nodes) {
  std::map<int32_t, std::vector<double>> sets;
  if (!t.has("categories_nodes")) return sets;
  const std::vector<int64_t> nodes = t.integers("categories_nodes"), starts = t.integers("categories_segments"),
                             sizes = t.integers("categories_sizes"), all = t.integers("categories");
  if (starts.size() != nodes.size() || sizes.size() != nodes.size()) t.bad("categories_segments", "does not fit categories_nodes");
  auto left = int64_t(all.size());  // no two nodes share categories
  for (size_t i = 0; i < nodes.size(); ++i) {
    const int32_t node = index(t, "categories_nodes", nodes[i], count_of_nodes);
    const auto count = int64_t(all.size());
    if (starts[i] < 0 || sizes[i] < 0 || starts[i] > count || sizes[i] > count - starts[i] || sizes[i] > left)
      t.bad("categories_segments", "reaches beyond the ", count, " categories");
    left -= sizes[i];
    sets[node].assign(all.begin() + starts[i], all.begin() + starts[i] + sizes[i]);
  }
  return sets;
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

Tree read_xgboost_tree(const BoosterRecord& t, int64_t target, int64_t outputs, std::optional<Dropout> dropout) {
  const Columns c(t);
  Tree tree;
  tree.target = target;
  tree.nodes.resize(c.left.size());
  auto sets = read_categories(t, c.left.size());
  for (size_t i = 0; i < c.left.size(); ++i) {
    TreeNode& node = tree.nodes[i];
    if (c.left[i] == -1) {
      float leaf = float(c.split[i]);
      if (dropout) leaf = ((leaf + dropout->base) - dropout->base) * dropout->weight;
      node.split = double(leaf);
      continue;
    }
    const int32_t left = index(t, "left_children", c.left[i], c.left.size()), right = index(t, "right_children", c.right[i], c.left.size());
    const bool to_left = c.default_left[i] != 0;
    const auto feature = int32_t(std::min<int64_t>(std::max<int64_t>(c.feature[i], -1), INT32_MAX));
    if (c.type[i] == 0) node = {as_float(c.split[i]), feature, left, right, Test::lt, to_left};
    else if (c.type[i] == 1) {  // what is in the set goes right
      node = {0, feature, right, left, Test::member, !to_left};
      tree.sets[int32_t(i)] = std::move(sets[int32_t(i)]);
    } else t.bad("split_type", "holds ", c.type[i]);
  }
  const BoosterRecord parameters = t.record("tree_param");
  const int64_t width = parameters.integer("size_leaf_vector", 0);
  if (width > 1) {
    if (width != outputs) t.bad("tree_param.size_leaf_vector", "is ", width, " for ", outputs, " outputs");
    if (dropout) t.bad("tree_param.size_leaf_vector", "is ", width, " in a model with dropout");
    tree.values = vector_leaves(t, c, width);
  }
  try {
    return in_order(std::move(tree));
  } catch (Error& e) {
    throw e.within(t.place(""));
  }
}

}  // namespace onward
