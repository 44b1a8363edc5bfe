// Operators of ONNX Runtime that no engine but the one they were written for can run, and what to do about it.
#include "onward/ops/contrib_signatures.h"

namespace onward {

static constexpr std::string_view cublas = "works on matrices laid out for cuBLASLt", qdq = "quantize the float model with QuantizeLinear and DequantizeLinear instead";
static constexpr std::string_view original = "use the model that it was compiled from";
static constexpr std::string_view bfp = "uses a block floating point that is defined by its hardware alone", before_bfp = "use the model from before it was lowered to that hardware";

static constexpr ContribRefusal refusals[] = {
    {"DequantizeBFP", bfp, before_bfp},
    {"DequantizeWithOrder", cublas, qdq},
    {"EPContext", "holds a graph compiled for one execution provider", original},
    {"MatMulFpQ4", "has weights packed for the kernels of one version of ONNX Runtime", "quantize the float model for MatMulNBits instead"},
    {"QOrderedAttention", cublas, qdq},
    {"QOrderedGelu", cublas, qdq},
    {"QOrderedLayerNormalization", cublas, qdq},
    {"QOrderedLongformerAttention", cublas, qdq},
    {"QOrderedMatMul", cublas, qdq},
    {"QuantizeBFP", bfp, before_bfp},
    {"QuantizeWithOrder", cublas, qdq},
    {"Snpe", "holds a network compiled for Qualcomm's neural processing engine", original},
};

std::span<const ContribRefusal> contrib_refusals() { return refusals; }

const ContribRefusal* contrib_refusal(std::string_view domain, std::string_view op) {
  if (domain == "com.microsoft") for (const ContribRefusal& r : refusals) if (r.op == op) return &r;
  return nullptr;
}

}  // namespace onward
