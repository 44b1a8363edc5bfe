#include "onward/estimators/booster_inputs.h"

#include "onward/estimators/categories.h"

namespace onward {
namespace {

// (batch, 1): the place among the categories.
Expr code_of(const Frame& x, int64_t i, const CategoryList& c, Unknown unknown) {
  if (ColumnFacts* facts = x.origin(i); facts && !facts->categories) facts->unknown = unknown, facts->categories = c.values;
  const int64_t n = c.size();
  const Numbers codes = Numbers::of({n + 1, 1}, [&](int64_t k) { return k == n ? __builtin_nan("") : double(k); });
  return pick(codes, category_of(x, i, c));
}

bool is_in_order(const Tree& tree) {
  const auto n = int32_t(tree.nodes.size());
  for (int32_t i = 0; i < n; ++i) {
    const TreeNode& node = tree.nodes[size_t(i)];
    if (!node.is_leaf() && (node.yes <= i || node.no <= i || node.yes >= n || node.no >= n)) return false;
  }
  return n > 0;
}

}  // namespace

Expr with_codes(const Frame& x, const ColumnCategories& categories, Unknown unknown) {
  std::vector<Expr> parts;
  std::vector<int64_t> numeric;
  const auto flush = [&] {
    if (!numeric.empty()) parts.push_back(x.select(numeric).numbers());
    numeric.clear();
  };
  for (int64_t i = 0; i < x.size(); ++i) {
    if (size_t(i) >= categories.size() || !categories[size_t(i)]) {
      numeric.push_back(i);
      continue;
    }
    flush();
    parts.push_back(code_of(x, i, *categories[size_t(i)], unknown));
  }
  flush();
  return concat(parts);
}

Expr replaced_where(Expr x, const std::vector<bool>& which, const std::function<Expr(Expr)>& value) {
  if (std::find(which.begin(), which.end(), true) == which.end()) return x;
  const Array<bool> mask = Array<bool>::of({1, int64_t(which.size())}, [&](int64_t i) { return bool(which[size_t(i)]); });
  return where(Operand(x.graph->constant(mask)), value(x), x);
}

Tree in_order(Tree tree) {
  if (is_in_order(tree)) return tree;
  const size_t n = tree.nodes.size();
  if (n == 0) fail(Code::bad_file, "has no nodes");
  std::vector<int32_t> order{0}, place(n, -1);
  place[0] = 0;
  for (size_t at = 0; at < order.size(); ++at) {
    const TreeNode& node = tree.nodes[size_t(order[at])];
    if (node.is_leaf()) continue;
    for (int32_t child : {node.yes, node.no}) {
      if (child < 0 || size_t(child) >= n) fail(Code::bad_file, "node ", order[at], " has a child ", child, " of ", n);
      if (place[size_t(child)] >= 0) fail(Code::bad_file, "node ", child, " has two parents");
      place[size_t(child)] = int32_t(order.size());
      order.push_back(child);
    }
  }
  Tree out;
  out.target = tree.target;
  for (int32_t from : order) {
    TreeNode node = tree.nodes[size_t(from)];
    if (!node.is_leaf()) node.yes = place[size_t(node.yes)], node.no = place[size_t(node.no)];
    if (const auto set = tree.sets.find(from); set != tree.sets.end()) out.sets.emplace(place[size_t(from)], std::move(set->second));
    out.numbers.push_back(tree.numbers.empty() ? from : tree.numbers[size_t(from)]);
    out.nodes.push_back(node);
  }
  if (tree.values) {
    const int64_t width = tree.values.dim(1);
    out.values =
        Numbers::of({int64_t(order.size()), width}, [&](int64_t i) { return tree.values[order[size_t(i / width)] * width + i % width]; });
  }
  return out;
}

std::vector<std::string> real_names(std::vector<std::string> names, std::string_view made_up) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] != text(made_up, i)) return names;
  return {};
}

}  // namespace onward
