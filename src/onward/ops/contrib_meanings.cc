// Operators of ONNX Runtime that are others of the standard, or a few of them in a row: no kernel of their own.
#include "onward/model/text.h"
#include "onward/ops/contrib_signatures.h"

namespace onward {

static constexpr ContribMeaning meanings[] = {
    {"com.microsoft", "BiasAdd", "sum = Add(X, bias)\n Y = Add(sum, skip)"},
    {"com.microsoft", "BiasDropout", R"(
        sum = Add(data, bias)
        dropped, mask = Dropout(sum, ratio, training_mode; seed=@seed)
        nothing = CastLike(float 0, data)
        added = onward.Given(residual, nothing)
        output = Add(dropped, added))"},
    // Softmax of opset 12 flattens the axes from `axis` on, as BiasSoftmax does.
    {"com.microsoft", "BiasSoftmax", "sum = Add(data, bias)\n output = Softmax(sum; axis=@axis)", 12},
    {"com.microsoft", "BiasSplitGelu", "sum = Add(X, bias)\n left, right = Split(sum; axis=-1, num_outputs=2)\n gelu = Gelu(right)\n Y = Mul(left, gelu)"},
    {"com.microsoft", "CausalConvWithState", "output, present_state = CausalConvWithState(input, weight, bias, past_state; activation=@activation)", 28,
     "channels_last:INT=0;dilation:INT=1;input_channel_offset:INT=0;input_channels:INT=0;ndim:INT=1;state_channels_last:INT=-1;state_length:INT=0;state_update_capacity:INT=0;state_window:INT=0"},
    {"com.microsoft", "ComplexMul", R"(
        a, b = Split(A; axis=-1, num_outputs=2)
        c, d = Split(B; axis=-1, num_outputs=2)
        ac = Mul(a, c)
        bd = Mul(b, d)
        ad = Mul(a, d)
        bc = Mul(b, c)
        real = Sub(ac, bd)
        imaginary = Add(ad, bc)
        C = Concat(real, imaginary; axis=-1))"},
    {"com.microsoft", "ComplexMulConj", "signs = CastLike(float [1, -1], B)\n conjugate = Mul(B, signs)\n C = com.microsoft.ComplexMul(A, conjugate)"},
    {"com.microsoft", "DequantizeLinear", "y = DequantizeLinear(x, x_scale, x_zero_point; axis=@axis)"},
    {"com.microsoft", "ExpandDims", "wide = Cast(axis; to=7)\n axes = Reshape(wide, int64 [1])\n Y = Unsqueeze(X, axes)"},
    {"com.microsoft", "FusedConv", R"(
        product = Conv(X, W, B; auto_pad=@auto_pad, dilations=@dilations, group=@group, kernel_shape=@kernel_shape, pads=@pads, strides=@strides)
        Y = onward.Activated(product, Z; activation=@activation, parameters=@activation_params))"},
    {"com.microsoft", "FusedGemm", R"(
        product = Gemm(A, B, C; alpha=@alpha, beta=@beta, transA=@transA, transB=@transB)
        Y = onward.Activated(product; activation=@activation, alpha=@activation_alpha, beta=@activation_beta))"},
    {"com.microsoft", "GatedAdd", "output = onward.MultiplyAdd(Y, gate, X)", 28, "gate_weight:NONE"},
    {"com.microsoft", "GatherND", "wide = Cast(indices; to=7)\n output = GatherND(data, wide)"},
    {"com.microsoft", "Gelu", "Y = Gelu(X)"},
    {"com.microsoft", "GemmFastGelu", "product = MatMul(X, W)\n Y = com.microsoft.FastGelu(product, bias)"},
    {"com.microsoft", "GridSample", "Y = GridSample(X, Grid; align_corners=@align_corners, mode=@mode, padding_mode=@padding_mode)"},
    {"com.microsoft", "Irfft", "spectrum = DFT(X, , int64 -2; onesided=1, inverse=1)\n Y = Squeeze(spectrum, int64 [-1])", 28, "normalized:INT=0;onesided:INT=1;signal_ndim:INT=1"},
    {"com.microsoft", "LinearAttention", R"(
        output, present_state = LinearAttention(query, key, value, past_state, decay, beta;
          chunk_size=@chunk_size, kv_num_heads=@kv_num_heads, q_num_heads=@q_num_heads, scale=@scale, update_rule=@update_rule))", 28, "state_window:INT=0"},
    {"com.microsoft", "LinearAttentionGate", R"(
        wide = Cast(a; to=1)
        sum = Add(wide, dt_bias)
        soft = Softplus(sum)
        rate = Mul(decay_scale, soft)
        decay = CastLike(rate, a)
        beta = Sigmoid(b))"},
    {"com.microsoft", "NhwcFusedConv", R"(
        product = com.microsoft.NhwcConv(X, W, B; auto_pad=@auto_pad, dilations=@dilations, group=@group, kernel_shape=@kernel_shape, pads=@pads, strides=@strides)
        Y = onward.Activated(product, Z; activation=@activation, parameters=@activation_params))"},
    {"com.microsoft", "Pad", "output = Pad(data, pads, value; mode=@mode)"},
    {"com.microsoft", "QAttention", R"(
        x = DequantizeLinear(input, input_scale, input_zero_point)
        w = DequantizeLinear(weight, weight_scale, weight_zero_point; axis=1)
        output, present = com.microsoft.Attention(x, w, bias, mask_index, past; do_rotary=@do_rotary, mask_filter_value=@mask_filter_value, num_heads=@num_heads,
            past_present_share_buffer=@past_present_share_buffer, scale=@scale, unidirectional=@unidirectional))"},
    {"com.microsoft", "QuantizeLinear", "y = QuantizeLinear(x, y_scale, y_zero_point; axis=@axis)"},
    {"com.microsoft", "QuickGelu", "Y = Swish(X; alpha=@alpha)"},
    {"com.microsoft", "Range", "one = CastLike(int64 1, start)\n step = onward.Given(delta, one)\n Y = Range(start, limit, step)"},
    {"com.microsoft", "Rfft", "parts = Unsqueeze(X, int64 [-1])\n Y = DFT(parts, , int64 -2; onesided=1)", 28, "normalized:INT=0;onesided:INT=1;signal_ndim:INT=1"},
    {"com.microsoft", "SampleOp", "Y = Identity(X)"},
    {"com.microsoft", "ScaledSiLU", R"(
        own = Constant(; value_float=@alpha)
        factor = onward.Given(scale, own)
        wide = CastLike(factor, float 0)
        x = Cast(X; to=1)
        product = Mul(x, wide)
        z = CastLike(product, X)
        s = Sigmoid(z)
        Y = Mul(z, s))"},
    {"com.microsoft", "TorchEmbedding", "Y = Gather(weight, indices)"},
    {"com.microsoft", "TransposeMatMul", "Y = com.microsoft.FusedMatMul(A, B; alpha=@alpha, transA=@transA, transB=@transB)"},
    {"com.microsoft", "Trilu", "Y = Trilu(X, k; upper=@upper)"},
    {"com.microsoft", "Unique", "y, first, idx, counts = Unique(x; sorted=0)"},
};

std::span<const ContribMeaning> contrib_meanings() { return meanings; }

std::span<const Signature> contrib_signatures() {
  static const std::vector<Signature> all = [] {
    const auto generated = generated_contrib_signatures();
    std::vector<Signature> out(generated.begin(), generated.end());
    for (const ContribMeaning& m : contrib_meanings())
      for (Signature& s : out) if (s.domain == m.domain && s.op == m.op) s.body = m.body, s.body_opset = m.opset;
    return out;
  }();
  return all;
}

void check_contrib_limits(const Node& node) {
  const auto it = std::find_if(std::begin(meanings), std::end(meanings), [&](const ContribMeaning& m) { return m.domain == node.domain && m.op == node.op; });
  if (it == std::end(meanings)) return;
  for (const AttributeFact& limit : attribute_facts(it->limits)) {
    if (limit.type == "NONE") {
      const auto inputs = ports(signature(node.domain, node.op)->inputs);
      for (size_t i = 0; i < inputs.size() && i < node.inputs.size(); ++i) if (inputs[i].name == limit.name && !node.inputs[i].empty()) unsupported("input '", limit.name, "'");
      continue;
    }
    const auto given = node.attributes.find(limit.name);
    const auto* value = given == node.attributes.end() ? nullptr : std::get_if<int64_t>(&given->second);
    if (value && *value != std::get<int64_t>(parse_attribute(limit.default_text))) unsupported("attribute '", limit.name, "' other than ", limit.default_text);
  }
}

}  // namespace onward
