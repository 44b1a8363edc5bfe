// Every layout of a forest gives the bits of the plainest walk there is: one row, one node after the other, by the model's own words.
#include "onward/ops/forest.h"

#include <gtest/gtest.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include "onward/ops/operator.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

template <class T> class Reference {
 public:
  explicit Reference(PlainForest<T> f) : f_(std::move(f)) {}

  std::vector<T> run(const std::vector<T>& x, int64_t width, bool average) const {
    const auto n = int64_t(x.size()) / width;
    std::vector<T> scores(size_t(n * f_.targets), T(0));
    for (int64_t r = 0; r < n; ++r) {
      T* own = scores.data() + r * f_.targets;
      for (int32_t at : f_.roots) {
        while (at >= 0) at = passes(size_t(at), x[size_t(r * width + f_.feature[size_t(at)])]) ? f_.yes[size_t(at)] : f_.no[size_t(at)];
        for (int32_t i = f_.leaf_begin[size_t(~at)]; i < f_.leaf_begin[size_t(~at) + 1]; ++i) own[f_.target[size_t(i)]] += f_.weight[size_t(i)];
      }
      if (average) for (int64_t k = 0; k < f_.targets; ++k) own[k] /= T(f_.roots.size());
    }
    return scores;
  }

 private:
  bool passes(size_t i, T x) const {
    if (x != x && f_.missing_yes[i]) return true;
    const T s = f_.split[i];
    switch (f_.mode[i]) {
      case Branch::leq: return x <= s;
      case Branch::lt: return x < s;
      case Branch::gte: return x >= s;
      case Branch::gt: return x > s;
      case Branch::eq: return x == s;
      case Branch::neq: return x != s;
      case Branch::member: return std::count(f_.sets[size_t(s)].begin(), f_.sets[size_t(s)].end(), x) > 0;
    }
    return false;
  }
  PlainForest<T> f_;
};

struct Shape {
  const char* name;
  int trees = 20, leaves = 31, features = 7, values = 40;  // so many different thresholds
  int64_t targets = 1;
  bool modes = false, sets = false, missing = false, symmetric = false, copies = false, dense = false, even = false, sparse = false, twice = false;
  bool all_bits = false;                                   // of a threshold's mantissa are in use
};

template <class T> class Maker {
 public:
  explicit Maker(const Shape& s) : s_(s) {
    f_.targets = s.targets;
    for (int t = 0; t < s.trees; ++t) s.copies ? copies() : tree(t);
  }
  PlainForest<T> forest() const { return f_; }

  // Values on thresholds, beside them, missing and infinite ones.
  std::vector<T> rows(int64_t n) {
    std::vector<T> x(size_t(n * s_.features));
    for (T& v : x) {
      v = value();
      switch (random() % 12) {
        case 0: v = std::numeric_limits<T>::quiet_NaN(); break;
        case 1: v = std::numeric_limits<T>::infinity() * (random() % 2 ? 1 : -1); break;
        case 2: v = std::nextafter(v, T(100)); break;
        case 3: v = std::nextafter(v, T(-100)); break;
        case 4: v = -v; break;
        default: break;
      }
    }
    return x;
  }

 private:
  uint32_t random() { return uint32_t(engine_()); }
  T value() { return s_.sets ? T(int(random() % uint32_t(s_.values)) - 2) : T(int(random() % uint32_t(s_.values)) - s_.values / 2) / T(s_.all_bits ? 7 : 8); }
  T weight() { return T(int(random() % 2001) - 1000) / T(997); }

  int32_t node() {
    f_.feature.push_back(int32_t(random() % uint32_t(s_.features)));
    f_.split.push_back(value()), f_.mode.push_back(s_.modes ? Branch(random() % 6) : Branch::leq), f_.missing_yes.push_back(s_.missing && random() % 2);
    f_.yes.push_back(0), f_.no.push_back(0);
    if (random() % 50 == 0 && s_.modes) f_.split.back() = std::numeric_limits<T>::infinity() * (random() % 2 ? 1 : -1);
    if (random() % 50 == 0 && s_.modes) f_.split.back() = std::numeric_limits<T>::quiet_NaN();
    if (s_.sets && random() % 2) {
      std::vector<T> set(random() % 6);
      for (T& m : set) m = random() % 9 ? value() : value() + T(0.5);
      f_.mode.back() = Branch::member, f_.split.back() = T(f_.add_set(std::move(set)));
    }
    return int32_t(f_.feature.size()) - 1;
  }
  int32_t leaf(int64_t target) {
    if (s_.dense) for (int64_t k = 0; k < s_.targets; ++k) f_.target.push_back(int32_t(k)), f_.weight.push_back(weight());
    else f_.target.push_back(int32_t(target)), f_.weight.push_back(weight());
    if (s_.sparse) f_.target.back() = int32_t(random() % uint32_t(s_.targets));
    if (s_.twice && random() % 2) f_.target.push_back(f_.target.back()), f_.weight.push_back(weight());
    f_.leaf_begin.push_back(int32_t(f_.weight.size()));
    return ~(int32_t(f_.leaves()) - 1);
  }
  void tree(int t) {
    const int64_t target = t % s_.targets;
    if (s_.leaves == 1 || t == 3) return f_.roots.push_back(leaf(target));
    std::vector<int32_t> open{node()};                     // nodes without children yet
    f_.roots.push_back(open[0]);
    int leaves = 1;
    while (!open.empty()) {
      const size_t pick = s_.symmetric || s_.even ? 0 : random() % open.size();
      const int32_t at = open[pick];
      if (s_.symmetric || s_.even) open.erase(open.begin());
      else open[pick] = open.back(), open.pop_back();
      for (int side = 0; side < 2; ++side) {
        const bool inner = s_.symmetric ? int(f_.nodes()) - f_.roots.back() < s_.leaves - 1 : leaves + int(open.size()) < s_.leaves - 1 && random() % (s_.even ? 64 : 4);
        const int32_t child = inner ? node() : leaf(target);
        if (inner) open.push_back(child);
        else ++leaves;
        (side ? f_.no : f_.yes)[size_t(at)] = child;
      }
    }
    if (s_.symmetric) same_tests_in_levels(size_t(f_.roots.back()));
  }
  void same_tests_in_levels(size_t root) {                 // breadth first: node i's children are 2i + 1 and 2i + 2
    for (size_t i = 1; root + i < f_.nodes(); ++i) {
      const size_t level_begin = root + std::bit_floor(i + 1) - 1;
      f_.feature[root + i] = f_.feature[level_begin], f_.split[root + i] = f_.split[level_begin];
      f_.mode[root + i] = f_.mode[level_begin], f_.missing_yes[root + i] = f_.missing_yes[level_begin];
    }
  }
  // A tree of leaves with several numbers as TreeEnsemble writes it: the j-th copy has the j-th numbers, and the branches that lead to them.
  void copies() {
    const int32_t a = node(), b = node(), l = leaf(0), m = leaf(1), n = leaf(2);
    f_.roots.push_back(a), f_.yes[size_t(a)] = b, f_.no[size_t(a)] = l, f_.yes[size_t(b)] = m, f_.no[size_t(b)] = n;
    const int32_t c = node(), p = leaf(2), nothing = leaf(0);
    f_.weight.back() = 0;
    f_.feature[size_t(c)] = f_.feature[size_t(a)], f_.split[size_t(c)] = f_.split[size_t(a)], f_.missing_yes[size_t(c)] = f_.missing_yes[size_t(a)];
    f_.roots.push_back(c), f_.yes[size_t(c)] = nothing, f_.no[size_t(c)] = p;
  }

  Shape s_;
  PlainForest<T> f_;
  std::mt19937 engine_{42};
};

constexpr Shape shapes[] = {
    {.name = "gradient boosting"},
    {.name = "every test", .modes = true, .missing = true},
    {.name = "categories", .sets = true, .missing = true},
    {.name = "many categories", .leaves = 60, .values = 300, .sets = true, .missing = true},
    {.name = "more than 64 leaves", .leaves = 200, .values = 5000, .missing = true},
    {.name = "more thresholds than a byte counts", .trees = 60, .leaves = 64, .features = 2, .values = 3000},
    {.name = "large trees", .trees = 4, .leaves = 3000, .features = 3, .values = 100000},
    {.name = "thresholds of all bits", .trees = 4, .leaves = 3000, .features = 2, .values = 100000, .missing = true, .all_bits = true},
    {.name = "trees larger than two bytes can number", .trees = 1, .leaves = 66000, .features = 3, .values = 1000000},
    {.name = "symmetric", .leaves = 64, .missing = true, .symmetric = true},
    {.name = "symmetric with every test", .leaves = 16, .modes = true, .missing = true, .symmetric = true},
    {.name = "nearly full", .leaves = 100, .values = 900, .missing = true, .even = true},
    {.name = "nearly full and large", .trees = 15, .leaves = 250, .features = 3, .values = 5000, .targets = 3, .missing = true, .dense = true, .even = true},
    {.name = "nearly full with several targets", .trees = 330, .leaves = 70, .values = 5000, .targets = 2, .missing = true, .even = true},
    {.name = "a tree for each class", .trees = 21, .targets = 3, .missing = true},
    {.name = "leaves with several numbers", .targets = 3, .missing = true, .dense = true},
    {.name = "many targets", .trees = 60, .targets = 300},
    {.name = "leaves with one of several targets", .targets = 9, .missing = true, .sparse = true},
    {.name = "leaves that add twice to a target", .targets = 2, .sparse = true, .twice = true},
    {.name = "leaves that add twice to the only target", .leaves = 12, .twice = true},
    {.name = "copies", .trees = 30, .targets = 3, .copies = true},
    {.name = "leaves only", .trees = 3, .leaves = 1},
    {.name = "stumps", .trees = 200, .leaves = 2, .modes = true},
};

class ForestLayouts : public testing::TestWithParam<Shape> {};

// ONWARD_FOREST_ROWS: how many rows a layout is tried on, where somebody wants to know more.
int64_t most_rows() {
  const char* wanted = std::getenv("ONWARD_FOREST_ROWS");
  return wanted ? std::atoll(wanted) : 1000;
}

template <class T> void same_bits(const Shape& shape, ForestLayout layout, simd::Target target) {
  Maker<T> make(shape);
  simd::limit(target);
  for (const bool average : {false, true}) {
    const Reference<T> reference(make.forest());
    const Forest<T> forest(make.forest(), average ? Aggregate::average : Aggregate::sum, true, layout);
    for (const int64_t n : {int64_t(1), int64_t(3), int64_t(16), int64_t(64), int64_t(193), most_rows()}) {
      const std::vector<T> x = make.rows(n), expected = reference.run(x, shape.features, average);
      std::vector<T> scores(expected.size(), T(7));
      forest.run({.threads = n > 500 ? 2 : 1}, x.data(), n, shape.features, scores.data());
      ASSERT_EQ(std::memcmp(scores.data(), expected.data(), scores.size() * sizeof(T)), 0) << shape.name << ", layout " << int(layout) << ", " << n << " rows, target " << int(target);
    }
  }
  simd::limit(simd::Target::count);
}

TEST_P(ForestLayouts, GiveTheBitsOfAPlainWalk) {
  for (const ForestLayout layout : {ForestLayout::automatic, ForestLayout::splits, ForestLayout::blocks, ForestLayout::masks, ForestLayout::bits, ForestLayout::heaps})
    for (const simd::Target target : {simd::Target::baseline, simd::Target::avx2, simd::Target::avx512})
      if (GetParam().leaves < 10000 || target == simd::Target::avx512)   // only walks are for such trees
        same_bits<float>(GetParam(), layout, target), same_bits<double>(GetParam(), layout, target);
}

INSTANTIATE_TEST_SUITE_P(Shapes, ForestLayouts, testing::ValuesIn(shapes), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

PlainForest<double> in_double(const PlainForest<float>& f) {
  PlainForest<double> out{{f.split.begin(), f.split.end()}, f.feature, f.yes, f.no, f.mode, f.missing_yes, f.roots, {}, f.leaf_begin, f.target, {f.weight.begin(), f.weight.end()}, f.targets};
  for (const auto& set : f.sets) out.sets.emplace_back(set.begin(), set.end());
  return out;
}

// What lies between two floats is above one and below the other, whether the tests say < or <=.
TEST_P(ForestLayouts, OfFloatsServeDoubles) {
  for (const bool strict : {false, true}) {
    PlainForest<float> trees = Maker<float>(GetParam()).forest();
    for (size_t i = 0; i < trees.nodes(); ++i)
      if (trees.mode[i] < Branch::eq) trees.mode[i] = strict ? (i % 3 ? Branch::lt : Branch::gte) : i % 3 ? Branch::leq : Branch::gt;
    const Forest<float> floats(PlainForest<float>(trees), Aggregate::sum, true, ForestLayout::blocks);
    if (!floats.serves_doubles()) continue;
    const Forest<double> doubles(floats, strict);
    const Reference<double> reference(in_double(trees));
    Maker<double> make(GetParam());
    for (const int64_t n : {int64_t(1), int64_t(193)}) {
      std::vector<double> x = make.rows(n);
      std::mt19937 random(7);
      for (double& v : x) if (random() % 2) v = trees.nodes() ? double(trees.split[random() % trees.nodes()]) : 0;
      for (double& v : x) if (random() % 2) v = std::nextafter(v, random() % 2 ? 1e300 : -1e300);
      const std::vector<double> expected = reference.run(x, GetParam().features, false);
      std::vector<double> scores(expected.size());
      doubles.run({}, x.data(), n, GetParam().features, scores.data());
      ASSERT_EQ(std::memcmp(scores.data(), expected.data(), scores.size() * sizeof(double)), 0) << GetParam().name << (strict ? ", <" : ", <=");
    }
  }
}

TEST(Forest, MarksTheTargetsThatALeafAddedTo) {
  PlainForest<float> f;
  f.targets = 3;
  f.split = {0}, f.feature = {0}, f.yes = {~0}, f.no = {~1}, f.mode = {Branch::leq}, f.missing_yes = {0}, f.roots = {0};
  f.leaf_begin = {0, 1, 3}, f.target = {0, 1, 2}, f.weight = {1, 0, 2};
  const Forest<float> forest(PlainForest<float>(f), Aggregate::sum, true);
  const float x[] = {-1, 1};
  float scores[6];
  bool seen[6];
  forest.run({}, x, 2, 1, scores, seen);
  EXPECT_EQ(std::vector<bool>(seen, seen + 6), (std::vector<bool>{true, false, false, false, true, true}));
  EXPECT_EQ(std::vector<float>(scores, scores + 6), (std::vector<float>{1, 0, 0, 0, 0, 2}));
}

TEST(Forest, SmallestAndLargestOfTheLeaves) {
  Maker<double> make({.name = "", .trees = 9});
  const std::vector<double> x = make.rows(50);
  for (const Aggregate how : {Aggregate::smallest, Aggregate::largest}) {
    std::vector<double> scores(50), expected(50);
    Forest<double>(make.forest(), how).run({}, x.data(), 50, 7, scores.data());
    for (size_t t = 0; t < 9; ++t) {
      PlainForest<double> one = make.forest();
      one.roots = {one.roots[t]};
      const auto own = Reference<double>(one).run(x, 7, false);
      for (size_t r = 0; r < 50; ++r) expected[r] = t == 0 ? own[r] : how == Aggregate::smallest ? std::min(expected[r], own[r]) : std::max(expected[r], own[r]);
    }
    EXPECT_EQ(scores, expected);
  }
}

// What a forest answers for one row.
std::vector<float> answer(const PlainForest<float>& f, std::vector<float> x) {
  std::vector<float> scores(size_t(f.targets));
  Forest<float>(PlainForest<float>(f), Aggregate::sum).run({}, x.data(), 1, int64_t(x.size()), scores.data());
  return scores;
}

void add_node(PlainForest<float>& f, Branch mode, float split, int32_t yes, int32_t no) {
  f.feature.push_back(0), f.mode.push_back(mode), f.split.push_back(split), f.yes.push_back(yes), f.no.push_back(no), f.missing_yes.push_back(0);
}

int32_t add_leaf(PlainForest<float>& f, std::vector<int32_t> targets, float weight) {
  for (int32_t t : targets) f.target.push_back(t), f.weight.push_back(weight);
  f.leaf_begin.push_back(int32_t(f.weight.size()));
  return ~(int32_t(f.leaves()) - 1);
}

TEST(Forest, ThresholdsOfBothZerosAndOfTheSmallestNumbers) {
  const std::vector<float> splits{-0.0f, 0.0f, 1e-45f, -1e-45f, INFINITY, -INFINITY, 3e38f, -3e38f};
  PlainForest<float> f;
  add_leaf(f, {0}, 0);
  for (const float split : splits) {
    const int32_t passed = add_leaf(f, {0}, std::ldexp(1.0f, int(f.nodes())));
    f.roots.push_back(int32_t(f.nodes())), add_node(f, Branch::leq, split, passed, ~0);
  }
  for (const float x : {0.0f, -0.0f, 1e-45f, -1e-45f, 3e38f, -3e38f, INFINITY, -INFINITY, NAN}) {
    float expected = 0;
    for (size_t i = 0; i < splits.size(); ++i) expected += x <= splits[i] ? std::ldexp(1.0f, int(i)) : 0;
    for (const ForestLayout layout : {ForestLayout::splits, ForestLayout::blocks, ForestLayout::masks, ForestLayout::bits}) {
      float score = 7;
      Forest<float>(PlainForest<float>(f), Aggregate::sum, false, layout).run({}, &x, 1, 1, &score);
      EXPECT_EQ(score, expected) << x << ", layout " << int(layout);
    }
  }
}

TEST(Forest, ACopyIsNotFoldedIntoATreeThatIsThereTwice) {
  PlainForest<float> f;
  f.targets = 2;
  const int32_t a = add_leaf(f, {0}, 1), b = add_leaf(f, {0}, 2), c = add_leaf(f, {1}, 4), d = add_leaf(f, {1}, 8);
  add_node(f, Branch::leq, 0, a, b), add_node(f, Branch::leq, 0, c, d);
  f.roots = {0, 1, 0};
  EXPECT_EQ(answer(f, {1}), (std::vector<float>{4, 8}));
}

TEST(Forest, ACopyIsNotFoldedIntoBranchesThatAreShared) {
  PlainForest<float> f;
  f.targets = 2;
  const int32_t a = add_leaf(f, {0}, 1), b = add_leaf(f, {0}, 2), c = add_leaf(f, {1}, 4), d = add_leaf(f, {1}, 8), nothing = add_leaf(f, {1}, 0);
  add_node(f, Branch::leq, 0, 1, 1), add_node(f, Branch::leq, 5, a, b);         // whatever x is, node 1
  add_node(f, Branch::leq, 0, 3, nothing), add_node(f, Branch::leq, 5, c, d);   // node 3, a copy of it, only where x <= 0
  f.roots = {0, 2};
  EXPECT_EQ(answer(f, {1}), (std::vector<float>{1, 0}));
  EXPECT_EQ(answer(f, {-1}), (std::vector<float>{1, 4}));
}

TEST(Forest, TestsThatNoRowPassesTakeNoRoom) {
  PlainForest<float> f;
  add_leaf(f, {0}, 1), add_leaf(f, {0}, 2), add_leaf(f, {0}, 3);
  const int32_t depth = 60;
  for (int32_t i = 0; i < depth; ++i) add_node(f, Branch::lt, -INFINITY, ~0, i + 1);
  add_node(f, Branch::leq, 0, ~1, ~2);
  f.roots = {0};
  EXPECT_EQ(answer(f, {-INFINITY}), std::vector<float>{2});
  EXPECT_EQ(answer(f, {NAN}), std::vector<float>{3});
  f.no[depth - 1] = 0;
  EXPECT_THROW(answer(f, {0}), Error);
}

// Each of these took gigabytes: sets as wide as all members of all sets, leaves that grow with each copy, leaves laid out for each place.
TEST(Forest, LargeModelsTakeRoomAsTheyAreLarge) {
  PlainForest<float> chain;
  constexpr int32_t nodes = 200000;
  for (int32_t i = 0; i < nodes; ++i) add_node(chain, Branch::eq, float(i), add_leaf(chain, {0}, float(i)), i + 1);
  chain.no.back() = ~0, chain.roots = {0};
  EXPECT_EQ(answer(chain, {12345}), std::vector<float>{12345});

  PlainForest<float> copies;
  copies.targets = 50000;
  for (int32_t t = 0; t < 50000; ++t) copies.roots.push_back(add_leaf(copies, {t}, float(t)));
  EXPECT_EQ(answer(copies, {0})[49999], 49999);

  PlainForest<float> few_leaves;
  std::vector<int32_t> all(1 << 20);
  for (size_t t = 0; t < all.size(); ++t) all[t] = int32_t(t);
  few_leaves.targets = int64_t(all.size());
  add_leaf(few_leaves, all, 1), add_leaf(few_leaves, {5}, 3);
  for (int32_t i = 0; i < 20000; ++i) add_node(few_leaves, Branch::leq, float(-i), i + 1, ~1);
  few_leaves.yes.back() = ~0, few_leaves.roots = {0};
  EXPECT_EQ(answer(few_leaves, {1})[5], 3);
  for (int32_t& to : few_leaves.no) to = ~0;
  EXPECT_THROW(answer(few_leaves, {1}), Error);
}

#if defined(__GLIBC__)
// Fifteen bytes a node: nine to eleven of its own, and half of the nodes are a threshold and half are leaves, of four bytes each; and what
// finds a rank.
TEST(Forest, ALoadedForestOfFloatsKeepsNothingOfWhatTheModelSaid) {
  constexpr int64_t trees = 4, inner = (1 << 14) - 1, entries = 2 * inner + 1;
  std::vector<int64_t> tree, id, feature, yes, no, leaf_tree, leaf_id;
  std::vector<float> split;
  for (int64_t t = 0; t < trees; ++t)
    for (int64_t i = 0; i < entries; ++i) {
      tree.push_back(t), id.push_back(i), feature.push_back(i % 2), split.push_back(float(t * entries + i));
      yes.push_back(i < inner ? 2 * i + 1 : 0), no.push_back(i < inner ? 2 * i + 2 : 0);
      if (i >= inner) leaf_tree.push_back(t), leaf_id.push_back(i);
    }
  Node node{.domain = "ai.onnx.ml", .op = "TreeEnsembleRegressor"};
  auto& a = node.attributes;
  std::vector<std::string> modes;
  for (const int64_t y : yes) modes.push_back(y ? "BRANCH_LEQ" : "LEAF");
  a.emplace("nodes_modes", modes);
  a.emplace("target_ids", std::vector<int64_t>(leaf_id.size())), a.emplace("target_weights", std::vector<float>(leaf_id.size(), 1));
  a.emplace("target_treeids", leaf_tree), a.emplace("target_nodeids", leaf_id), a.emplace("n_targets", int64_t{1});
  a.emplace("nodes_treeids", tree), a.emplace("nodes_nodeids", id), a.emplace("nodes_featureids", feature), a.emplace("nodes_values", split);
  a.emplace("nodes_truenodeids", yes), a.emplace("nodes_falsenodeids", no);
  const auto in_use = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  const size_t before = in_use();
  const auto loaded = find_operator("ai.onnx.ml", "TreeEnsembleRegressor")->create({node, {}, {}});
  EXPECT_LT(double(in_use() - before) / double(trees * entries), 15);
}
#endif

TEST(Forest, RefusesNodesThatLeadBackAndChildrenThatDoNotExist) {
  PlainForest<float> f;
  f.split = {0}, f.feature = {0}, f.yes = {0}, f.no = {~0}, f.mode = {Branch::leq}, f.missing_yes = {0}, f.roots = {0};
  f.leaf_begin = {0, 1}, f.target = {0}, f.weight = {1};
  EXPECT_THROW(Forest<float>(PlainForest<float>(f), Aggregate::sum), Error);
  f.yes = {5};
  EXPECT_THROW(Forest<float>(PlainForest<float>(f), Aggregate::sum), Error);
  f.yes = {~7};
  EXPECT_THROW(Forest<float>(PlainForest<float>(f), Aggregate::sum), Error);
}

}  // namespace
}  // namespace onward
