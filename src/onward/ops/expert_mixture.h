// A mixture of experts: every token goes to the k experts that a router likes best, each a network of two layers (three projections
// where one gates another), and gets their answers in the router's proportions. MoE and QMoE differ in how weights are stored.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

struct ExpertMixture {
  enum Projection : size_t { first, second, third };
  std::string activation;
  bool gated = false, geglu = false, normalize = false;   // gated: two projections, one of which scales the other
  int64_t fusion = 0, k = 1;
  float alpha = 1, beta = 0;
  std::optional<float> limit;

  template <class Schema> static ExpertMixture of(const Schema& op) {
    ExpertMixture m{op.activation_type, false, false, op.normalize_routing_weights != 0, op.swiglu_fusion, op.k, op.activation_alpha, op.activation_beta, op.swiglu_limit};
    if (op.use_sparse_mixer != 0) unsupported("use_sparse_mixer");
    if (op.swiglu_limit_after_activation != 0) unsupported("swiglu_limit_after_activation");
    m.check();
    return m;
  }
  int64_t halves() const { return gated && fusion != 0 ? 2 : 1; }         // the first projection holds the gate too
  bool has_third() const { return gated && fusion == 0; }

  // `layer`: rows of x through a projection of one expert, its bias added.
  template <class C> using Layer = FunctionRef<std::vector<C>(Projection of, int64_t expert, const std::vector<C>& x, int64_t rows)>;
  struct Sizes { int64_t rows, hidden, inner, experts; };
  // Experts are chosen by `router` [rows, experts]; their shares are its softmax, or `weights` where given. y[rows, hidden] is written.
  // Tokens of one expert are computed together; a token's sum runs over experts in their order.
  template <class C> void run(const RunContext& context, Sizes sizes, const C* x, std::span<const double> router, std::span<const double> weights, Layer<C> layer, C* y) const;

 private:
  void check();
};

}  // namespace onward
