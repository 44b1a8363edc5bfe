#include "onward/ops/forest.h"

#include <cmath>
#include <limits>

namespace onward {

// Lays out one tree after the other. Works without recursion: trees may be as deep as they have nodes.
template <class T> class Forest<T>::Packer {
 public:
  Packer(const PlainForest<T>& from, Forest& to) : from_(from), to_(to), nodes_left_(16 * from.nodes.size() + 16 * from.roots.size() + 1024) {}

  void tree(int64_t root) {
    Tree tree{place(1), 0, false};
    std::vector<Task> todo{{root, tree.root, 0}};
    while (!todo.empty()) {
      const Task task = todo.back();
      todo.pop_back();
      tree.depth = std::max(tree.depth, task.depth);
      if (task.from < 0) leaf(~task.from, task.at);
      else inner(task, tree, todo);
    }
    to_.trees_.push_back(tree);
  }

 private:
  struct Task {
    int64_t from;                        // in the plain forest
    int32_t at, depth;
  };

  int32_t place(size_t count) {
    if (count > nodes_left_) fail(Code::bad_model, "the trees share so many branches that they cannot be laid out");
    nodes_left_ -= count;
    const size_t at = to_.nodes_.size();
    if (at + count > size_t(INT32_MAX)) fail(Code::limit_size, "more than 2^31 tree nodes");
    to_.nodes_.resize(at + count);
    to_.leaves_.resize(at + count);
    return int32_t(at);
  }

  void leaf(int64_t index, int32_t at) {
    if (index < 0 || index >= int64_t(from_.leaves.size())) fail(Code::bad_model, "a tree refers to leaf ", index, " of ", from_.leaves.size());
    auto& node = to_.nodes_[size_t(at)];
    node = {std::numeric_limits<T>::infinity(), nan_first, at};
    const auto& addends = from_.leaves[size_t(index)];
    to_.leaves_[size_t(at)] = {int32_t(to_.weights_.size()), int32_t(addends.size())};
    for (const auto& a : addends) {
      if (a.target < 0 || a.target >= from_.targets) fail(Code::bad_model, "leaf ", index, " adds to target ", a.target, " of ", from_.targets);
      to_.weights_.push_back(a.weight);
      to_.weight_targets_.push_back(int32_t(a.target));
    }
  }

  void inner(const Task& task, Tree& tree, std::vector<Task>& todo) {
    if (task.from >= int64_t(from_.nodes.size())) fail(Code::bad_model, "a tree refers to node ", task.from, " of ", from_.nodes.size());
    if (task.depth > int64_t(from_.nodes.size())) fail(Code::bad_model, "tree node ", task.from, " leads back to itself");
    const auto& node = from_.nodes[size_t(task.from)];
    if (node.feature < 0 || node.feature > feature_mask) fail(Code::bad_model, "tree node ", task.from, " tests feature ", node.feature);
    to_.features_ = std::max(to_.features_, node.feature + 1);
    const int32_t child = place(2);
    bool swap = node.mode == Branch::gte || node.mode == Branch::gt || node.mode == Branch::neq;
    const bool set = node.mode == Branch::eq || node.mode == Branch::neq || node.mode == Branch::member;
    // x < s is x <= the number before s; nothing is below -inf, and nothing compares with NaN.
    const bool strict = node.mode == Branch::lt || node.mode == Branch::gte;
    T split = strict ? (node.split == -std::numeric_limits<T>::infinity() ? std::numeric_limits<T>::quiet_NaN() : std::nextafter(node.split, -std::numeric_limits<T>::infinity())) : node.split;
    // Comparing with NaN is false before any swap: the branch of "no".
    if (!set && node.split != node.split) split = std::numeric_limits<T>::quiet_NaN(), swap = false;
    const bool nan_yes = node.missing_yes || node.mode == Branch::neq;   // NaN differs from every number
    uint32_t feature = uint32_t(node.feature) | (nan_yes != swap ? nan_first : 0);
    if (set) {
      tree.has_sets = true;
      feature |= is_set;
      split = T(add_set(node.mode == Branch::member ? node.set : std::vector<T>{node.split}));
    }
    to_.nodes_[size_t(task.at)] = {split, feature, child};
    const int64_t first = swap ? node.no : node.yes, second = swap ? node.yes : node.no;
    todo.push_back({second, child + 1, task.depth + 1});
    todo.push_back({first, child, task.depth + 1});
  }

  int64_t add_set(const std::vector<T>& members) {
    constexpr T most = 1 << 16;
    Set& set = to_.sets_.emplace_back();
    for (T m : members) {
      if (m != m) continue;
      if (m < 0 || m >= most || m != std::floor(m)) { set.others.push_back(m); continue; }
      const auto bit = size_t(m);
      if (set.bits.size() <= bit / 64) set.bits.resize(bit / 64 + 1);
      set.bits[bit / 64] |= uint64_t{1} << (bit % 64);
    }
    std::sort(set.others.begin(), set.others.end());
    if (to_.sets_.size() > (1u << 24)) fail(Code::limit_size, "more than 2^24 tree nodes test sets");
    return int64_t(to_.sets_.size()) - 1;
  }

  const PlainForest<T>& from_;
  Forest& to_;
  size_t nodes_left_;
};

template <class T> bool Forest<T>::Set::contains(T x) const {
  const T limit = T(64 * bits.size());
  if (x >= 0 && x < limit) {
    const auto bit = size_t(x);
    if (T(bit) == x) return bits[bit / 64] >> (bit % 64) & 1;
  }
  return x == x && std::binary_search(others.begin(), others.end(), x);   // a search compares, and NaN is below nothing
}

template <class T> Forest<T>::Forest(const PlainForest<T>& from) : targets_(from.targets) {
  Packer packer(from, *this);
  nodes_.reserve(2 * from.nodes.size() + from.roots.size());
  leaves_.reserve(nodes_.capacity());
  for (int64_t root : from.roots) packer.tree(root);
  for (const Tree& tree : trees_) cost_ += 1.0 + 0.5 * std::min(tree.depth, 24);
}

// `count` walks side by side; each goes from its root through `depth` tests of its row.
template <class T> template <bool sets> void Forest<T>::walk(const int32_t* roots, const T* const* rows, int count, int32_t depth, int32_t* at) const {
  const Node* nodes = nodes_.data();
  const auto step = [&](int32_t from, const T* row) {
    const Node& node = nodes[from];
    const T x = row[node.feature & feature_mask];
    bool first = x <= node.split;
    if constexpr (sets) if (node.feature & is_set) first = sets_[size_t(node.split)].contains(x);
    first |= (x != x) & bool(node.feature >> 31);
    return node.child + !first;
  };
  const auto is_leaf = [&](int32_t from) { return nodes[from].child == from; };
  std::copy_n(roots, count, at);
  if (count == lanes) {
    for (int32_t level = 0; level < depth; ++level) {
      for (int r = 0; r < lanes; ++r) at[r] = step(at[r], rows[r]);
      if (level % 4 == 3 && std::all_of(at, at + lanes, is_leaf)) return;
    }
    return;
  }
  for (int r = 0; r < count; ++r)
    for (int32_t level = 0; level < depth && !is_leaf(at[r]); ++level) at[r] = step(at[r], rows[r]);
}

template <class T> void Forest<T>::walk_rows(const Tree& tree, const T* const* rows, int count, int32_t* at) const {
  int32_t roots[lanes];
  std::fill_n(roots, lanes, tree.root);
  for (int begin = 0; begin < count; begin += lanes) {
    const int n = std::min(lanes, count - begin);
    tree.has_sets ? walk<true>(roots, rows + begin, n, tree.depth, at + begin) : walk<false>(roots, rows + begin, n, tree.depth, at + begin);
  }
}

template <class T> void Forest<T>::add(int32_t node, Aggregate aggregate, T* scores, bool* seen) const {
  const LeafRange leaf = leaves_[size_t(node)];
  for (int32_t i = leaf.first; i < leaf.first + leaf.count; ++i) {
    T& score = scores[weight_targets_[size_t(i)]];
    const T weight = weights_[size_t(i)];
    bool& before = seen[weight_targets_[size_t(i)]];
    if (aggregate == Aggregate::smallest) score = before ? std::min(score, weight) : weight;
    else if (aggregate == Aggregate::largest) score = before ? std::max(score, weight) : weight;
    else score += weight;
    before = true;
  }
}

template <class T> void Forest<T>::run_block(const T* x, int64_t n, int64_t width, Aggregate aggregate, T* scores, bool* seen) const {
  constexpr int64_t block = 128;
  static constexpr T nothing[1] = {};
  const T* rows[block];
  int32_t at[block];
  const bool plain = aggregate == Aggregate::sum || aggregate == Aggregate::average;
  for (int64_t begin = 0; begin < n; begin += block) {
    const int count = int(std::min(block, n - begin));
    for (int r = 0; r < count; ++r) rows[r] = width ? x + (begin + r) * width : nothing;
    for (const Tree& tree : trees_) {
      walk_rows(tree, rows, count, at);
      for (int r = 0; r < count; ++r) {
        const LeafRange leaf = leaves_[size_t(at[r])];
        T* row_scores = scores + (begin + r) * targets_;
        if (plain && leaf.count == 1) {                   // by far the most common
          const auto target = size_t(weight_targets_[size_t(leaf.first)]);
          row_scores[target] += weights_[size_t(leaf.first)];
          seen[(begin + r) * targets_ + int64_t(target)] = true;
        } else {
          add(at[r], aggregate, row_scores, seen + (begin + r) * targets_);
        }
      }
    }
  }
}

// One row: several trees at a time, their leaves added in order.
template <class T> void Forest<T>::run_row(const T* x, Aggregate aggregate, T* scores, bool* seen) const {
  static constexpr T nothing[1] = {};
  const T* rows[lanes];
  std::fill_n(rows, lanes, features_ ? x : nothing);
  for (size_t begin = 0; begin < trees_.size(); begin += lanes) {
    const int count = int(std::min<size_t>(lanes, trees_.size() - begin));
    int32_t roots[lanes], at[lanes], depth = 0;
    bool sets = false;
    for (int i = 0; i < count; ++i) {
      const Tree& tree = trees_[begin + size_t(i)];
      roots[i] = tree.root, depth = std::max(depth, tree.depth), sets |= tree.has_sets;
    }
    sets ? walk<true>(roots, rows, count, depth, at) : walk<false>(roots, rows, count, depth, at);
    for (int i = 0; i < count; ++i) add(at[i], aggregate, scores, seen);
  }
}

template <class T>
void Forest<T>::run(const RunContext& context, const T* x, int64_t n, int64_t width, Aggregate aggregate, T* scores, bool* seen) const {
  if (width < features_) invalid("the trees test ", features_, " features, the input has ", width);
  const std::unique_ptr<bool[]> own(seen ? nullptr : new bool[size_t(n * targets_)]);
  if (!seen) seen = own.get();
  std::fill_n(scores, n * targets_, T(0));
  std::fill_n(seen, n * targets_, false);
  context.parallel(n, cost_, [&](int64_t begin, int64_t end) {
    context.check();
    if (end - begin < lanes / 2) for (int64_t r = begin; r < end; ++r) run_row(x + r * width, aggregate, scores + r * targets_, seen + r * targets_);
    else run_block(x + begin * width, end - begin, width, aggregate, scores + begin * targets_, seen + begin * targets_);
  });
  if (aggregate == Aggregate::average && !trees_.empty()) for (int64_t i = 0; i < n * targets_; ++i) scores[i] /= T(trees_.size());
}

template class Forest<float>;
template class Forest<double>;

}  // namespace onward
