// Partial least squares: rows projected on what varies together with the targets, and the regression on that.
#include "onward/estimators/dense_algebra.h"
#include "onward/estimators/fields.h"

namespace onward {

struct CrossDecomposition {
  Numbers mean, spread;
  Numbers rotations;  // (features, components)

  Expr scaled(Expr x) const { return (x - mean) / spread; }

 protected:
  void read(Fields& f, std::string_view directions) {
    f("_x_mean", mean, {"features"});
    f("_x_std", spread, {"features"});
    f(directions, rotations, {"features", "components"});
  }
};

struct PLSSVD : CrossDecomposition {
  void learned(Fields& f) { read(f, "x_weights_"); }
  Outputs operator()(Expr x) const { return components(matmul(scaled(x), rotations)); }
};

// coef_ has changed its shape and its scale over the releases: what it is made of has not.
struct PLS : CrossDecomposition {
  Numbers loadings, target_mean, target_spread;
  bool one_target = false;  // predict gives a vector, since 1.3

  void learned(Fields& f) {
    read(f, "x_rotations_");
    f("y_loadings_", loadings, {"targets", "components"});
    f("_y_mean", target_mean, {"targets"});
    f("_y_std", target_spread, {"targets"});
    f.since("_predict_1d", one_target);
  }
  Outputs operator()(Expr x) const {
    const Expr z = scaled(x);
    const Numbers effect = product(rotations, loadings.transposed());
    const Numbers coef = Numbers::of(effect.shape(), [&](int64_t i) { return effect[i] * target_spread[i % target_spread.size()]; });
    const Expr y = matmul(z, coef) + target_mean;
    Outputs out = components(matmul(z, rotations));
    out.role = Outputs::Role::regressor;
    out.predict = one_target && target_mean.size() == 1 ? reshaped(y, {rows}) : y;
    return out;
  }
};

Definitions cross_decomposition_estimators() {
  Definitions all;
  const auto add = [&](std::string_view name, std::vector<std::string_view> cases, std::string_view targets) {
    all.push_back(reads<PLS>(name, {.cases = std::move(cases), .data = "clean prices", .targets = targets, .tolerance = 1e-12}));
  };
  add("sklearn.cross_decomposition.PLSRegression", {"()", "(3, scale=False)"}, "");
  add("sklearn.cross_decomposition.PLSRegression", {"()"}, "several");
  add("sklearn.cross_decomposition.PLSCanonical", {"()", "(1, algorithm='svd')"}, "several");
  add("sklearn.cross_decomposition.CCA", {"()"}, "several");
  all.push_back(reads<PLSSVD>("sklearn.cross_decomposition.PLSSVD",
                              {.cases = {"()", "(1, scale=False)"}, .data = "clean", .targets = "several", .tolerance = 1e-12}));
  return all;
}

}  // namespace onward
