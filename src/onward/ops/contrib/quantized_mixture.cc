// QMoE: a mixture of experts whose weights are codes of 2, 4 or 8 bits; they stay packed.
//
// The shares of experts follow the signature: ONNX Runtime's kernel for processors normalises them whether it is asked to or not.
#include "onward/ops/contrib.h"
#include "onward/ops/expert_mixture.h"
#include "onward/ops/packed_rows.h"
#include "onward/ops/row_product.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

enum Input : size_t { tokens, router, router_weights = 14 };
struct Places { size_t weights, scales, bias, zeros; };
constexpr Places places[] = {{2, 3, 4, 11}, {5, 6, 7, 12}, {8, 9, 10, 13}};         // of the three projections

// One projection of all experts.
struct Packed {
  int64_t experts, outs, ins, bits, block, blocks;
  Tensor codes, scales, bias;
  std::vector<float> zeros;                               // one for each scale, where the node has any

  std::vector<float> layer(const RunContext& context, int64_t expert, const std::vector<float>& x, int64_t rows) const {
    PackedRows w{ins, bits, block, blocks, codes.data<uint8_t>() + expert * outs * ins * bits / 8, scales.data<float>() + expert * outs * blocks};
    if (!zeros.empty()) w.zeros = zeros.data() + expert * outs * blocks;
    std::vector<float> y(size_t(rows * outs));
    row_product(context, x.data(), rows, outs, ins, w, y.data());
    if (bias) for (int64_t i = 0; i < rows * outs; ++i) y[size_t(i)] += bias.data<float>()[expert * outs + i % outs];
    return y;
  }
};

struct QMoE : contrib::QMoE {
  ExpertMixture mixture;
  int64_t widths[3] = {};                                 // bits of the projections

  void prepare(const Preparation& at) {
    mixture = ExpertMixture::of(*this);
    const std::optional<int64_t> own[] = {fc1_expert_weight_bits, fc2_expert_weight_bits, fc3_expert_weight_bits};
    for (size_t i = 0; i < 3; ++i) {
      widths[i] = own[i].value_or(expert_weight_bits);
      if (widths[i] != 2 && widths[i] != 4 && widths[i] != 8) unsupported("experts of ", widths[i], " bits");
    }
    if (quant_type != "int") unsupported("quant_type '", quant_type, "'");
    if (weights_prepacked == 1) throw Error(Code::unsupported_operator, "weights packed for one GPU (weights_prepacked = 1)", "export them with weights_prepacked = 0");
    if (block_size && *block_size != 0 && (*block_size < 16 || *block_size > 1 << 28 || (*block_size & (*block_size - 1)) != 0)) fail(Code::bad_model, "block_size is ", *block_size, ", expected a power of two from 16 on");
    const bool third = at.node.inputs.size() > 8 && !at.node.inputs[8].empty();
    if (third != mixture.has_third()) unsupported(third ? "fc3_experts_weights beside " + activation_type : "swiglu_fusion=0 without fc3_experts_weights");
  }

  void infer(Inference& io) const {
    const Dims& x = io.dims(tokens);
    if (x.size() != 2 && x.size() != 3) invalid("tokens of shape ", shown(x), ", expected two or three axes");
    io.output(0, x);
  }

  void run(Call& call) const {
    const Tensor x = as_type(call, call.tensor(tokens), DataType::f32), sum = call.scratch(DataType::f32, x.dims());
    const int64_t hidden = x.dims().back(), rows = product(x.dims(), 0, x.rank() - 1);
    if (call.tensor(2).rank() != 3) invalid("weights of shape ", shown(call.tensor(2).dims()), ", expected three axes");
    const int64_t experts = call.tensor(2).dims()[0], inner = call.tensor(2).dims()[1] / mixture.halves();
    std::vector<Packed> projections{packed(call, 0, experts, mixture.halves() * inner, hidden), packed(call, 1, experts, hidden, inner)};
    if (mixture.has_third()) projections.push_back(packed(call, 2, experts, inner, hidden));
    if (k > experts) invalid("the best ", k, " of ", experts, " experts");
    const auto of_router = [&](size_t i) {
      if (call.tensor(i).dims() != Dims{rows, experts}) invalid("input ", i, " has shape ", shown(call.tensor(i).dims()), " for ", rows, " tokens and ", experts, " experts");
      return as_doubles(call.tensor(i));
    };
    const auto layer = [&](ExpertMixture::Projection of, int64_t expert, const std::vector<float>& in, int64_t n) { return projections[of].layer(call.context, expert, in, n); };
    mixture.run<float>(call.context, {rows, hidden, inner, experts}, x.data<float>(), of_router(router), call.has(router_weights) ? of_router(router_weights) : std::vector<double>(), layer, sum.data<float>());
    store(sum, call.output(0));
  }

 private:
  Packed packed(const Call& call, size_t which, int64_t experts, int64_t outs, int64_t ins) const {
    const Places& at = places[which];
    const int64_t bits = widths[which], block = block_size.value_or(0) ? *block_size : std::max<int64_t>(ins, 1);
    const bool by_block = block_size.value_or(0) != 0;
    const auto expect = [&](size_t i, const Dims& wanted) { if (call.tensor(i).dims() != wanted) invalid("input ", i, " is ", shown(call.tensor(i)), ", expected shape ", shown(wanted)); };
    if (ins * bits % 8 != 0 || ins % block != 0) invalid("rows of ", ins, " codes of ", bits, " bits in blocks of ", block);
    Packed p{experts, outs, ins, bits, block, ins / block, call.tensor(at.weights), {}, {}, {}};
    if (p.codes.type() != DataType::u8) invalid("expected weights of uint8, found ", name_of(p.codes.type()));
    expect(at.weights, {experts, outs, ins * bits / 8}), expect(at.scales, by_block ? Dims{experts, outs, p.blocks} : Dims{experts, outs});
    p.scales = as_type(call, call.tensor(at.scales), DataType::f32);
    if (call.has(at.bias)) expect(at.bias, {experts, outs}), p.bias = as_type(call, call.tensor(at.bias), DataType::f32);
    if (!call.has(at.zeros)) return p;
    // Packed along the last axis: the blocks of a row, or the rows of an expert.
    const int64_t n = by_block ? p.blocks : outs, bytes = (n * bits + 7) / 8;
    expect(at.zeros, by_block ? Dims{experts, outs, bytes} : Dims{experts, bytes});
    if (call.tensor(at.zeros).type() != DataType::u8) invalid("expected zero points of uint8, found ", name_of(call.tensor(at.zeros).type()));
    for (int64_t row = 0; row < (by_block ? experts * outs : experts); ++row)
      for (int64_t i = 0; i < n; ++i) p.zeros.push_back(float(packed_code(call.tensor(at.zeros).data<uint8_t>() + row * bytes, i, bits)));
    return p;
  }
};

}  // namespace

Operators contrib_quantized_mixture() {
  return {define<QMoE>({.tolerance = 1e-5, .examples = {
      "float [[1, 2]], float [[0, 9]], uint8 [[[136], [136]], [[153], [153]]], float [[1, 1], [1, 0.5]], , uint8 [[[136], [136]], [[137], [152]]], float [[1, 1], [1, 1]]; normalize_routing_weights=1 -> float [[3, 1.5]]"}})};
}

}  // namespace onward::ops
