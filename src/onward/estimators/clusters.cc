// Clusters with centres: the nearest one, and the distance to each.
#include "onward/estimators/distance.h"

namespace onward {
namespace {

Numbers squared_lengths(const Numbers& rows_of) {
  return Numbers::of({rows_of.dim(0)}, [&](int64_t k) {
    double sum = 0;
    for (int64_t i = 0; i < rows_of.dim(1); ++i) sum += rows_of(k, i) * rows_of(k, i);
    return sum;
  });
}

// |x - c|² as the library has it, (batch, centres). |x|² is the same for all centres: k-means leaves it out for labels.
struct ToCenters {
  Expr products, squares;
  ToCenters(Expr x, const Numbers& centers) : products(-2.0 * matmul(x, centers.transposed())), squares(x.graph->constant(squared_lengths(centers))), x_(x) {}
  Expr without_own() const { return squares + products; }
  Expr nearest() const { return argmin(maximum(products + sum(x_ * x_) + squares, 0.0)); }
  Expr distance() const { return sqrt(maximum(products + sum(x_ * x_) + squares, 0.0)); }

 private:
  Expr x_;
};

// Differences: centres that are rows of the data may be equally far.
Expr nearest(Expr x, const Numbers& centers) { return argmin(Distance().comparable_in_order(x, centers)); }

}  // namespace

struct KMeans {
  Numbers centers;

  void learned(Fields& f) { f("cluster_centers_", centers, {"clusters", "features"}); }
  Outputs operator()(Expr x) const {
    const ToCenters to(x, centers);
    const Expr distance = to.distance();
    Outputs out = components(distance);
    out.role = Outputs::Role::clusterer;
    out.predict = argmin(to.without_own());
    out.distances = distance;
    return out;
  }
};

// Mean shift and affinity propagation; the latter may have found no centres, which it says as -1.
struct NearestCenter {
  Numbers centers;

  void learned(Fields& f) {
    if (const auto affinity = f.get("affinity"); affinity && affinity->str() == "precomputed")
      return f.refuse("affinity", "is 'precomputed', with which the library does not predict", "refit with affinity='euclidean'");
    f("cluster_centers_", centers, {"clusters", "features"});
  }
  Outputs operator()(Expr x) const {
    if (centers.dim(0) > 0) return {.role = Outputs::Role::clusterer, .predict = nearest(x, centers)};
    const Expr first = column(x, 0);
    return {.role = Outputs::Role::clusterer, .predict = cast(equal(first, first), DataType::i64) * 0.0 - 1.0};
  }
};

struct Birch {
  Numbers centers;
  Array<int64_t> label;

  void learned(Fields& f) {
    f("subcluster_centers_", centers, {"subclusters", "features"});
    f("subcluster_labels_", label, {"subclusters"});
  }
  Outputs operator()(Expr x) const {
    const ToCenters to(x, centers);
    Outputs out = components(to.distance());
    out.role = Outputs::Role::clusterer;
    out.predict = pick(label, to.nearest());
    out.distances = out.transform->numbers();
    return out;
  }
};

// A tree of pairs of centres, the nearer of which leads on.
struct BisectingKMeans : KMeans {
  struct Leaf {
    int64_t label = 0;
    std::vector<std::pair<int64_t, bool>> path = {};  // which pairs lead here, and whether to the second
  };
  std::vector<Numbers> first, second;  // the centres of each pair
  std::vector<Leaf> leaves;

  void learned(Fields& f) {
    KMeans::learned(f);
    std::optional<Numbers> middle;  // what the tree's centres are counted from
    f("_X_mean", middle, {"features"});
    if (const auto tree = f.get("_bisecting_tree")) read(f, *tree, middle);
    else f.bad("_bisecting_tree", "is missing: the estimator is not fitted");
  }
  Outputs operator()(Expr x) const {
    Outputs out = KMeans::operator()(x);
    const auto pairs = int64_t(first.size()), n = int64_t(leaves.size());
    const Array<int64_t> label = Array<int64_t>::of({n}, [&](int64_t i) { return leaves[size_t(i)].label; });
    if (pairs == 0) {
      const Expr any = column(x, 0);
      out.predict = cast(equal(any, any), DataType::i64) * 0.0 + double(label[0]);
      return out;
    }
    // How many turns of the way to each leaf are taken: all of them to one alone.
    std::vector<double> turns(size_t(pairs * n), 0.0), others(size_t(n), 0.0);
    for (int64_t leaf = 0; leaf < n; ++leaf) {
      for (const auto& [pair, is_second] : leaves[size_t(leaf)].path) {
        turns[size_t(pair * n + leaf)] = is_second ? 1 : -1;
        others[size_t(leaf)] += is_second ? -1 : 0;
      }
    }
    const Expr a = ToCenters(x, stacked(first)).without_own(), b = ToCenters(x, stacked(second)).without_own();
    const Expr taken = matmul(cast(b < a, DataType::f64), Numbers({pairs, n}, turns)) + Numbers({n}, others);
    out.predict = pick(label, argmax(taken));
    return out;
  }

 private:
  static constexpr size_t most_nodes = 100'000;

  Numbers stacked(const std::vector<Numbers>& rows_of) const {
    const int64_t m = centers.dim(1);
    return Numbers::of({int64_t(rows_of.size()), m}, [&](int64_t i) { return rows_of[size_t(i / m)][i % m]; });
  }
  void read(Fields& f, const plain::Value& root, const std::optional<Numbers>& middle) {
    std::vector<std::pair<plain::Value, Leaf>> open{{root, {}}};
    for (size_t nodes = 0; !open.empty() && f.ok(); ++nodes) {
      auto [node, way] = std::move(open.back());
      open.pop_back();
      if (nodes > most_nodes || way.path.size() > size_t(centers.dim(0))) return f.bad("_bisecting_tree", "has more nodes than clusters");
      const auto left = node.find("left"), right = node.find("right");
      if (!left || left->is(plain::Kind::none) || !right) {
        const auto label = node.find("label");
        if (!label) return f.bad("_bisecting_tree", "has a leaf without a label");
        f.assign("_bisecting_tree.label", *label, way.label, {});
        leaves.push_back(std::move(way));
        continue;
      }
      const auto pair = int64_t(first.size());
      first.push_back(center(f, *left, middle)), second.push_back(center(f, *right, middle));
      for (const bool is_second : {true, false}) {
        Leaf next = way;
        next.path.emplace_back(pair, is_second);
        open.emplace_back(is_second ? *right : *left, std::move(next));
      }
    }
  }
  static Numbers center(Fields& f, const plain::Value& node, const std::optional<Numbers>& middle) {
    Numbers c;
    if (const auto v = node.find("center")) f.assign("_bisecting_tree.center", *v, c, {"features"});
    else f.bad("_bisecting_tree", "has a node without a center");
    if (!middle || !f.ok()) return c;
    return Numbers::of(c.shape(), [&](int64_t i) { return c[i] + (*middle)[i]; });
  }
};

Definitions clusters_estimators() {
  return {
      reads<KMeans>("sklearn.cluster.KMeans", {.cases = {"(5, random_state=0, n_init=1)"}, .tolerance = 1e-12}),
      reads<KMeans>("sklearn.cluster.MiniBatchKMeans", {.cases = {"(5, random_state=0, n_init=1)"}, .tolerance = 1e-12}),
      reads<BisectingKMeans>("sklearn.cluster.BisectingKMeans",
                             {.cases = {"(9, random_state=0)", "(1, random_state=0)"}, .data = "clean ratings", .tolerance = 1e-12}),
      reads<Birch>("sklearn.cluster.Birch", {.cases = {"(threshold=.8)", "(n_clusters=None)"}, .data = "clean ratings", .tolerance = 1e-12}),
      reads<NearestCenter>("sklearn.cluster.MeanShift", {.cases = {"(bandwidth=1.5)"}, .data = "clean ratings"}),
      // Of ratings a row may be equally far from two exemplars: there the library says one thing of an array and another of a frame.
      reads<NearestCenter>("sklearn.cluster.AffinityPropagation", {.cases = {"(random_state=0)"}, .data = "clean"}),
  };
}

}  // namespace onward
