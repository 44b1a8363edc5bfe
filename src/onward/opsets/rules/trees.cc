// TreeEnsemble of ai.onnx.ml 5 before 5, and what its older forms lack before 3.
//
// The older ensembles answer in float32. A float64 ensemble therefore only finds the leaf of each tree, whose number is exact, and the
// leaves' values are looked up and added in float64, in the order of the trees.
#include <cmath>
#include <tuple>

#include "onward/opsets/lowering.h"

namespace onward {
namespace {

constexpr std::string_view modes[] = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"};
enum Mode : uint8_t { leq, lt, gte, gt, eq, neq, member };

// The attributes of TreeEnsemble 5.
struct Given {
  std::vector<int64_t> roots, feature, yes, no, yes_leaf, no_leaf, missing, target;
  std::vector<uint8_t> mode;
  std::vector<double> split, weight, members;
  int64_t targets = 1, aggregate = 1, post_transform = 0;
};

std::vector<double> numbers(const Node& node, std::string_view name) {
  const auto it = node.attributes.find(name);
  const auto* t = it == node.attributes.end() ? nullptr : std::get_if<Tensor>(&it->second);
  std::vector<double> out;
  if (t) for_type<f16 | f32 | f64>(t->type(), [&]<class T>() { for (const T& v : t->values<T>()) out.push_back(double(compute_t<T>(v))); });
  return out;
}

Given given(const Node& node) {
  Given g;
  const auto read = [&](const char* name, auto& into) { node.attributes.read(name, into); };
  read("tree_roots", g.roots), read("nodes_featureids", g.feature), read("nodes_truenodeids", g.yes), read("nodes_falsenodeids", g.no), read("nodes_trueleafs", g.yes_leaf);
  read("nodes_falseleafs", g.no_leaf), read("nodes_missing_value_tracks_true", g.missing), read("leaf_targetids", g.target), read("n_targets", g.targets);
  read("aggregate_function", g.aggregate), read("post_transform", g.post_transform);
  if (const auto it = node.attributes.find("nodes_modes"); it != node.attributes.end())
    if (auto* t = std::get_if<Tensor>(&it->second); t && t->type() == DataType::u8) g.mode.assign(t->data<uint8_t>(), t->data<uint8_t>() + t->size());
  g.split = numbers(node, "nodes_splits"), g.weight = numbers(node, "leaf_weights"), g.members = numbers(node, "membership_values");
  const size_t n = g.feature.size();
  for (size_t size : {g.yes.size(), g.no.size(), g.yes_leaf.size(), g.no_leaf.size(), g.mode.size(), g.split.size(), g.missing.empty() ? n : g.missing.size()})
    if (size != n) fail(Code::bad_model, "its lists of nodes have ", size, " and ", n, " elements");
  if (g.target.size() != g.weight.size()) fail(Code::bad_model, "leaf_targetids has ", g.target.size(), " elements, leaf_weights ", g.weight.size());
  if (g.aggregate < 0 || g.aggregate > 3 || g.post_transform < 0 || g.post_transform > 4 || g.targets < 1) fail(Code::bad_model, "its aggregate_function, post_transform or n_targets is none of the standard's");
  for (int64_t target : g.target) if (target < 0 || target >= g.targets) fail(Code::bad_model, "a leaf adds to target ", target, " of ", g.targets);
  for (uint8_t mode : g.mode) if (mode > member) fail(Code::bad_model, "nodes_modes has ", int(mode), ", expected 0 to 6");
  return g;
}

// Sets become features of their own, before the others: 1 where the value is in the set.
constexpr int64_t most_tests = 1 << 14;

struct Sets {
  std::vector<int64_t> feature;                           // of every (feature, value) that is compared
  std::vector<double> value;
  std::vector<std::pair<int64_t, int64_t>> belongs;       // (place of the comparison, number of the set)
  std::vector<int64_t> number_of;                         // node -> its set; -1: it has none
  std::vector<int64_t> missing_feature;                   // of every set that takes missing values: its feature; else -1
  int64_t count = 0;
  // Before ai.onnx.ml 3 float64 values are compared outside the trees, each (feature, threshold) once, and the trees ask for the result.
  std::vector<int64_t> tested_feature, tested_missing, test_of;   // test_of: node -> its test; -1: it has none
  std::vector<double> threshold;
  int64_t columns() const { return count + int64_t(threshold.size()); }
};

// Only where all nodes are of the usual kind and the tests are few enough to be columns.
bool add_tests(const Given& g, Sets& out) {
  std::map<std::tuple<int64_t, double, int64_t>, int64_t> places;
  out.test_of.assign(g.feature.size(), -1);
  for (size_t i = 0; i < g.mode.size(); ++i) {
    if (g.mode[i] == member) continue;
    if (g.mode[i] != leq || std::isnan(g.split[i])) return false;
    const int64_t missing = g.missing.empty() ? 0 : g.missing[i];
    const auto [it, is_new] = places.try_emplace({g.feature[i], g.split[i], missing}, int64_t(out.threshold.size()));
    if (is_new) out.tested_feature.push_back(g.feature[i]), out.threshold.push_back(g.split[i]), out.tested_missing.push_back(missing);
    out.test_of[i] = it->second;
  }
  return int64_t(out.threshold.size()) <= most_tests;
}

Sets sets_of(const Given& g) {
  Sets out;
  out.number_of.assign(g.feature.size(), -1);
  std::map<std::pair<int64_t, double>, int64_t> places;
  size_t next = 0;
  for (size_t i = 0; i < g.mode.size(); ++i) {
    if (g.mode[i] != member) continue;
    out.number_of[i] = out.count++;
    out.missing_feature.push_back(!g.missing.empty() && g.missing[i] ? g.feature[i] : -1);
    if (next > g.members.size()) fail(Code::bad_model, "membership_values has fewer sets than there are MEMBER nodes");
    for (; next < g.members.size() && !std::isnan(g.members[next]); ++next) {
      const auto [it, is_new] = places.try_emplace({g.feature[i], g.members[next]}, int64_t(out.feature.size()));
      if (is_new) out.feature.push_back(g.feature[i]), out.value.push_back(g.members[next]);
      out.belongs.emplace_back(it->second, out.number_of[i]);
    }
    ++next;
  }
  return out;
}

// The columns of the older forms.
struct Trees {
  std::vector<int64_t> tree, node, feature, yes, no, missing, target_tree, target_node, target;
  std::vector<std::string> mode;
  std::vector<double> split, weight;
  std::vector<int64_t> first_leaf = {0};                  // of each tree, among `leaves`
  std::vector<int64_t> leaves;                            // the given leaves, tree by tree
};

// The nearest float32 that decides alike for every float32 value.
float rounded_split(double split, std::string_view mode) {
  const auto near = float(split);
  if (double(near) == split || std::isnan(split)) return near;
  if (mode == "BRANCH_EQ" || mode == "BRANCH_NEQ") return NAN;          // no float32 is equal to it
  const bool down = mode == "BRANCH_LEQ" || mode == "BRANCH_GT";
  if (down) return double(near) > split ? std::nextafter(near, -INFINITY) : near;
  return double(near) < split ? std::nextafter(near, INFINITY) : near;
}

void add_leaf(const Given& g, Trees& out, int64_t tree, int64_t node, int64_t leaf) {
  if (leaf < 0 || size_t(leaf) >= g.weight.size()) fail(Code::bad_model, "leaf ", leaf, " of ", g.weight.size(), " is named");
  out.tree.push_back(tree), out.node.push_back(node), out.feature.push_back(0), out.yes.push_back(0), out.no.push_back(0), out.missing.push_back(0);
  out.mode.push_back("LEAF"), out.split.push_back(0);
  out.target_tree.push_back(tree), out.target_node.push_back(node), out.leaves.push_back(leaf);
}

// One tree, its nodes numbered in the order in which they are met.
void add_tree(const Given& g, const Sets& sets, Trees& out, int64_t root, int64_t tree) {
  std::vector<std::pair<int64_t, bool>> waiting = {{root, false}};      // given node or leaf
  const auto at = [&](int64_t i) {
    if (i < 0 || size_t(i) >= g.feature.size()) fail(Code::bad_model, "node ", i, " of ", g.feature.size(), " is named");
    return size_t(i);
  };
  const size_t r = at(root);
  if (g.yes_leaf[r] && g.no_leaf[r] && g.yes[r] == g.no[r]) waiting = {{g.yes[r], true}};
  for (size_t k = 0; k < waiting.size(); ++k) {
    const auto [i, is_leaf] = waiting[k];
    if (is_leaf) { add_leaf(g, out, tree, int64_t(k), i); continue; }
    if (waiting.size() > 2 * g.feature.size() + 1) fail(Code::bad_model, "a node of the tree at ", root, " is reached twice");
    const size_t n = at(i);
    const int64_t set = sets.number_of[n] >= 0 || sets.test_of.empty() || sets.test_of[n] < 0 ? sets.number_of[n] : sets.count + sets.test_of[n];
    out.tree.push_back(tree), out.node.push_back(int64_t(k)), out.feature.push_back(set >= 0 ? set : sets.columns() + g.feature[n]);
    out.mode.push_back(std::string(set >= 0 ? modes[gt] : modes[g.mode[n]])), out.split.push_back(set >= 0 ? 0.5 : g.split[n]);
    out.missing.push_back(set >= 0 || g.missing.empty() ? 0 : g.missing[n]);
    out.yes.push_back(int64_t(waiting.size())), out.no.push_back(int64_t(waiting.size()) + 1);
    waiting.emplace_back(g.yes[n], g.yes_leaf[n] != 0), waiting.emplace_back(g.no[n], g.no_leaf[n] != 0);
  }
  out.first_leaf.push_back(int64_t(out.leaves.size()));
}

std::vector<float> as_floats(const std::vector<double>& v) { return {v.begin(), v.end()}; }

void put(Lowering& at, Trees trees, bool doubles, int64_t targets) {
  Attributes a;
  const bool tensors = at.opset("ai.onnx.ml") >= 3 && doubles;
  if (tensors) {
    a["nodes_values_as_tensor"] = Tensor::of({int64_t(trees.split.size())}, trees.split);
    a["target_weights_as_tensor"] = Tensor::of({int64_t(trees.weight.size())}, trees.weight);
  } else {
    std::vector<float> splits;
    for (size_t i = 0; i < trees.split.size(); ++i) splits.push_back(rounded_split(trees.split[i], trees.mode[i]));
    a["nodes_values"] = std::move(splits), a["target_weights"] = as_floats(trees.weight);
  }
  a["nodes_treeids"] = std::move(trees.tree), a["nodes_nodeids"] = std::move(trees.node), a["nodes_featureids"] = std::move(trees.feature);
  a["nodes_modes"] = std::move(trees.mode), a["nodes_truenodeids"] = std::move(trees.yes), a["nodes_falsenodeids"] = std::move(trees.no);
  if (std::any_of(trees.missing.begin(), trees.missing.end(), [](int64_t m) { return m != 0; })) a["nodes_missing_value_tracks_true"] = std::move(trees.missing);
  a["target_treeids"] = std::move(trees.target_tree), a["target_nodeids"] = std::move(trees.target_node), a["target_ids"] = std::move(trees.target);
  a["n_targets"] = targets;
  at.node.attributes = std::move(a);
}

// The comparisons of all sets at once: columns of 0 and 1 before those of the input.
std::string membership(Lowering& at, const Sets& sets, DataType type, Attributes& constants) {
  if (!sets.count) return "with_sets = Identity(x)\n";
  const auto pairs = int64_t(sets.feature.size());
  if (pairs * sets.count > (int64_t{1} << 26)) at.refuse(sets.count, " sets with ", pairs, " members are more than a matrix of comparisons holds");
  const auto typed = [&](const std::vector<double>& v, Dims dims) { return type == DataType::f64 ? Tensor::of(dims, v) : Tensor::of(dims, as_floats(v)); };
  std::vector<double> matrix(size_t(pairs * sets.count));
  for (const auto& [place, set] : sets.belongs) matrix[size_t(place * sets.count + set)] = 1;
  constants["set_features"] = Tensor::of({pairs}, sets.feature), constants["set_values"] = typed(sets.value, {1, pairs});
  constants["set_matrix"] = typed(matrix, {pairs, sets.count});
  const std::string to = type_number(type);
  std::string out = text("set_columns = Constant(; value=@set_features)\n set_members = Constant(; value=@set_values)\n belongs = Constant(; value=@set_matrix)\n",
                         "compared = Gather(x, set_columns; axis=1)\n same = Equal(compared, set_members)\n ones = Cast(same; to=", to, ")\n inside = MatMul(ones, belongs)\n");
  if (std::any_of(sets.missing_feature.begin(), sets.missing_feature.end(), [](int64_t f) { return f >= 0; })) {
    std::vector<int64_t> columns;
    std::vector<double> takes;
    for (int64_t f : sets.missing_feature) columns.push_back(std::max<int64_t>(f, 0)), takes.push_back(f >= 0);
    constants["missing_features"] = Tensor::of({sets.count}, columns), constants["missing_taken"] = typed(takes, {1, sets.count});
    out += text("missing_columns = Constant(; value=@missing_features)\n taken = Constant(; value=@missing_taken)\n seen = Gather(x, missing_columns; axis=1)\n nan = IsNaN(seen)\n",
                "gone = Cast(nan; to=", to, ")\n counted = Mul(gone, taken)\n sets = Add(inside, counted)\n");
  } else {
    out += "sets = Identity(inside)\n";
  }
  return out + "with_sets = Concat(sets, x; axis=1)\n";
}

// 1 where a value is at most its threshold, or missing where missing values go that way.
std::string tests_outside(const Sets& sets, Attributes& constants) {
  if (sets.threshold.empty()) return "tested = Cast(with_sets; to=1)\n";
  const auto n = int64_t(sets.threshold.size());
  constants["tested_features"] = Tensor::of({n}, sets.tested_feature), constants["thresholds"] = Tensor::of({1, n}, sets.threshold);
  Tensor missing(DataType::b8, {1, n});
  for (int64_t i = 0; i < n; ++i) missing.data<bool>()[i] = sets.tested_missing[size_t(i)] != 0;
  constants["thresholds_of_missing"] = missing;
  return text("tested_columns = Constant(; value=@tested_features)\n limits = Constant(; value=@thresholds)\n missing_passes = Constant(; value=@thresholds_of_missing)\n",
              "tested_values = Gather(x, tested_columns; axis=1)\n over = Greater(tested_values, limits)\n not_over = Not(over)\n no_number = IsNaN(tested_values)\n some_number = Not(no_number)\n",
              "at_most = And(not_over, some_number)\n missing_yes = And(no_number, missing_passes)\n passes = Or(at_most, missing_yes)\n",
              "answers = Cast(passes; to=1)\n", sets.count ? "sets32 = Cast(sets; to=1)\n tested = Concat(sets32, answers; axis=1)\n" : "tested = Identity(answers)\n");
}

// What each leaf adds to each target, tree by tree and in their order.
std::string sums_of_leaves(Lowering& at, const Given& g, const Trees& trees, Attributes& constants) {
  const auto leaves = int64_t(trees.leaves.size()), count = int64_t(g.roots.size());
  constants["first_leaves"] = Tensor::of({1, count}, std::vector<int64_t>(trees.first_leaf.begin(), trees.first_leaf.end() - 1));
  std::string out = "number = Cast(found; to=7)\n first = Constant(; value=@first_leaves)\n at = Add(number, first)\n", parts;
  const bool in_order = at.opset() >= 11;
  for (int64_t k = 0; k < g.targets; ++k) {
    std::vector<double> values(static_cast<size_t>(leaves));
    for (int64_t i = 0; i < leaves; ++i) {
      const auto leaf = size_t(trees.leaves[size_t(i)]);
      values[size_t(i)] = g.target[leaf] == k ? g.weight[leaf] : 0;
    }
    constants[text("values_", k)] = Tensor::of({leaves}, values);
    out += text("v_", k, " = Constant(; value=@values_", k, ")\n g_", k, " = Gather(v_", k, ", at)\n");
    if (in_order) out += text("c_", k, " = CumSum(g_", k, ", int64 1)\n s_", k, " = Gather(c_", k, ", int64 [", count - 1, "]; axis=1)\n");
    else out += text("s_", k, " = ReduceSum(g_", k, ", int64 [1])\n");
    parts += text(k ? ", s_" : "s_", k);
  }
  out += g.targets == 1 ? "sum = Identity(s_0)\n" : text("sum = Concat(", parts, "; axis=1)\n");
  return out + (g.aggregate == 0 ? text("Y = Div(sum, double ", count, ")") : "Y = Identity(sum)");
}

std::string tree_ensemble(Lowering& at) {
  constexpr std::string_view aggregates[] = {"AVERAGE", "SUM", "MIN", "MAX"}, transforms[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  const Given g = given(at.node);
  const DataType type = at.type(0);
  if (type == DataType::none) at.refuse("the type of its input is not known");
  const bool doubles = type == DataType::f64;
  Sets sets = sets_of(g);
  const bool narrow = doubles && at.opset("ai.onnx.ml") < 3, tests_are_exact = narrow && add_tests(g, sets);
  if (narrow && !tests_are_exact) sets.test_of.clear(), sets.threshold.clear();
  Trees trees;
  for (size_t t = 0; t < g.roots.size(); ++t) add_tree(g, sets, trees, g.roots[t], int64_t(t));
  if (doubles && g.aggregate > 1) at.refuse("the smallest or largest of float64 trees");
  if (doubles && g.post_transform) at.refuse("post_transform of float64 sums");
  if (narrow && !tests_are_exact) at.lost.push_back(text(shown(at.node), ": thresholds are float32, rounded so that the answer is the same for inputs that are float32 values; other float64 inputs may fall on the other side"));
  if (doubles && (!narrow || tests_are_exact))
    at.notes.insert(text("trees of float64 ", tests_are_exact ? "compare outside of TreeEnsembleRegressor, which finds a leaf in each, " : "find a leaf in each by TreeEnsembleRegressor, ",
                         "and add the leaves in float64 by other nodes: no answer changes, and the model is larger and slower than with ai.onnx.ml 5"));
  const size_t leaves = trees.leaves.size();
  for (size_t i = 0; i < leaves; ++i) {
    const auto tree = size_t(trees.target_tree[i]), leaf = size_t(trees.leaves[i]);
    trees.target.push_back(doubles ? trees.target_tree[i] : g.target[leaf]);
    trees.weight.push_back(doubles ? double(int64_t(i) - trees.first_leaf[tree]) : g.weight[leaf]);
  }
  Attributes constants;
  const DataType compared = doubles ? DataType::f64 : DataType::f32;
  std::string out = text("x = Cast(X; to=", type_number(compared), ")\n", membership(at, sets, compared, constants));
  if (narrow) out += tests_outside(sets, constants);
  else out += "tested = Identity(with_sets)\n";
  const std::string after = doubles ? sums_of_leaves(at, g, trees, constants) : text("Y = Cast(found; to=", type_number(type), ")");
  put(at, std::move(trees), doubles, doubles ? int64_t(g.roots.size()) : g.targets);
  if (!doubles) {
    at.node.attributes["aggregate_function"] = std::string(aggregates[g.aggregate]);
    at.node.attributes["post_transform"] = std::string(transforms[g.post_transform]);
  }
  std::string call = called(at.node, "tested");
  call.replace(0, 4, "ai.onnx.ml.TreeEnsembleRegressor");
  for (auto& [name, value] : constants) at.node.attributes[name] = std::move(value);
  return text(out, "found = ", call, "\n", after);
}

// Before 3 all numbers of the older forms are float32.
std::string float_ensemble(Lowering& at) {
  Attributes& a = at.node.attributes;
  const auto modes_given = at.attribute("nodes_modes", std::vector<std::string>());
  const std::string what = at.node.op == "TreeEnsembleRegressor" ? "target_weights" : "class_weights";
  bool rounded = false;
  for (const std::string& name : {std::string("nodes_values"), std::string("nodes_hitrates"), std::string("base_values"), what}) {
    const auto it = a.find(name + "_as_tensor");
    if (it == a.end()) continue;
    const std::vector<double> exact = numbers(at.node, name + "_as_tensor");
    a.erase(it);
    std::vector<float> floats = as_floats(exact);
    for (size_t i = 0; i < floats.size(); ++i) {
      rounded = rounded || (double(floats[i]) != exact[i] && !std::isnan(exact[i]));
      if (name == "nodes_values" && i < modes_given.size()) floats[i] = rounded_split(exact[i], modes_given[i]);
    }
    a[name] = std::move(floats);
  }
  if (rounded) at.lost.push_back(text(shown(at.node), ": thresholds and weights are float32; the branches are the same for inputs that are float32 values"));
  return "";
}

constexpr LoweringRule rules[] = {
    {"TreeEnsemble", 5, tree_ensemble, "ai.onnx.ml"}, {"TreeEnsembleRegressor", 3, float_ensemble, "ai.onnx.ml"}, {"TreeEnsembleClassifier", 3, float_ensemble, "ai.onnx.ml"},
};

}  // namespace

std::span<const LoweringRule> tree_rules() { return rules; }

}  // namespace onward
