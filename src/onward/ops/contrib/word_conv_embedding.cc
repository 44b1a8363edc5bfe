// WordConvEmbedding: a vector for every word from its characters: a convolution over their embeddings, tanh, the largest by position.
// A word is a row of character numbers, 0 behind its end.
#include "onward/ops/contrib.h"
#include "onward/ops/matrix_product.h"
#include "onward/ops/operator.h"
#include "onward/ops/transpose.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// tanh rises everywhere: the largest of a column is that of its largest sum.
struct LargestTanh {
  [[gnu::always_inline]] static void run(const float* sums, int64_t positions, int64_t filters, float* best) {
    std::copy_n(sums, filters, best);
    for (int64_t p = 1; p < positions; ++p)
#pragma GCC ivdep
      for (int64_t f = 0; f < filters; ++f) best[f] = std::max(best[f], sums[p * filters + f]);
    for (int64_t f = 0; f < filters; ++f) best[f] = simd::tanh(best[f]);
  }
};

struct WordConvEmbedding : contrib::WordConvEmbedding {
  void infer(Inference& io) const {
    const Dims &words = io.dims(0), &w = io.dims(1), &table = io.dims(3);
    if (words.size() != 2 || w.size() != 4 || table.size() != 2) invalid("words of shape ", shown(words), ", weights of ", shown(w), " and characters of ", shown(table), ", expected two, four and two axes");
    if (!io.symbols) {
      if (w[1] != 1 || w[3] != table[1] || io.dims(2) != Dims{w[0]}) invalid("weights of shape ", shown(w), " with a bias of ", shown(io.dims(2)), " for characters of shape ", shown(table));
      if (w[2] < 1 || w[2] > words[1]) invalid("a window of ", w[2], " characters for words of ", words[1]);
      if (embedding_size.value_or(w[0]) != w[0] || conv_window_size.value_or(w[2]) != w[2] || char_embedding_size.value_or(w[3]) != w[3]) invalid("embedding_size, conv_window_size or char_embedding_size differ from weights of shape ", shown(w));
    }
    io.output(0, {words[0], w[0]});
  }

  void run(const RunContext& context, Integers characters, In<float> w, In<float> bias, In<float> table, Out<float> y) const {
    const int64_t words = y.dims[0], filters = w.dims[0], window = w.dims[2], width = w.dims[3], longest = words ? int64_t(characters.size()) / words : 0;
    for (int64_t c : characters) if (c < 0 || c >= table.dims[0]) invalid("character ", c, " in a table of ", table.dims[0]);
    const Tensor turned = transposed(Tensor::view(DataType::f32, {filters, window * width}, w.data), {1, 0});
    const PackedMatrix<float> weights(turned.data<float>(), window * width, filters);
    context.parallel(words, 0.1 * double(filters * window * width * longest), [&](int64_t begin, int64_t end) {
      std::vector<float> windows, sums;
      for (int64_t word = begin; word < end; ++word) {
        const int64_t* chars = characters.begin() + word * longest;
        const int64_t length = std::find(chars, chars + longest, 0) - chars, positions = std::max<int64_t>(length - window + 1, 1);
        windows.resize(size_t(positions * window * width)), sums.resize(size_t(positions * filters));
        for (int64_t p = 0; p < positions; ++p)
          for (int64_t k = 0; k < window; ++k) std::copy_n(table.data + chars[p + k] * width, width, windows.data() + (p * window + k) * width);
        weights.product(windows.data(), sums.data(), positions, {.bias = bias.data});
        simd::Compiled<LargestTanh, const float*, int64_t, int64_t, float*>::best(sums.data(), positions, filters, y.data + word * filters);
      }
    });
  }
};

}  // namespace

Operators contrib_word_conv_embedding() {
  return {define<WordConvEmbedding>({.tolerance = 1e-6, .examples = {
      "int32 [[1, 2], [1, 0]], float [[[[1]]]], float [0], float [[0], [0.5], [1]] -> float [[0.76159416], [0.46211716]]"}})};
}

}  // namespace onward::ops
