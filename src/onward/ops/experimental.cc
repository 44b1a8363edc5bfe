// Experimental operators of the first opsets that the standard no longer lists, in standard ones. Converters of that time wrote them
// (those from Core ML: ImageScaler), and ONNX Runtime still runs them.
#include "onward/ops/contrib_signatures.h"

namespace onward {

static constexpr Signature table[] = {
    {"", "Affine", 1, "X:T", "Y:T", "alpha:FLOAT=1.0f;beta:FLOAT=0.0f", 21, R"(
        alpha = Constant(; value_float=@alpha)
        beta = Constant(; value_float=@beta)
        factor = CastLike(alpha, X)
        addend = CastLike(beta, X)
        Y = onward.MultiplyAdd(X, factor, addend))"},
    {"", "ImageScaler", 1, "input:T", "output:T", "bias:FLOATS;scale:FLOAT=1.0f", 21, R"(
        scale = Constant(; value_float=@scale)
        bias = Constant(; value_floats=@bias)
        n = Shape(bias)
        scales = Expand(scale, n)
        factor = CastLike(scales, input)
        addend = CastLike(bias, input)
        mean = ConstantOfShape(n)
        variance = Add(mean, float 1)
        output = BatchNormalization(input, factor, addend, mean, variance; epsilon=0.0))"},
    {"", "ParametricSoftplus", 1, "X:T", "Y:T", "alpha:FLOAT!;beta:FLOAT!", 21, R"(
        alpha = Constant(; value_float=@alpha)
        beta = Constant(; value_float=@beta)
        factor = CastLike(alpha, X)
        steepness = CastLike(beta, X)
        steep = Mul(X, steepness)
        soft = Softplus(steep)
        Y = Mul(soft, factor))"},
    {"", "Scale", 1, "input:T", "output:T", "scale:FLOAT=1.0f", 21, R"(
        scale = Constant(; value_float=@scale)
        factor = CastLike(scale, input)
        output = Mul(input, factor))"},
    {"", "ScaledTanh", 1, "input:T", "output:T", "alpha:FLOAT!;beta:FLOAT!", 21, R"(
        alpha = Constant(; value_float=@alpha)
        beta = Constant(; value_float=@beta)
        factor = CastLike(alpha, input)
        steepness = CastLike(beta, input)
        steep = Mul(input, steepness)
        flat = Tanh(steep)
        output = Mul(flat, factor))"},
};

std::span<const Signature> experimental_signatures() { return table; }

}  // namespace onward
