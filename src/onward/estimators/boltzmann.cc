// A restricted Boltzmann machine as a transformer: how likely each hidden unit is on.
#include "onward/estimators/fields.h"

namespace onward {
namespace {

struct BernoulliRBM {
  Numbers weights, offset;

  void learned(Fields& f) {
    f("components_", weights, {"components", "features"});
    f("intercept_hidden_", offset, {"components"});
  }
  Outputs operator()(Expr x) const { return components(sigmoid(matmul(x, weights.transposed()) + offset)); }
};

}  // namespace

Definitions boltzmann_estimators() {
  return {reads<BernoulliRBM>("sklearn.neural_network.BernoulliRBM",
                              {.cases = {"(4, n_iter=3, random_state=0)"}, .data = "clean counts", .tolerance = 1e-12})};
}

}  // namespace onward
