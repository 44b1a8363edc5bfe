// What the quantized, packed and text operators of ONNX Runtime say of nodes that do not fit together.
#include <gtest/gtest.h>

#include "onward/model/text.h"
#include "onward/ops/evaluate.h"

namespace onward {
namespace {

// The error of a node of com.microsoft with constant inputs.
Error error_of(const std::string& text) {
  try {
    const Graph graph = parse_nodes("y = com.microsoft." + text);
    std::vector<Value> inputs;
    for (const std::string& name : graph.nodes[0].inputs) inputs.push_back(name.empty() ? Value() : Value(graph.initializers.at(name)));
    evaluate(graph.nodes[0], inputs);
  } catch (const Error& e) {
    return e;
  }
  return {Code::internal, "accepted", ""};
}

struct Row { std::string_view node, says; };

void each_says(std::span<const Row> rows) {
  for (const Row& row : rows) EXPECT_NE(error_of(std::string(row.node)).message.find(row.says), std::string::npos) << row.node << "\n  says " << error_of(std::string(row.node)).message << "\n  expected " << row.says;
}

TEST(ContribQuantized, ScalesAndZeroPoints) {
  constexpr Row rows[] = {
      {"QLinearAdd(uint8 [1], float [1, 2], uint8 0, uint8 [1], float 1, uint8 0, float 1, uint8 0)", "expected one scale, found shape [2]"},
      {"QLinearMul(uint8 [1, 2], float 1, uint8 0, uint8 [1, 2, 3], float 1, uint8 0, float 1, uint8 0)", "[2]"},
      {"QLinearAdd(int8 [1], float 1, uint8 0, int8 [1], float 1, int8 0, float 1, int8 0)", "is uint8, expected int8"},
      {"QLinearConcat(float 1, uint8 0, uint8 [1], float 1; axis=0)", "has 4 inputs, expected scale and zero point and then three for every tensor"},
      {"QLinearConcat(float 1, uint8 0, int8 [1], float 1, int8 0; axis=0)", "expected uint8 as the output's zero point"},
      {"QLinearConcat(float 1, uint8 0, uint8 [[1]], float 1, uint8 0, uint8 [[1, 2]], float 1, uint8 0; axis=0)", "tensors of shapes [1, 1] and [1, 2] along axis 0"},
      {"QLinearSoftmax(uint8 [1], float 1, uint8 0, float 1, uint8 0; opset=0)", "opset is 0, expected 1 or more"},
      {"QLinearAveragePool(uint8 [1], float 1, uint8 0, float 1, uint8 0; kernel_shape=[1])", "expected spatial axes, found shape [1]"},
      {"QLinearReduceMean(uint8 [1], float 1, uint8 0, float 1, uint8 0; axes=[3], keepdims=1)", "axis 3 is outside rank 1"},
      {"MatMulIntegerToFloat(uint8 [[1, 2]], uint8 [[1], [2]], float 1, float [1, 2, 3])", "scales of shape [3] for a product of shape [1, 1]"},
      {"MatMulIntegerToFloat(uint8 [[1, 2]], uint8 [[1], [2]], float 1, float 1, , , float [1, 2])", "a bias of shape [2] for 1 columns"},
      {"DynamicQuantizeMatMul(float [[1, 2]], uint8 [[1], [2]], float 1, uint8 [1, 2, 3])", "zero points of shape [3] for uint8 [2, 1]"},
      {"QGemm(uint8 [[1]], float 1, uint8 0, uint8 [[1]], float 1, uint8 0, , float 1)", "y_scale and y_zero_point belong together"},
      {"QGemm(uint8 [[1, 2]], float 1, uint8 0, uint8 [[1, 2]], float 1, uint8 0)", "cannot multiply [1, 2] by [1, 2]"},
      {"QGemm(uint8 [[1]], float 1, uint8 0, uint8 [[1]], float [1, 2], uint8 0)", "expected one scale of B or 1, found shape [2]"},
      {"QGemm(uint8 [[1]], float 1, uint8 0, uint8 [[1]], float 1, uint8 0, int32 [1, 2])", "C of shape [2] for a product of shape [1, 1]"},
      {"QLinearConv(uint8 [[[1]]], float 1, uint8 0, uint8 [[[1]]], float 1, uint8 0, float 1, uint8 0, int32 [1, 2])", "a bias of shape [2] for 1 filters"},
      {"NhwcConv(float [[[1]]], float [[[1]]], float [1, 2])", "a bias of 2 elements for 1 filters"},
      {"QEmbedLayerNormalization(int32 [[7]], , uint8 [[1]], uint8 [[1]], , uint8 [1], uint8 [1], , float 1, float 1, , float 1, float 1, uint8 0, uint8 0, , uint8 0, uint8 0)",
       "id 7 has no embedding, there are 1"},
      {"DynamicQuantizeLSTM(float [[[0]]], uint8 [[[1, 1, 1, 1]]], uint8 [[[1, 1, 1, 1]]], , , , , , float [1, 2], uint8 [0], float [1], uint8 [0])", "2 scales and 1 zero points for weights uint8 [1, 1, 4]"},
  };
  each_says(rows);
}

TEST(ContribQuantized, PackedWeights) {

  const Row rows[] = {
      {"MatMulNBits(float [[1]], uint8 [[[0]]], float [[1]]; K=1, N=1, block_size=24)", "block_size is 24, expected a power of two from 16 on"},
      {"MatMulNBits(float [[1]], uint8 [[[0]]], float [[1]]; K=1, N=0, block_size=16)", "weights of N = 0 by K = 1"},
      {"MatMulNBits(float [[1]], uint8 [[[0]]], float [[1]]; K=1, N=1, block_size=16, bits=3)", "bits is 3, expected 2, 4 or 8"},
      {"MatMulNBits(float [[1]], uint8 [[[0]]], float [[1]]; K=1, N=1, block_size=16, weight_prepacked=2)", "weights packed for one GPU"},
      {"MatMulNBits(float [[1, 2]], uint8 [[[0]]], float [[1]]; K=1, N=1, block_size=16)", "expected A with 1 columns, found [1, 2]"},
      {"MatMulNBits(float [[1]], uint8 [[[0]]], float [[1]]; K=1, N=1, block_size=16)", "input 1: expected 8 bytes of weights, found 1"},
      {"MatMulNBits(float [[1]], uint8 [[[0, 0, 0, 0]]], float [[1, 2]]; K=1, N=1, block_size=16, bits=2)", "input 2: expected 1 scales, found 2"},
      {"MatMulNBits(float [[1]], uint8 [[[0, 0, 0, 0]]], float [[1]], uint8 [1, 2]; K=1, N=1, block_size=16, bits=2)", "input 3: expected 1 bytes of zero points, found 2"},
      {"MatMulNBits(float [[1]], uint8 [[[0, 0, 0, 0]]], float [[1]], , int32 [5]; K=1, N=1, block_size=16, bits=2)", "g_idx has 5, there are 1 blocks"},
      {"MatMulNBits(float [[1]], uint8 [[[0, 0, 0, 0]]], float [[1]], , , float [1, 2]; K=1, N=1, block_size=16, bits=2)", "a bias of shape [2] for 1 columns"},
      {"MatMulBnb4(float [[1]], uint8 [0], float [1]; K=1, N=1, block_size=16, quant_type=2)", "quant_type is 2, expected 0 (FP4) or 1 (NF4)"},
      {"MatMulBnb4(float [[1]], uint8 [0, 0], float [1]; K=1, N=1, block_size=16, quant_type=1)", "weights of shape [2], expected 1 bytes"},
      {"MatMulBnb4(float [[1]], uint8 [0], float [1, 2]; K=1, N=1, block_size=16, quant_type=1)", "2 scales for 1 weights in blocks of 16"},
      {"GatherBlockQuantized(uint8 [[1]], int32 [0], float [[1]]; bits=5)", "bits is 5, expected 2, 4 or 8"},
      {"GatherBlockQuantized(uint8 [[1]], int32 [0], float [[1]]; block_size=0, bits=8)", "block_size is 0, which only data of small floats may have"},
      {"GatherBlockQuantized(uint8 [[1]], int32 [0], float [[1, 2]]; bits=8)", "scales of shape [1, 2] for uint8 [1, 1], expected [1, 1]"},
      {"GatherBlockQuantized(uint8 [[1]], int32 [0], float [[1]], uint8 [[1, 2]]; bits=8)", "zero points of shape [1, 2], expected [1, 1]"},
      {"GatherBlockQuantized(uint8 [[1]], int32 [0], float [[1]]; gather_axis=1)", "gather_axis is 1, packed data have it at 0"},
      {"GatherBlockQuantized(float [[1]], int32 [0], float [[1]])", "input 'data' is float, expected uint8|"},
      {"QMoE(float [[1]], float [[1]], uint8 [[[1]]], float [[1]], , uint8 [[[1]]], float [[1]]; quant_type=\"fp8\")", "quant_type 'fp8'"},
      {"QMoE(float [[1]], float [[1]], uint8 [[[1]]], float [[1]], , uint8 [[[1]]], float [[1]])", "rows of 1 codes of 4 bits in blocks of 1"},
      {"QMoE(float [[1, 2]], float [[1]], uint8 [[[1, 2]]], float [[1]], , uint8 [[[1]]], float [[1]])", "input 2 is uint8 [1, 1, 2], expected shape [1, 1, 1]"},
  };
  each_says(rows);
}

TEST(ContribQuantized, Tokens) {
  constexpr Row rows[] = {
      {"Tokenizer(string [\"a\"]; mark=0, mincharnum=0, pad_value=\"\", separators=[\" \"])", "mincharnum is 0, expected 1 or more"},
      {"Tokenizer(string [\"a\"]; mark=0, mincharnum=2, pad_value=\"\", tokenexp=\".\")", "single characters are never as long"},
      {"Tokenizer(string [\"a\"]; mark=0, mincharnum=1, pad_value=\"\")", "expected separators or a tokenexp"},
      {"Tokenizer(string [\"a\"]; mark=0, mincharnum=1, pad_value=\"\", separators=[\"(\"])", "pattern '(': missing ): ("},
      {"Tokenizer(string [[[\"a\"]]]; mark=0, mincharnum=1, pad_value=\"\", separators=[\" \"])", "expected strings of shape [C] or [N, C], found [1, 1, 1]"},
      {"IsAllFinite(float [1]; isinf_only=1, isnan_only=1)", "isinf_only and isnan_only exclude each other"},
  };
  each_says(rows);
}

}  // namespace
}  // namespace onward
