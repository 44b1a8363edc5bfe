// What a user reads when a node of ONNX Runtime's own operators does not fit: each row is a node and a part of the message.
#include <gtest/gtest.h>

#include "onward/model/text.h"
#include "onward/ops/evaluate.h"
#include "onward/ops/upgrade.h"

namespace onward {
namespace {

struct Row { std::string_view node, message; Code code = Code::bad_value; };
constexpr Code no = Code::unsupported_operator;

constexpr Row rows[] = {
    {"BiasGelu(float [[1, 2]], float [1, 2, 3])", "cannot broadcast [1, 2] with [3]"},
    {"BiasGelu(float [1], float [1, 2])", "a bias of shape [2] for an input of shape [1]"},
    {"FusedMatMul(float [[1, 2]], float [[1, 2]])", "cannot multiply [1, 2] by [1, 2]"},
    {"SkipLayerNormalization(float [[1, 2]], float [[1]], float [1, 2])", "a skip of shape [1, 1] for an input of shape [1, 2]"},
    {"SkipLayerNormalization(float [[1, 2]], float [[1, 2]], float [1])", "input 2 has shape [1], expected [2]"},
    {"GroupNorm(float [[[1, 2, 3]]], float [1, 1, 1], float [0, 0, 0]; groups=2, activation=0)", "3 channels in 2 groups"},
    {"GroupNorm(float [[[1, 2]]], float [1, 1], float [0, 0]; groups=2, activation=7)", "activation is 7, expected 0 or 1"},
    {"EmbedLayerNormalization(int32 [[2]], , float [[1]], float [[1]], , float [1], float [1])", "a word of 2 in a table of 1"},
    {"Attention(float [[[1]]], float [[1, 1]]; num_heads=1)", "weights of 2 columns, expected a multiple of 3"},
    {"Attention(float [[[1]]], float [[1, 1, 1]]; num_heads=2)", "hidden sizes of 1 and 1 for 2 heads"},
    {"Attention(float [[[1]]], float [[1, 1, 1]]; num_heads=1, do_rotary=1)", "do_rotary", no},
    {"Attention(float [[[1]]], float [[1, 1, 1]], , int32 [1, 1, 1, 1, 1]; num_heads=1)", "a mask of shape [5] for 1 x 1 queries and 1 keys", no},
    {"MultiHeadAttention(float [[[1, 1, 1]]]; num_heads=2)", "does not hold keys and values of 2 heads"},
    {"MultiHeadAttention(float [[[1]]], float [[[1]]], float [[[1], [1]]]; num_heads=1)", "do not go together"},
    {"GroupQueryAttention(float [[[1]]], float [[[1]]], float [[[1]]], , , int32 [3], int32 [1]; num_heads=1, kv_num_heads=1)", "an entry of 4 tokens, 1 of them new, for 1 steps and 1 keys"},
    {"GroupQueryAttention(float [[[1]]], , , , , int32 [0], int32 [1]; num_heads=3, kv_num_heads=2)", "3 heads of queries for 2 of keys"},
    {"GroupQueryAttention(float [[[1]]], , , , , int32 [0], int32 [1]; num_heads=1, kv_num_heads=1, k_quant_type=\"PER_TENSOR\")", "a quantised cache", no},
    {"RotaryEmbedding(float [[[1, 2]]], int64 [7], float [[1]], float [[0]])", "position 7 in a cache of 1"},
    {"CDist(float [[1]], float [[1]]; metric=\"yule\")", "metric 'yule'", no},
    {"CDist(float [[1]], float [[1, 2]])", "rows of one length"},
    {"Inverse(float [[1, 2], [2, 4]])", "matrix 0 is singular"},
    {"Inverse(float [[1, 2]])", "expected square matrices, found shape [1, 2]"},
    {"CropAndResize(float [[[[1]]]], float [[0, 0, 1, 1]], int32 [3], int32 [1, 1])", "image 3 in a batch of 1"},
    {"RemovePadding(float [[[1]]], int32 [2])", "2 tokens in an entry of 1"},
    {"RestorePadding(float [[1]], int32 [[5]])", "offset 5 among 1 places"},
    {"RelativePositionBias(float [[1]], int64 [1], int64 [1]; max_distance=8)", "expected at least four buckets"},
    {"MoE(float [[1]], float [[0]], float [[[1]]], , float [[[1]]]; k=2)", "the best 2 of 1 experts"},
    {"MoE(float [[1]], float [[0]], float [[[1]]], , float [[[1]]]; activation_type=\"tanh\")", "activation_type 'tanh'", no},
    {"QMoE(float [[1]], float [[0]], uint8 [[[1]]], float [[1]], , uint8 [[[1]]], float [[1]]; quant_type=\"fp4\")", "quant_type 'fp4'", no},
    {"NGramRepeatBlock(int64 [[9]], float [[1]]; ngram_size=1)", "token 9 among 1 words"},
    {"UnfoldTensor(float [1]; size=2)", "slices of 2 from an axis of 1"},
    {"WordConvEmbedding(int32 [[3]], float [[[[1]]]], float [0], float [[0]])", "character 3 in a table of 1"},
    {"Rfft(float [1, 2]; signal_ndim=2)", "attribute 'signal_ndim' other than 1", no},
    {"GatedAdd(float [[1]], float [[1]], float [[1]], float [[1]])", "input 'gate_weight'", no},
    {"FusedGemm(float [[1]], float [[1]]; activation=\"Nonsense\")", "activation function Nonsense", no},
};

TEST(ContribErrors, SayWhatDoesNotFit) {
  for (const Row& row : rows) {
    Model model;
    model.graph = parse_nodes("y = com.microsoft." + std::string(row.node));
    model.opsets = {{"", 21}, {"com.microsoft", 1}};
    try {
      modernise(model);
      std::map<std::string, Value> values;
      for (const auto& [name, tensor] : model.graph.initializers) values[name] = tensor;
      for (const Node& node : model.graph.nodes) {
        std::vector<Value> inputs;
        for (const std::string& name : node.inputs) inputs.push_back(name.empty() ? Value() : values.at(name));
        const auto outputs = evaluate(node, inputs);
        for (size_t k = 0; k < outputs.size(); ++k) values[node.outputs[k]] = outputs[k];
      }
      ADD_FAILURE() << "accepted: " << row.node;
    } catch (const Error& e) {
      EXPECT_NE(e.message.find(row.message), std::string::npos) << row.node << ": " << e.message;
      EXPECT_EQ(e.code, row.code) << row.node << ": " << e.message;
    }
  }
}

}  // namespace
}  // namespace onward
