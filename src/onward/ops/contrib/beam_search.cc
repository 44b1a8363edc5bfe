// BeamSearch: the likeliest sequences, of which `num_beams` are followed side by side. A sequence that ends competes with its total score
// divided by its length to a power. Decoders alone (as GPT-2): a model with an encoder is refused.
#include <cmath>
#include <numeric>
#include "onward/ops/contrib.h"
#include "onward/ops/generation.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

enum Input : size_t { input_ids, max_length, min_length, num_beams, num_return_sequences, length_penalty, repetition_penalty, vocab_mask, prefix_vocab_mask, attention_mask };

constexpr int64_t most_beams = 4096;

struct Sequence { double score; std::vector<int32_t> tokens; };

// One entry of the batch: what has ended so far, the best first, at most as many as there are beams.
struct Finished {
  std::vector<Sequence> best;
  bool done = false;
  void add(std::span<const int32_t> tokens, double total, double power, size_t most) {
    const double score = total / std::pow(double(tokens.size()), power);
    const auto place = std::find_if(best.begin(), best.end(), [&](const Sequence& s) { return s.score < score; });
    best.insert(place, {score, {tokens.begin(), tokens.end()}});
    if (best.size() > most) best.pop_back();
  }
};

struct BeamSearch : contrib::BeamSearch {
  Decoder model;

  void prepare(const Preparation& at) {
    if (model_type != 0 || encoder) unsupported("a model with an encoder (model_type ", model_type, ")");
    if (no_repeat_ngram_size < 0) invalid("no_repeat_ngram_size is ", no_repeat_ngram_size);
    if (at.node.outputs.size() > 2 && !at.node.outputs[2].empty()) unsupported("output 'scores'");
    for (size_t i = 10; i < at.node.inputs.size(); ++i) if (!at.node.inputs[i].empty()) unsupported("input ", i);
    model = Decoder(at, decoder, init_decoder);
  }

  void infer(Inference& io) const {
    const Dims& ids = io.dims(input_ids);
    if (ids.size() != 2) invalid("input_ids have shape ", shown(ids), ", expected two axes");
    const int64_t longest = size(io, max_length, "max_length"), returned = size(io, num_return_sequences, "num_return_sequences"), beams = size(io, num_beams, "num_beams");
    if (!io.symbols && (ids[1] == 0 || longest < ids[1])) invalid("max_length is ", longest, " for prompts of ", shown(ids));
    if (!is_symbol(returned) && !is_symbol(beams) && returned > beams) invalid(returned, " sequences to return from ", beams, " beams");
    io.output(0, DataType::i32, {ids[0], returned, longest}), io.output(1, DataType::f32, {ids[0], returned});
  }

  void run(Call& call) const {
    const Tensor& ids = call.tensor(input_ids);
    const int64_t batch = ids.dims()[0], start = ids.dims()[1], longest = call.output(0).dims()[2], beams = only_number(call, num_beams, "num_beams"), rows = batch * beams;
    if (beams > most_beams) fail(Code::limit_size, beams, " beams, at most ", most_beams, " are followed");
    const auto powers = call.has(length_penalty) ? as_doubles(call.tensor(length_penalty)) : std::vector<double>{1};
    if (powers.size() != 1) invalid("length_penalty has ", powers.size(), " elements, expected 1");
    const double power = powers[0];
    const std::vector<int32_t> mask = prompt_mask(call, attention_mask, ids, pad_token_id);
    std::vector<std::vector<int32_t>> beam;
    std::vector<int32_t> tokens, wide_mask;
    for (int64_t r = 0; r < rows; ++r) {
      const int32_t* row = ids.data<int32_t>() + r / beams * start;
      beam.emplace_back(row, row + start), tokens.insert(tokens.end(), row, row + start);
      wide_mask.insert(wide_mask.end(), mask.begin() + r / beams * start, mask.begin() + (r / beams + 1) * start);
    }
    std::vector<double> totals(static_cast<size_t>(rows), -1e9);       // beams of one entry are equal at first: one of them counts
    for (int64_t b = 0; b < batch; ++b) totals[size_t(b * beams)] = 0;
    std::vector<Finished> finished(static_cast<size_t>(batch));
    Decoder::State state = model.start(call, std::move(wide_mask), rows);
    const auto unfinished = [&] { return std::any_of(finished.begin(), finished.end(), [](const Finished& f) { return !f.done; }); };
    for (int64_t length = start; length < longest && unfinished(); ++length) {
      call.context.check();
      const Tensor scores = candidates(call, model.step(call, state, tokens), beam, beams, length == start);
      const int64_t words = scores.dims()[1];
      std::vector<int64_t> from(static_cast<size_t>(rows));
      std::iota(from.begin(), from.end(), 0);
      tokens.assign(size_t(rows), int32_t(pad_token_id));
      std::vector<double> next(size_t(rows), -1e9);
      for (int64_t b = 0; b < batch; ++b)
        if (!finished[size_t(b)].done) follow({scores.data<float>() + b * beams * words, size_t(beams * words)}, words, beam, b * beams, beams, power, totals, finished[size_t(b)], from, tokens, next);
      model.reorder(call, state, from);
      std::vector<std::vector<int32_t>> extended;
      for (int64_t r = 0; r < rows; ++r) extended.push_back(beam[size_t(from[size_t(r)])]), extended.back().push_back(tokens[size_t(r)]);
      beam = std::move(extended), totals = std::move(next);
    }
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t r = b * beams; r < (b + 1) * beams && !finished[size_t(b)].done; ++r) finished[size_t(b)].add(beam[size_t(r)], totals[size_t(r)], power, size_t(beams));
    write(call, finished);
  }

 private:
  static int64_t size(Inference& io, size_t i, std::string_view name) {
    const auto given = io.sizes(i);
    if (!given) return io.unknown();
    if (given->size() != 1 || (!is_symbol((*given)[0]) && ((*given)[0] < 1 || (*given)[0] > int64_t(1) << 31))) invalid(name, " is no count");
    return (*given)[0];
  }

  // The logarithms of the words' probabilities, under the rules.
  Tensor candidates(const Call& call, const Tensor& scores, std::span<const std::vector<int32_t>> beam, int64_t beams, bool first) const {
    const int64_t words = scores.dims()[1], rows = scores.dims()[0];
    WordRules rules = word_rules(call, {min_length, repetition_penalty, vocab_mask, prefix_vocab_mask, attention_mask}, rows / beams, words);
    rules.end_token = eos_token_id, rules.ngram = no_repeat_ngram_size;
    for (int64_t r = 0; r < rows; ++r) {
      const std::span<float> row(scores.data<float>() + r * words, size_t(words));
      const double top = *std::max_element(row.begin(), row.end());
      double sum = 0;
      for (float x : row) sum += std::exp(x - top);
      for (float& x : row) x = float(x - top - std::log(sum));
      rules.apply(row, beam[size_t(r)], first, r / beams);
    }
    return scores;
  }

  // The best words of one entry: those that end a sequence finish it, the others become the beams of the next step.
  void follow(std::span<const float> scores, int64_t words, std::span<const std::vector<int32_t>> beam, int64_t first, int64_t beams, double power, std::span<const double> totals, Finished& finished,
              std::span<int64_t> from, std::span<int32_t> tokens, std::span<double> next) const {
    std::vector<int64_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    const auto total = [&](int64_t i) { return double(scores[size_t(i)]) + totals[size_t(first + i / words)]; };
    const auto count = std::min<int64_t>(2 * beams, int64_t(order.size()));
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) { return total(a) > total(b) || (total(a) == total(b) && a < b); });
    int64_t kept = 0;
    for (int64_t rank = 0; rank < count && kept < beams; ++rank) {
      const int64_t at = order[size_t(rank)], row = first + at / words;
      if (at % words != eos_token_id) from[size_t(first + kept)] = row, tokens[size_t(first + kept)] = int32_t(at % words), next[size_t(first + kept++)] = total(at);
      else if (rank < beams) finished.add(beam[size_t(row)], total(at), power, size_t(beams));
    }
    const double best = total(order[0]) / std::pow(double(beam[size_t(first)].size()), power);
    finished.done = int64_t(finished.best.size()) == beams && (early_stopping || finished.best.back().score >= best);
  }

  void write(Call& call, std::span<const Finished> finished) const {
    const Tensor& y = call.output(0);
    const int64_t returned = y.dims()[1], longest = y.dims()[2];
    const Tensor* scores = call.wants(1) ? call.outputs[1].tensor() : nullptr;
    std::fill_n(y.data<int32_t>(), y.size(), int32_t(pad_token_id));
    for (size_t b = 0; b < finished.size(); ++b) for (int64_t k = 0; k < returned; ++k) {
      const bool there = size_t(k) < finished[b].best.size();
      if (there) std::copy(finished[b].best[size_t(k)].tokens.begin(), finished[b].best[size_t(k)].tokens.end(), y.data<int32_t>() + (int64_t(b) * returned + k) * longest);
      if (scores) scores->data<float>()[int64_t(b) * returned + k] = there ? float(finished[b].best[size_t(k)].score) : -INFINITY;
    }
  }
};

}  // namespace

Operators contrib_beam_search() { return {define<BeamSearch>()}; }

}  // namespace onward::ops
