// MoE: a mixture of experts whose weights are real numbers.
#include "onward/ops/contrib.h"
#include "onward/ops/expert_mixture.h"
#include "onward/ops/matrix_product.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

enum Input : size_t { tokens, router, first, first_bias, second, second_bias, third, third_bias };

struct MoE : contrib::MoE {
  ExpertMixture mixture;

  std::vector<PackedMatrix<float>> packed[3];             // constant weights of every expert, by projection

  void prepare(const Preparation& at) {
    mixture = ExpertMixture::of(*this);
    constexpr size_t weights[] = {first, second, third};
    for (size_t i = 0; i < 3; ++i)
      if (const Tensor* w = at.input(weights[i]); w && w->rank() == 3 && w->size() && w->type() == DataType::f32)
        for (int64_t e = 0; e < w->dims()[0]; ++e) packed[i].push_back(laid_out(*w, e));
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
  static PackedMatrix<float> laid_out(const Tensor& w, int64_t expert) {
    const int64_t outs = w.dims()[1], ins = w.dims()[2];
    const Tensor columns = transposed(Tensor::view(DataType::f32, {outs, ins}, w.data<float>() + expert * outs * ins), {1, 0});
    return {columns.data<float>(), ins, outs};
  }
  void check(Inference& io, const Dims& x, const Dims& w1, const Dims& w2) const {
    const int64_t hidden = x.back(), experts = w1[0], rows = product(x, 0, int64_t(x.size()) - 1), inner = w2[2];
    if (io.dims(router) != Dims{rows, experts}) invalid("router_probs of shape ", shown(io.dims(router)), " for ", rows, " tokens and ", experts, " experts");
    if (k > experts) invalid("the best ", k, " of ", experts, " experts");
    if (w1 != Dims{experts, mixture.halves() * inner, hidden} || w2 != Dims{experts, hidden, inner}) invalid("weights of shapes ", shown(w1), " and ", shown(w2), " for tokens of shape ", shown(x));
    const auto has_shape = [&](size_t i, const Dims& wanted) { if (io.has(i) && io.dims(i) != wanted) invalid("input ", i, " has shape ", shown(io.dims(i)), ", expected ", shown(wanted)); };
    has_shape(first_bias, {experts, mixture.halves() * inner}), has_shape(second_bias, {experts, hidden});
    has_shape(third, {experts, inner, hidden}), has_shape(third_bias, {experts, inner});
    if (io.has(third) != mixture.has_third()) unsupported(mixture.has_third() ? "swiglu_fusion=0 without fc3_experts_weights" : "fc3_experts_weights beside " + activation_type);
  }

  template <class C> void mix(Call& call) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const Tensor x = operand(tokens), weights[] = {operand(first), operand(second), operand(third)}, biases[] = {operand(first_bias), operand(second_bias), operand(third_bias)};
    const Tensor sum = call.scratch(type_of<C>, x.dims());
    const auto layer = [&](ExpertMixture::Projection of, int64_t expert, const std::vector<C>& in, int64_t rows) {
      const int64_t outs = weights[of].dims()[1], ins = weights[of].dims()[2];
      std::vector<C> y(size_t(rows * outs), C(0));
      if constexpr (std::is_same_v<C, float>)
        if (!packed[of].empty()) {
          packed[of][size_t(expert)].product(in.data(), y.data(), rows, {.bias = biases[of] ? biases[of].template data<float>() + expert * outs : nullptr});
          return y;
        }
      const Tensor columns = transposed(Tensor::view(type_of<C>, {outs, ins}, weights[of].template data<C>() + expert * outs * ins), {1, 0});
      if (ins) matrix_product<C>(in.data(), columns.data<C>(), y.data(), rows, outs, ins);
      if (biases[of]) for (int64_t i = 0; i < rows * outs; ++i) y[size_t(i)] += biases[of].template data<C>()[expert * outs + i % outs];
      return y;
    };
    const auto& w1 = weights[0].dims();
    mixture.run<C>(call.context, {product(x.dims(), 0, x.rank() - 1), x.dims().back(), weights[1].dims()[2], w1[0]}, x.data<C>(), as_doubles(call.tensor(router)), {}, layer, sum.data<C>());
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
