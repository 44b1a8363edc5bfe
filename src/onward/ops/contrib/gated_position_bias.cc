// GatedRelativePositionBias: a bias for the distance of query and key, scaled by two gates that each query computes for each head.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

enum Input : size_t { query_layer, query_bias, rel_pos, gate_weight, gate_bias, eco, token_offset };

struct GatedRelativePositionBias : contrib::GatedRelativePositionBias {
  void prepare(const Preparation& at) const {
    if (num_heads < 1) invalid("num_heads is ", num_heads, ", expected 1 or more");
    if (at.node.inputs.size() > token_offset && !at.node.inputs[token_offset].empty()) unsupported("token_offset: queries without their padding");
  }

  void infer(Inference& io) const {
    const Dims &q = io.dims(query_layer), &w = io.dims(gate_weight);
    if (q.size() != 3 || w.size() != 2) invalid("queries of shape ", shown(q), " and weights of shape ", shown(w), ", expected three and two axes");
    if (!io.symbols) {
      if (w[0] * num_heads != q[2] || w[1] < 2 || w[1] % 2 != 0 || io.dims(gate_bias) != Dims{w[1]}) invalid("weights of shape ", shown(w), " for ", num_heads, " heads of queries of shape ", shown(q));
      if (io.dims(query_bias) != Dims{q[2]}) invalid("a bias of shape ", shown(io.dims(query_bias)), " for queries of shape ", shown(q));
      if (io.dims(rel_pos) != Dims{1, num_heads, q[1], q[1]}) invalid("rel_pos has shape ", shown(io.dims(rel_pos)), " for ", num_heads, " heads and queries of shape ", shown(q));
      if (product(io.dims(eco), 0, int64_t(io.dims(eco).size())) != num_heads) invalid("eco_a has shape ", shown(io.dims(eco)), " for ", num_heads, " heads");
    }
    io.output(0, {q[0], num_heads, q[1], q[1]});
  }

  void run(Call& call) const {
    if (call.tensor(0).type() == DataType::f64) kernel<double>(call);
    else kernel<float>(call);
  }

 private:
  template <class C> void kernel(Call& call) const {
    std::vector<Tensor> in;
    for (size_t i = 0; i < token_offset; ++i) in.push_back(as_type(call, call.tensor(i), type_of<C>));
    const Tensor &y = call.output(0), to = y.type() == type_of<C> ? y : call.scratch(type_of<C>, y.dims());
    const int64_t steps = y.dims()[2], hidden = in[query_layer].dims()[2], width = hidden / num_heads, gates = in[gate_weight].dims()[1];
    const auto data = [&](size_t i) { return in[i].data<C>(); };
    call.context.parallel(y.dims()[0] * num_heads * steps, double(width * gates + steps), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {       // [batch, head, query]
        const int64_t b = row / (num_heads * steps), h = row / steps % num_heads, i = row % steps;
        const C *q = data(query_layer) + (b * steps + i) * hidden + h * width, *bias = data(query_bias) + h * width;
        C sums[2] = {0, 0};
        for (int64_t g = 0; g < gates; ++g) {
          C sum = data(gate_bias)[g];
          for (int64_t d = 0; d < width; ++d) sum += (q[d] + bias[d]) * data(gate_weight)[d * gates + g];
          sums[g / (gates / 2)] += sum;
        }
        const C u = 1 / (1 + std::exp(-sums[0])), r = 1 / (1 + std::exp(-sums[1])), factor = u * (r * data(eco)[h] - 1) + 2;
        const C* from = data(rel_pos) + (h * steps + i) * steps;
        for (int64_t j = 0; j < steps; ++j) to.data<C>()[row * steps + j] = factor * from[j];
      }
    });
    store(to, y);
  }
};

}  // namespace

Operators contrib_gated_position_bias() {
  return {define<GatedRelativePositionBias>({.tolerance = 1e-5, .examples = {
      "float [[[1]]], float [-1], float [[[[4]]]], float [[3, 5]], float [0, 0], float [[[[2]]]]; num_heads=1 -> float [[[[8]]]]"}})};
}

}  // namespace onward::ops
