// Heads behind a cache in which every entry of a batch has a length of its own, and their rotary positions: what
// GroupQueryAttention and SparseAttention share.
#pragma once
#include "onward/ops/contrib_attention.h"
#include "onward/ops/rotate_pairs.h"

namespace onward {

// One entry of the batch: new tokens that count, cached ones before them that are still there, and the position of the first new one.
struct TokenSpan {
  int64_t now, before, position;
  int64_t rows() const { return before + now; }
  int64_t first() const { return position - before; }     // the position of the first cached token
};

// Queries, keys and values of a node whose first input may hold all three; inputs 0 to 2.
template <class C> struct GroupedHeads {
  Tensor q, k, v;
  GroupedHeads(const Call& call, int64_t heads, int64_t kv_heads, int64_t width) {
    const Tensor x = as_type(call, call.tensor(0), type_of<C>);
    const auto part = [&](size_t input, int64_t number, int64_t first) {
      const bool own = call.has(input) && input > 0;
      return unpacked_heads<C>(call, own ? as_type(call, call.tensor(input), type_of<C>) : x, {number, width, own ? 0 : first, width});
    };
    q = part(0, heads, 0), k = part(1, kv_heads, heads * width), v = part(2, kv_heads, (heads + kv_heads) * width);
  }
};

// Turned to their positions, in place; `positions` of every token, or by the spans where it is empty.
template <class C> void rotate_heads(const Tensor& heads, const Tensor& cos, const Tensor& sin, bool interleaved, std::span<const TokenSpan> spans, std::span<const int64_t> positions) {
  const int64_t number = heads.dims()[1], steps = heads.dims()[2], width = heads.dims()[3], half = cos.dims()[1];
  for (int64_t row = 0; row < heads.dims()[0] * number * steps; ++row) {
    const int64_t b = row / (number * steps), t = row % steps;
    if (t >= spans[size_t(b)].now) continue;
    const int64_t at = positions.empty() ? spans[size_t(b)].position + t : positions[size_t(b * steps + t)];
    if (at < 0 || at >= cos.dims()[0]) invalid("position ", at, " in a cache of ", cos.dims()[0]);
    C* const x = heads.data<C>() + row * width;
    rotate_pairs(x, x, cos.data<C>() + at * half, sin.data<C>() + at * half, half, interleaved);
  }
}

// [batch, heads, room, width]: what the cache holds, the new tokens behind it, zeros behind those. In the output `to` where that has
// this form, so that the cache is not copied twice.
template <class C> Tensor cached_heads(const Call& call, const Tensor& past, const Tensor& now, std::span<const TokenSpan> spans, int64_t room, size_t to_output) {
  const Dims& d = now.dims();
  const Dims dims{d[0], d[1], room, d[3]};
  const Tensor* given = call.wants(to_output) ? call.outputs[to_output].tensor() : nullptr;
  const Tensor out = given && given->type() == type_of<C> && given->dims() == dims ? *given : call.scratch(type_of<C>, dims);
  for (int64_t row = 0; row < d[0] * d[1]; ++row) {
    const TokenSpan& span = spans[size_t(row / d[1])];
    C* to = out.data<C>() + row * room * d[3];
    if (past) to = std::copy_n(past.data<C>() + row * past.dims()[2] * d[3], span.before * d[3], to);
    to = std::copy_n(now.data<C>() + row * d[2] * d[3], span.now * d[3], to);
    std::fill_n(to, (room - span.rows()) * d[3], C(0));
  }
  return out;
}

}  // namespace onward
