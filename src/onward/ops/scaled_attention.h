// Scaled products of queries and keys, through softmax, as weights of the values: what every attention operator comes down to.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

// Where the scores may be looked at on their way: scaled, softly capped, with the bias added, as weights.
enum class ScoreStage : uint8_t { scaled, capped, biased, weights };

// C is float or double. Heads of queries are grouped over those of keys.
template <class C> struct ScaledAttention {
  int64_t batch = 0, heads = 0, kv_heads = 0, queries = 0, keys = 0, width = 0, value_width = 0;
  const C *q = nullptr, *k = nullptr, *v = nullptr;       // [batch, heads, queries, width], [batch, kv_heads, keys, width or value_width]
  C* out = nullptr;                                       // [batch, heads, queries, value_width]
  C scale = 1, softcap = 0;                               // softcap 0: none
  const C* sinks = nullptr;                               // of every head: one more score in the denominator of softmax; may be null
};

// Adds to the scores of one query: -inf where a key must not be seen. A query that sees none answers zeros.
template <class C> using ScoreBias = FunctionRef<void(int64_t batch, int64_t head, int64_t query, C* scores)>;
// `row` counts [batch, heads]; scores are [queries, keys].
template <class C> using ScoreViewer = FunctionRef<void(ScoreStage stage, int64_t row, const C* scores)>;

template <class C> void attend(const RunContext& context, const ScaledAttention<C>& a, ScoreBias<C> bias, ScoreViewer<C> view);

}  // namespace onward
