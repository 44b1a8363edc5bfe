// Embeddings of manifolds that place new rows by their neighbours: Isomap and LocallyLinearEmbedding.
#include "onward/estimators/nearest_neighbors.h"

namespace onward {
namespace {

void read_neighbors(Fields& f, Estimator& into) {
  f("nbrs_", into);
  if (into && !into.as<NearestNeighbors>()) f.bad("nbrs_", text("is a ", into.facts().class_name, "; expected NearestNeighbors"));
}

}  // namespace

// The shortest way to each training row leads over one of the neighbours.
struct Isomap {
  Estimator neighbors, embedding;
  Numbers ways;  // between the training rows
  int64_t k = 5;

  void learned(Fields& f) {
    read_neighbors(f, neighbors);
    f("kernel_pca_", embedding);
    f("dist_matrix_", ways, {"samples", "samples"});
    if (!f.given("n_neighbors")) return f.refuse("n_neighbors", "is None, so that neighbours are those within a radius", "convertible: fit with n_neighbors");
    f("n_neighbors", k);
    if (f.ok() && neighbors.as<NearestNeighbors>()->fitted.dim(0) != ways.dim(0)) f.bad("dist_matrix_", text("is of ", ways.dim(0), " rows"));
  }
  Outputs operator()(Expr x) const {
    const auto [rows_found, distances] = neighbors.as<NearestNeighbors>()->nearest(x, k);
    const Expr way = min(pick(ways, rows_found) + reshaped(distances, {0, 0, 1}), 1, false);
    return components(embedding(Frame(way * way * -0.5)).transform->numbers());
  }
};

// Each row as its neighbours' weighted middle, and the same middle of where they were placed.
struct LocallyLinearEmbedding {
  Estimator neighbors;
  Numbers placed;  // (samples, components)
  int64_t k = 5;
  double regularization = 1e-3;

  void learned(Fields& f) {
    read_neighbors(f, neighbors);
    f("embedding_", placed, {"samples", "components"});
    f("n_neighbors", k);
    f("reg", regularization);
    if (k < 1 || k > most_neighbors) return f.refuse("n_neighbors", text("is ", k), text("convertible: up to ", most_neighbors));
    if (f.ok() && neighbors.as<NearestNeighbors>()->fitted.dim(0) != placed.dim(0)) f.bad("embedding_", text("is of ", placed.dim(0), " rows"));
  }
  Outputs operator()(Expr x) const {
    const NearestNeighbors& known = *neighbors.as<NearestNeighbors>();
    const Expr found = known.nearest(x, k).rows;
    const Expr off = pick(known.fitted, found) - reshaped(x, {0, 1, x.columns()});  // (batch, k, features)
    GraphBuilder& g = *x.graph;
    const Expr turned = g.add("Transpose", {off}, {{"perm", std::vector<int64_t>{0, 2, 1}}}, Result{DataType::f64, {rows, x.columns(), k}});
    const Expr gram = g.add("MatMul", {off, turned}, {}, Result{DataType::f64, {rows, k, k}});
    const Numbers one = Numbers::of({k, k}, [&](int64_t i) { return i / k == i % k ? 1.0 : 0.0; });
    const Expr trace = sum(sum(gram * one, 2), 1);
    const Expr weight = solved(gram + regularization * where(trace > 0.0, trace, 1.0) * one);  // (batch, k, 1)
    return components(sum(pick(placed, found) * (weight / sum(weight, 1)), 1, false));
  }

 private:
  static constexpr int64_t most_neighbors = 100;
  // y with a·y = 1 for each row's own a, which is positive definite: no rows need to be exchanged.
  Expr solved(Expr a) const {
    Expr y = sum(a, 2) * 0.0 + 1.0;
    for (int64_t j = 0; j < k; ++j) {
      const auto all_but = [&](bool others) { return Numbers::of({k, 1}, [&](int64_t i) { return (i == j) != others ? 1.0 : 0.0; }); };
      const Expr row = columns(a, {j}), column_j = sum(a * all_but(false).reshaped({k}), 2), pivot = columns(column_j, {j});
      const Expr factor = column_j / pivot * all_but(true);
      y = y - factor * columns(y, {j});
      a = a - factor * row;
    }
    return y / sum(a * Numbers::of({k, k}, [&](int64_t i) { return i / k == i % k ? 1.0 : 0.0; }), 2);
  }
};

Definitions manifolds_estimators() {
  return {
      reads<Isomap>("sklearn.manifold.Isomap", {.cases = {"()", "(n_neighbors=7, n_components=3, metric='manhattan')"}, .data = "clean", .tolerance = 1e-12}),
      reads<LocallyLinearEmbedding>("sklearn.manifold.LocallyLinearEmbedding",
                                    {.cases = {"(random_state=0)", "(n_neighbors=12, reg=0.01, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
  };
}

}  // namespace onward
