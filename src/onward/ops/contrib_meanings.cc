// Operators of ONNX Runtime that are others of the standard, or a few of them in a row: no kernel of their own.
#include "onward/ops/contrib_signatures.h"

namespace onward {

// Softmax of opset 12 flattens the axes from `axis` on, as BiasSoftmax does.
static constexpr ContribMeaning meanings[] = {
    {"com.microsoft", "BiasAdd", "sum = Add(X, bias)\n Y = Add(sum, skip)"},
    {"com.microsoft", "BiasSoftmax", "sum = Add(data, bias)\n output = Softmax(sum; axis=@axis)", 12},
    {"com.microsoft", "BiasSplitGelu", "sum = Add(X, bias)\n left, right = Split(sum; axis=-1, num_outputs=2)\n gelu = Gelu(right)\n Y = Mul(left, gelu)"},
    {"com.microsoft", "Gelu", "Y = Gelu(X)"},
    {"com.microsoft", "QuickGelu", "Y = Swish(X; alpha=@alpha)"},
    {"com.microsoft", "TransposeMatMul", "Y = com.microsoft.FusedMatMul(A, B; alpha=@alpha, transA=@transA, transB=@transB)"},
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

}  // namespace onward
