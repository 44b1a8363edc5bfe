#include "onward/ops/expert_mixture.h"

#include <cmath>
#include <numeric>

#include "onward/ops/activation/gelu.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

enum class Plain { identity, relu, relu2, gelu, silu };
constexpr std::string_view plain_names[] = {"identity", "relu", "relu2", "gelu", "silu"};

// One loop for each, compiled for every instruction set.
template <Plain kind, class C> struct PlainBody {
  [[gnu::always_inline]] static void run(C* x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) x[i] = value(x[i]);
  }
  [[gnu::always_inline]] static C value(C x) {
    if constexpr (kind == Plain::relu) return x > 0 ? x : C(0);
    if constexpr (kind == Plain::relu2) return x > 0 ? x * x : C(0);
    if constexpr (kind == Plain::gelu) return gelu_by_tanh(x);
    if constexpr (kind == Plain::silu) return x / (1 + simd::exp(-x));
    return x;
  }
};
template <class C> void plain(std::string_view activation, C* x, int64_t n) {
  constexpr void (*all[])(C*, int64_t) = {simd::run<PlainBody<Plain::identity, C>, C, C*, int64_t>, simd::run<PlainBody<Plain::relu, C>, C, C*, int64_t>,
                                          simd::run<PlainBody<Plain::relu2, C>, C, C*, int64_t>, simd::run<PlainBody<Plain::gelu, C>, C, C*, int64_t>,
                                          simd::run<PlainBody<Plain::silu, C>, C, C*, int64_t>};
  all[std::find(std::begin(plain_names), std::end(plain_names), activation) - std::begin(plain_names)](x, n);
}

template <class C> C gate(const ExpertMixture& m, C g, C l) {
  if (m.geglu) return C(0.5) * g * (1 + std::tanh(C(0.79788456080286536) * (g + C(0.044715) * g * g * g))) * l;
  if (m.limit) g = std::min(g, C(*m.limit)), l = std::clamp(l, C(-*m.limit), C(*m.limit));
  return g / (1 + std::exp(-C(m.alpha) * g)) * (l + C(m.beta));
}

// The tokens that go to one expert, and what share of each is its.
struct Choice { std::vector<int64_t> rows; std::vector<double> shares; };

std::vector<Choice> choices(const ExpertMixture& m, ExpertMixture::Sizes sizes, std::span<const double> router, std::span<const double> weights) {
  std::vector<Choice> out(static_cast<size_t>(sizes.experts));
  std::vector<int64_t> order(static_cast<size_t>(sizes.experts));
  for (int64_t row = 0; row < sizes.rows; ++row) {
    const double* x = router.data() + row * sizes.experts;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return x[a] > x[b]; });
    const auto share = [&](int64_t e) { return weights.empty() ? std::exp(x[e] - x[order[0]]) : weights[size_t(row * sizes.experts + e)]; };
    double all = weights.empty() ? 0 : 1, chosen = 0;
    if (weights.empty()) for (int64_t e = 0; e < sizes.experts; ++e) all += share(e);
    for (int64_t i = 0; i < m.k; ++i) chosen += share(order[size_t(i)]);
    for (int64_t i = 0; i < m.k; ++i) {
      Choice& c = out[size_t(order[size_t(i)])];
      c.rows.push_back(row), c.shares.push_back(share(order[size_t(i)]) / (m.normalize ? chosen : all));
    }
  }
  return out;
}

// What goes into the second projection.
template <class C> std::vector<C> activated(const ExpertMixture& m, int64_t rows, int64_t inner, const std::vector<C>& up, const std::vector<C>& beside) {
  if (!m.gated) {
    std::vector<C> out = up;
    plain(m.activation, out.data(), rows * inner);
    return out;
  }
  std::vector<C> out(size_t(rows * inner));
  for (int64_t i = 0; i < rows * inner; ++i) {
    const int64_t row = i / inner * m.halves() * inner, at = i % inner;
    C& to = out[size_t(i)];
    if (m.fusion == 0) to = gate(m, up[size_t(i)], beside[size_t(i)]);
    else if (m.fusion == 1) to = gate(m, up[size_t(row + 2 * at)], up[size_t(row + 2 * at + 1)]);
    else to = gate(m, up[size_t(row + at)], up[size_t(row + inner + at)]);
  }
  return out;
}

}  // namespace

void ExpertMixture::check() {
  gated = activation == "swiglu" || activation == "geglu", geglu = activation == "geglu";
  if (!gated && std::find(std::begin(plain_names), std::end(plain_names), activation) == std::end(plain_names)) unsupported("activation_type '", activation, "'");
  if (k < 1) invalid("k is ", k, ", expected 1 or more");
  if (fusion < 0 || fusion > 2 || (geglu && fusion == 0)) invalid("swiglu_fusion is ", fusion);
  if (limit && !(*limit >= 0)) invalid("swiglu_limit is ", *limit);
}

template <class C> void ExpertMixture::run(const RunContext& context, Sizes sizes, const C* x, std::span<const double> router, std::span<const double> weights, Layer<C> layer, C* y) const {
  const int64_t hidden = sizes.hidden;
  std::fill_n(y, sizes.rows * hidden, C(0));
  const auto by_expert = choices(*this, sizes, router, weights);
  for (int64_t e = 0; e < sizes.experts; ++e) {
    context.check();
    const Choice& c = by_expert[size_t(e)];
    const auto n = int64_t(c.rows.size());
    if (n == 0) continue;
    std::vector<C> in(size_t(n * hidden));
    for (int64_t i = 0; i < n; ++i) std::copy_n(x + c.rows[size_t(i)] * hidden, hidden, in.begin() + i * hidden);
    const std::vector<C> up = layer(first, e, in, n), beside = has_third() ? layer(third, e, in, n) : std::vector<C>();
    const std::vector<C> down = layer(second, e, activated(*this, n, sizes.inner, up, beside), n);
    for (int64_t i = 0; i < n * hidden; ++i) y[c.rows[size_t(i / hidden)] * hidden + i % hidden] += C(c.shares[size_t(i / hidden)]) * down[size_t(i)];
  }
}

template void ExpertMixture::run(const RunContext&, Sizes, const float*, std::span<const double>, std::span<const double>, Layer<float>, float*) const;
template void ExpertMixture::run(const RunContext&, Sizes, const double*, std::span<const double>, std::span<const double>, Layer<double>, double*) const;

}  // namespace onward
