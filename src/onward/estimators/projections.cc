// Transformers that are one product of matrices: random projections, independent and sparse components, factors.
#include "onward/estimators/dense_algebra.h"
#include "onward/estimators/fields.h"

namespace onward {

struct Projection {
  Numbers directions;  // dense or sparse in the file

  void learned(Fields& f) { f("components_", directions, {"components", "features"}); }
  Outputs operator()(Expr x) const { return components(matmul(x, directions.transposed())); }
};

// A sparse matrix times a sparse matrix is one, unless a dense one is asked for.
struct SparseRandomProjection : Projection {
  bool dense = false;

  void learned(Fields& f) {
    Projection::learned(f);
    f("dense_output", dense);
  }
  Outputs operator()(const Frame& x) const {
    Outputs out = Projection::operator()(x.numbers());
    out.transform->sparse = x.sparse && !dense;
    return out;
  }
};

struct FastICA : Projection {
  std::optional<Numbers> mean;  // only where it whitens

  void learned(Fields& f) {
    Projection::learned(f);
    const auto whiten = f.get("whiten");
    if (!whiten || f.said(*whiten) != "False") f("mean_", mean, {"features"});
  }
  Outputs operator()(Expr x) const { return Projection::operator()(mean ? x - *mean : x); }
};

// The ridge regression of a row on the components.
struct SparsePCA : Projection {
  Numbers mean;
  double alpha = 0.01;

  void learned(Fields& f) {
    Projection::learned(f);
    f("mean_", mean, {"features"});
    f("ridge_alpha", alpha);
    if (!f.ok()) return;
    const int64_t n = directions.dim(0);
    const Numbers gram = product(directions, directions.transposed());
    directions = solved(Numbers::of({n, n}, [&](int64_t i) { return gram[i] + (i / n == i % n ? alpha : 0); }), directions);
  }
  Outputs operator()(Expr x) const { return Projection::operator()(x - mean); }
};

// The factors' expectation for a row: (1 + W·V⁻¹·Wᵀ)⁻¹·W·V⁻¹·(x - mean), V the noise of each feature.
struct FactorAnalysis : Projection {
  Numbers mean, noise;

  void learned(Fields& f) {
    Projection::learned(f);
    f("mean_", mean, {"features"});
    f("noise_variance_", noise, {"features"});
    if (!f.ok()) return;
    const int64_t n = directions.dim(0), m = directions.dim(1);
    const Numbers scaled = Numbers::of({n, m}, [&](int64_t i) { return directions[i] / noise[i % m]; });
    const Numbers gram = product(scaled, directions.transposed());
    directions = solved(Numbers::of({n, n}, [&](int64_t i) { return gram[i] + (i / n == i % n ? 1 : 0); }), scaled);
  }
  Outputs operator()(Expr x) const { return Projection::operator()(x - mean); }
};

Definitions projections_estimators() {
  return {
      reads<Projection>("sklearn.random_projection.GaussianRandomProjection", {.cases = {"(3, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
      reads<SparseRandomProjection>("sklearn.random_projection.SparseRandomProjection",
                                    {.cases = {"(3, random_state=0)", "(3, random_state=1, dense_output=True)"}, .data = "clean", .tolerance = 1e-12}),
      reads<Projection>("sklearn.neighbors.NeighborhoodComponentsAnalysis",
                        {.cases = {"(2, max_iter=5, random_state=0)"}, .data = "ratings", .targets = "classes", .tolerance = 1e-12}),
      reads<FastICA>("sklearn.decomposition.FastICA",
                     {.cases = {"(3, random_state=0)", "(3, random_state=0, whiten='arbitrary-variance')", "(random_state=0, whiten=False)"},
                      .data = "ratings",
                      .tolerance = 1e-12}),
      reads<FactorAnalysis>("sklearn.decomposition.FactorAnalysis", {.cases = {"(2, random_state=0)", "(random_state=0, rotation='varimax')"}, .data = "clean ratings", .tolerance = 1e-12}),
      reads<SparsePCA>("sklearn.decomposition.SparsePCA", {.cases = {"(2, random_state=0)", "(3, ridge_alpha=0.5, random_state=0)"}, .data = "clean", .tolerance = 1e-12}),
      reads<SparsePCA>("sklearn.decomposition.MiniBatchSparsePCA", {.cases = {"(2, random_state=0)"}, .data = "ratings", .tolerance = 1e-12}),
  };
}

}  // namespace onward
