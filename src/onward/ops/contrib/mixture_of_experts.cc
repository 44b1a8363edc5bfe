// MoE: every token goes to the k experts that a router likes best, each a network of two layers, and gets their answers in the router's
// proportions. Tokens of one expert are computed together; a token's sum runs over experts in their order.
#include <cmath>
#include <numeric>
#include "onward/ops/activation/gelu.h"
#include "onward/ops/contrib.h"
#include "onward/ops/matrix_product.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

enum Input : size_t { tokens, router, first, first_bias, second, second_bias, third, third_bias };

struct MoE : contrib::MoE {
  bool gated = false, geglu = false;                      // two projections, one of which scales the other

  void prepare(const Preparation&) {
    gated = activation_type == "swiglu" || activation_type == "geglu", geglu = activation_type == "geglu";
    constexpr std::string_view plain[] = {"relu", "relu2", "gelu", "silu", "identity"};
    if (!gated && std::find(std::begin(plain), std::end(plain), activation_type) == std::end(plain)) unsupported("activation_type '", activation_type, "'");
    if (k < 1) invalid("k is ", k, ", expected 1 or more");
    if (swiglu_fusion < 0 || swiglu_fusion > 2 || (geglu && swiglu_fusion == 0)) invalid("swiglu_fusion is ", swiglu_fusion);
    if (swiglu_limit && !(*swiglu_limit >= 0)) invalid("swiglu_limit is ", *swiglu_limit);
    if (use_sparse_mixer != 0) unsupported("use_sparse_mixer");
    if (swiglu_limit_after_activation != 0) unsupported("swiglu_limit_after_activation");
  }

  void infer(Inference& io) const {
    const Dims &x = io.dims(tokens), &w1 = io.dims(first), &w2 = io.dims(second);
    if (x.size() != 2 && x.size() != 3) invalid("tokens of shape ", shown(x), ", expected two or three axes");
    if (w1.size() != 3 || w2.size() != 3) invalid("weights of shapes ", shown(w1), " and ", shown(w2), ", expected three axes");
    if (!io.symbols) check(io, x, w1, w2);
    io.output(0, x);
  }

  void run(Call& call) const {
    if (call.tensor(tokens).type() == DataType::f64) mix<double>(call);
    else mix<float>(call);
  }

 private:
  int64_t halves() const { return gated && swiglu_fusion != 0 ? 2 : 1; }

  void check(Inference& io, const Dims& x, const Dims& w1, const Dims& w2) const {
    const int64_t hidden = x.back(), experts = w1[0], rows = product(x, 0, int64_t(x.size()) - 1), inner = w2[2];
    if (io.dims(router) != Dims{rows, experts}) invalid("router_probs of shape ", shown(io.dims(router)), " for ", rows, " tokens and ", experts, " experts");
    if (k > experts) invalid("the best ", k, " of ", experts, " experts");
    if (w1 != Dims{experts, halves() * inner, hidden} || w2 != Dims{experts, hidden, inner}) invalid("weights of shapes ", shown(w1), " and ", shown(w2), " for tokens of shape ", shown(x));
    const auto has_shape = [&](size_t i, const Dims& wanted) { if (io.has(i) && io.dims(i) != wanted) invalid("input ", i, " has shape ", shown(io.dims(i)), ", expected ", shown(wanted)); };
    has_shape(first_bias, {experts, halves() * inner}), has_shape(second_bias, {experts, hidden});
    has_shape(third, {experts, inner, hidden}), has_shape(third_bias, {experts, inner});
    const bool needs_third = gated && swiglu_fusion == 0;
    if (io.has(third) != needs_third) unsupported(needs_third ? "swiglu_fusion=0 without fc3_experts_weights" : "fc3_experts_weights beside " + activation_type);
  }

  // A token's experts and their shares.
  struct Choice { std::vector<int64_t> rows; std::vector<double> shares; };
  std::vector<Choice> choices(const std::vector<double>& logits, int64_t rows, int64_t experts) const {
    std::vector<Choice> out(static_cast<size_t>(experts));
    std::vector<int64_t> order(static_cast<size_t>(experts));
    for (int64_t row = 0; row < rows; ++row) {
      const double* x = logits.data() + row * experts;
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return x[a] > x[b]; });
      double all = 0, chosen = 0;
      for (int64_t e = 0; e < experts; ++e) all += std::exp(x[e] - x[order[0]]);
      for (int64_t i = 0; i < k; ++i) chosen += std::exp(x[order[size_t(i)]] - x[order[0]]);
      for (int64_t i = 0; i < k; ++i) {
        Choice& c = out[size_t(order[size_t(i)])];
        c.rows.push_back(row), c.shares.push_back(std::exp(x[order[size_t(i)]] - x[order[0]]) / (normalize_routing_weights ? chosen : all));
      }
    }
    return out;
  }

  template <class C> C plain(C x) const {
    if (activation_type == "relu") return x > 0 ? x : C(0);
    if (activation_type == "relu2") return x > 0 ? x * x : C(0);
    if (activation_type == "gelu") return gelu_by_tanh(x);
    if (activation_type == "silu") return x / (1 + std::exp(-x));
    return x;
  }
  template <class C> C gate(C g, C l) const {
    if (geglu) return gelu_by_tanh(g) * l;
    if (swiglu_limit) g = std::min(g, C(*swiglu_limit)), l = std::clamp(l, C(-*swiglu_limit), C(*swiglu_limit));
    return g / (1 + std::exp(-C(activation_alpha) * g)) * (l + C(activation_beta));
  }

  // rows of x times the transposed weights of one expert, and its bias
  template <class C> static std::vector<C> layer(const Tensor& weights, const Tensor& bias, int64_t expert, const std::vector<C>& x, int64_t rows) {
    const int64_t out = weights.dims()[1], in = weights.dims()[2];
    const Tensor columns = transposed(Tensor::view(type_of<C>, {out, in}, weights.data<C>() + expert * out * in), {1, 0});
    std::vector<C> y(size_t(rows * out), C(0));
    if (in) matrix_product<C>(x.data(), columns.data<C>(), y.data(), rows, out, in);
    if (bias) for (int64_t i = 0; i < rows * out; ++i) y[size_t(i)] += bias.data<C>()[expert * out + i % out];
    return y;
  }

  template <class C> void mix(Call& call) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const Tensor x = operand(tokens), w1 = operand(first), b1 = operand(first_bias), w2 = operand(second), b2 = operand(second_bias), w3 = operand(third), b3 = operand(third_bias);
    const int64_t hidden = x.dims().back(), rows = product(x.dims(), 0, x.rank() - 1), experts = w1.dims()[0], inner = w2.dims()[2];
    const Tensor sum = call.scratch(type_of<C>, x.dims());
    std::fill_n(sum.data<C>(), sum.size(), C(0));
    const auto by_expert = choices(as_doubles(call.tensor(router)), rows, experts);
    for (int64_t e = 0; e < experts; ++e) {
      call.context.check();
      const Choice& c = by_expert[size_t(e)];
      const auto n = int64_t(c.rows.size());
      if (n == 0) continue;
      std::vector<C> in(size_t(n * hidden)), middle(size_t(n * inner));
      for (int64_t i = 0; i < n; ++i) std::copy_n(x.data<C>() + c.rows[size_t(i)] * hidden, hidden, in.begin() + i * hidden);
      const std::vector<C> up = layer<C>(w1, b1, e, in, n), beside = w3 ? layer<C>(w3, b3, e, in, n) : std::vector<C>();
      for (int64_t i = 0; i < n * inner; ++i) {
        const int64_t row = i / inner * halves() * inner, at = i % inner;
        if (!gated) middle[size_t(i)] = plain(up[size_t(i)]);
        else if (swiglu_fusion == 0) middle[size_t(i)] = gate(up[size_t(i)], beside[size_t(i)]);
        else if (swiglu_fusion == 1) middle[size_t(i)] = gate(up[size_t(row + 2 * at)], up[size_t(row + 2 * at + 1)]);
        else middle[size_t(i)] = gate(up[size_t(row + at)], up[size_t(row + inner + at)]);
      }
      const std::vector<C> down = layer<C>(w2, b2, e, middle, n);
      for (int64_t i = 0; i < n * hidden; ++i) sum.data<C>()[c.rows[size_t(i / hidden)] * hidden + i % hidden] += C(c.shares[size_t(i / hidden)]) * down[size_t(i)];
    }
    store(sum, call.output(0));
  }
};

}  // namespace

Operators contrib_mixture_of_experts() {
  return {define<MoE>({.tolerance = 1e-5, .examples = {
      "float [[1, 2]], float [[0, 9]], float [[[0, 0]], [[1, 1]]], , float [[[0], [0]], [[1], [2]]]; normalize_routing_weights=1 -> float [[3, 6]]",
      "float [[1]], float [[0, 0]], float [[[1]], [[1]]], float [[0], [1]], float [[[1]], [[1]]]; k=2 -> float [[1.5]]"}})};
}

}  // namespace onward::ops
