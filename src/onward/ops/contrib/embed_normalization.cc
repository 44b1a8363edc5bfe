// EmbedLayerNormalization: rows of a word table, a position table and a segment table added, then normalised; and how many tokens of
// every sentence its mask keeps.
#include "onward/ops/contrib.h"
#include "onward/ops/normalise_rows.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

enum Input : size_t { input_ids, segment_ids, word_table, position_table, segment_table, gamma_vector, beta_vector, mask_input, position_ids };

struct EmbedLayerNormalization : contrib::EmbedLayerNormalization {
  void infer(Inference& io) const {
    const Dims &ids = io.dims(input_ids), &words = io.dims(word_table);
    if (ids.size() != 2 || words.size() != 2) invalid("words of shape ", shown(ids), " and a table of shape ", shown(words), ", expected two axes");
    if (!io.symbols) check(io, ids, words[1]);
    io.output(0, io.type(word_table), {ids[0], ids[1], words[1]});
    io.output(1, DataType::i32, {ids[0]});
    io.output(2, io.type(word_table), {ids[0], ids[1], words[1]});
  }

  void run(Call& call) const {
    if (call.tensor(word_table).type() == DataType::f64) embed<double>(call);
    else embed<float>(call);
  }

 private:
  static void check(Inference& io, const Dims& ids, int64_t width) {
    if (io.has(segment_ids) != io.has(segment_table)) invalid("segment_ids and segment_embedding go together");
    for (size_t i : {size_t(position_table), size_t(segment_table)}) if (io.has(i) && (io.dims(i).size() != 2 || io.dims(i)[1] != width)) invalid("input ", i, " has shape ", shown(io.dims(i)), ", expected rows of ", width);
    for (size_t i : {size_t(gamma_vector), size_t(beta_vector)}) if (io.dims(i) != Dims{width}) invalid("input ", i, " has shape ", shown(io.dims(i)), ", expected [", width, "]");
    for (size_t i : {size_t(segment_ids), size_t(mask_input)}) if (io.has(i) && io.dims(i) != ids) invalid("input ", i, " has shape ", shown(io.dims(i)), ", expected ", shown(ids));
    if (io.has(position_ids) && io.dims(position_ids) != ids && io.dims(position_ids) != Dims{1, ids[1]}) invalid("position_ids have shape ", shown(io.dims(position_ids)), " for words of ", shown(ids));
  }

  template <class C> void embed(Call& call) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const auto ids = [&](size_t i) { return call.has(i) ? integers(call.tensor(i)) : std::vector<int64_t>(); };
    const Tensor words = operand(word_table), positions = operand(position_table), segments = operand(segment_table), gamma = operand(gamma_vector), beta = operand(beta_vector);
    const auto word = ids(input_ids), segment = ids(segment_ids), position = ids(position_ids);
    const Tensor& y = call.output(0);
    const int64_t steps = y.dims()[1], n = y.dims()[2], rows = int64_t(word.size());
    const auto row_of = [&](const Tensor& table, int64_t row, const char* what) {
      if (row < 0 || row >= table.dims()[0]) invalid("a ", what, " of ", row, " in a table of ", table.dims()[0]);
      return table.data<C>() + row * n;
    };
    const Tensor sum = call.scratch(type_of<C>, y.dims()), to = y.type() == type_of<C> ? y : call.scratch(type_of<C>, y.dims());
    for (int64_t row = 0; row < rows; ++row) {
      const C *w = row_of(words, word[size_t(row)], "word"), *p = row_of(positions, position.empty() ? row % steps : position[size_t(row) % position.size()], "position");
      const C* g = segments ? row_of(segments, segment[size_t(row)], "segment") : nullptr;
      C *s = sum.data<C>() + row * n, *out = to.data<C>() + row * n;
      for (int64_t i = 0; i < n; ++i) s[i] = g ? w[i] + p[i] + g[i] : w[i] + p[i];
      normalise(s, out, n, moments(s, n, epsilon, true), gamma.data<C>(), beta.data<C>());
    }
    store(to, y);
    if (call.wants(1) && call.outputs[1].tensor()) count_kept(call, ids(mask_input), steps);
    if (call.wants(2) && call.outputs[2].tensor()) store(sum, call.output(2));
  }

  static void count_kept(Call& call, const std::vector<int64_t>& mask, int64_t steps) {
    const Tensor& kept = call.output(1);
    for (int64_t b = 0; b < kept.size(); ++b) {
      int32_t n = 0;
      for (int64_t t = 0; !mask.empty() && t < steps; ++t) n += mask[size_t(b * steps + t)] == 1;
      kept.data<int32_t>()[b] = n;
    }
  }
};

}  // namespace

Operators contrib_embed_normalization() {
  return {define<EmbedLayerNormalization>({.tolerance = 1e-5, .examples = {
      "int32 [[1, 0]], , float [[1, 2], [0, 0]], float [[0, 1], [0, 2]], , float [1, 1], float [0, 1], int32 [[1, 0]]; epsilon=0.0 -> float [[[-1, 2], [-1, 2]]], int32 [1], float [[[0, 1], [1, 4]]]",
      "int32 [[0]], int32 [[1]], float [[1, 2]], float [[0, 0]], float [[9, 9], [0, 1]], float [1, 1], float [0, 0]; epsilon=0.0 -> float [[[-1, 1]]]"}})};
}

}  // namespace onward::ops
