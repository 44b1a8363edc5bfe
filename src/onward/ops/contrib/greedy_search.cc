// GreedySearch: the likeliest word at every step, until all rows have ended or are as long as asked for. The word that ends a row is not
// kept; what is behind it is padding. Decoders alone (as GPT-2): a model with an encoder is refused.
#include "onward/ops/contrib.h"
#include "onward/ops/generation.h"

namespace onward::ops {
namespace {

struct GreedySearch : contrib::GreedySearch {
  Decoder model;

  void prepare(const Preparation& at) {
    if (model_type != 0 || encoder) unsupported("a model with an encoder (model_type ", model_type, ")");
    if (no_repeat_ngram_size < 0) invalid("no_repeat_ngram_size is ", no_repeat_ngram_size);
    model = Decoder(at, decoder, init_decoder);
  }

  void infer(Inference& io) const {
    const Dims& ids = io.dims(0);
    if (ids.size() != 2) invalid("input_ids have shape ", shown(ids), ", expected two axes");
    const auto longest = io.sizes(1);
    if (longest && longest->size() != 1) invalid("max_length has ", longest->size(), " elements, expected 1");
    if (longest && !is_symbol((*longest)[0]) && ((*longest)[0] < 1 || (!is_symbol(ids[1]) && (*longest)[0] < ids[1]))) invalid("max_length is ", (*longest)[0], " for prompts of ", shown(ids));
    if (!io.symbols && ids[1] == 0) invalid("the prompt has no tokens");
    io.output(0, DataType::i32, {ids[0], longest ? (*longest)[0] : io.unknown()});
  }

  void run(Call& call) const {
    const Tensor &ids = call.tensor(0), &y = call.output(0);
    const int64_t batch = ids.dims()[0], start = ids.dims()[1], longest = y.dims()[1];
    std::vector<std::vector<int32_t>> rows;
    for (int64_t b = 0; b < batch; ++b) rows.emplace_back(ids.data<int32_t>() + b * start, ids.data<int32_t>() + (b + 1) * start);
    std::vector<bool> done(static_cast<size_t>(batch));
    std::vector<int32_t> tokens(ids.values<int32_t>().begin(), ids.values<int32_t>().end());
    Decoder::State state = model.start(call, prompt_mask(call, 6, ids, pad_token_id), batch);
    for (int64_t length = start; length < longest && std::find(done.begin(), done.end(), false) != done.end(); ++length) {
      call.context.check();
      const Tensor scores = model.step(call, state, tokens);
      const int64_t words = scores.dims()[1];
      WordRules rules = word_rules(call, {2, 3, 4, 5, 6}, batch, words);
      rules.end_token = eos_token_id, rules.ngram = no_repeat_ngram_size;
      tokens.clear();
      for (int64_t b = 0; b < batch; ++b) {
        const std::span<float> row(scores.data<float>() + b * words, size_t(words));
        rules.apply(row, rows[size_t(b)], length == start, b);
        const auto best = int32_t(std::max_element(row.begin(), row.end()) - row.begin());
        done[size_t(b)] = done[size_t(b)] || best == eos_token_id;
        tokens.push_back(done[size_t(b)] ? int32_t(pad_token_id) : best);
        rows[size_t(b)].push_back(tokens.back());
      }
    }
    std::fill_n(y.data<int32_t>(), y.size(), int32_t(pad_token_id));
    for (int64_t b = 0; b < batch; ++b) std::copy(rows[size_t(b)].begin(), rows[size_t(b)].end(), y.data<int32_t>() + b * longest);
  }
};

}  // namespace

Operators contrib_greedy_search() { return {define<GreedySearch>()}; }

}  // namespace onward::ops
