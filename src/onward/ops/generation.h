// Text generation by a decoder that is a subgraph: what GreedySearch and BeamSearch share. The decoder takes the new tokens, their
// positions, a mask of all tokens so far and a cache for each layer, and answers scores of words and the caches as they are then.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

class Decoder {
 public:
  // `first` may be null: then `next` makes the first step too. Throws for graphs of another form.
  Decoder() = default;
  Decoder(const Preparation& at, const GraphRef& next, const GraphRef& first);

  struct State {
    int64_t rows = 0;
    std::vector<int32_t> positions, mask;                 // of every row: the position of its last token; [rows, tokens so far]
    std::vector<Value> caches;
  };
  // Before the first step: all tokens of the prompt; those that `mask` leaves out count as padding.
  State start(const Call& call, std::vector<int32_t> mask, int64_t rows) const;
  // The scores [rows, words] of what follows `tokens` [rows, n], which are the prompt at first and one for each row later.
  Tensor step(const Call& call, State& state, const std::vector<int32_t>& tokens) const;
  // Row i becomes what row from[i] was.
  void reorder(const Call& call, State& state, const std::vector<int64_t>& from) const;

 private:
  std::shared_ptr<const Body> next_, first_;
  size_t layers_ = 0;
  int64_t heads_ = 0, width_ = 0;
  DataType type_ = DataType::f32;
};

// What is forbidden or made less likely before a word is chosen.
struct WordRules {
  int64_t end_token = 0, ngram = 0, shortest = 0;
  float penalty = 1;
  const int32_t *words = nullptr, *first_words = nullptr; // masks [words] and [batch, words]; may be null

  // scores of one row; `so_far` are its tokens; `first` when none was generated yet
  void apply(std::span<float> scores, std::span<const int32_t> so_far, bool first, int64_t batch) const;
};

// The rules that inputs from `place` on give: min_length, … as GreedySearch and BeamSearch order them.
struct WordRulePlaces { size_t shortest, penalty, words, first_words, mask; };
WordRules word_rules(const Call& call, const WordRulePlaces& places, int64_t batch, int64_t words);
std::vector<int32_t> prompt_mask(const Call& call, size_t place, const Tensor& ids, int64_t pad);
int64_t only_number(const Call& call, size_t place, std::string_view name);

}  // namespace onward
