// GroupQueryAttention of com.microsoft: causal attention of grouped heads behind a cache, each entry of the batch with its own length,
// with rotary positions, a local window, soft capping and sinks.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/contrib_attention.h"
#include "onward/ops/normalise_rows.h"
#include "onward/ops/rotate_pairs.h"

namespace onward::ops {
namespace {

enum Input : size_t { query, key, value, past_key, past_value, lengths, longest, cosines, sines, position_ids, attention_bias, head_sink, k_scale, v_scale, q_norm, k_norm, query_lengths };

struct GroupQueryAttention : contrib::GroupQueryAttention {
  void prepare(const Preparation&) const {
    if (num_heads < 1 || kv_num_heads < 1 || num_heads % kv_num_heads != 0) invalid(num_heads, " heads of queries for ", kv_num_heads, " of keys");
    if (k_quant_type != "NONE" || v_quant_type != "NONE") unsupported("a quantised cache (", k_quant_type, ", ", v_quant_type, ")");
    if (sliding_window_cache != 0) unsupported("sliding_window_cache");
    if (causal != 0 && causal != 1) invalid("causal is ", causal, ", expected 0 or 1");
    if (causal == 0 && local_window_size != -1) invalid("local_window_size needs causal=1");
    if (local_window_size < -1) invalid("local_window_size is ", local_window_size);
    if (qk_output < 0 || qk_output > 2) invalid("qk_output is ", qk_output, ", expected 0, 1 or 2");
  }

  void infer(Inference& io) const {
    const Dims& q = io.dims(query);
    if (q.size() != 3) invalid("the query has shape ", shown(q), ", expected three axes");
    const int64_t heads = io.has(key) ? num_heads : num_heads + 2 * kv_num_heads;
    if (!is_symbol(q[2]) && q[2] % heads != 0) invalid("a query of shape ", shown(q), " does not hold ", heads, " heads");
    const int64_t width = io.divide(q[2], heads);
    if (!io.symbols) check(io, q, width);
    const auto total = io.sizes(longest);
    const int64_t room = io.has(past_key) ? io.dims(past_key).size() == 4 ? io.dims(past_key)[2] : -1 : 0;
    const int64_t all = total && total->size() == 1 ? (*total)[0] : io.unknown();
    const int64_t kept = room == 0 ? all : is_symbol(room) || is_symbol(all) ? io.unknown() : std::max(room, all);
    io.output(0, {q[0], q[1], io.multiply(num_heads, width)});
    io.output(1, io.has(past_key) ? io.type(past_key) : io.type(query), {q[0], kv_num_heads, kept, width});
    io.output(2, io.has(past_value) ? io.type(past_value) : io.type(query), {q[0], kv_num_heads, kept, width});
    io.output(3, {q[0], num_heads, q[1], all});
  }

  void run(Call& call) const {
    if (call.tensor(0).type() == DataType::f64) attention<double>(call);
    else attention<float>(call);
  }

 private:
  // Of one entry of the batch: new tokens that count, tokens before them, both together.
  struct Span { int64_t now, before, total; };

  void check(Inference& io, const Dims& q, int64_t width) const {
    if (io.has(key) != io.has(value)) invalid("key and value go together");
    for (size_t i : {size_t(key), size_t(value)})
      if (io.has(i) && io.dims(i) != Dims{q[0], q[1], kv_num_heads * width}) invalid("input ", i, " of shape ", shown(io.dims(i)), " for a query of shape ", shown(q));
    if (io.has(past_key) != io.has(past_value)) invalid("past_key and past_value go together");
    if (io.has(past_key) && (io.dims(past_key).size() != 4 || io.dims(past_key) != Dims{q[0], kv_num_heads, io.dims(past_key)[2], width} || io.dims(past_value) != io.dims(past_key)))
      invalid("a past of shapes ", shown(io.dims(past_key)), " and ", shown(io.dims(past_value)), " for a query of shape ", shown(q));
    if (product(io.dims(lengths), 0, int64_t(io.dims(lengths).size())) != q[0]) invalid("seqlens_k has shape ", shown(io.dims(lengths)), " for a batch of ", q[0]);
    if (const auto total = io.values(longest); !total || total->size() != 1 || (*total)[0] < 0) invalid("total_sequence_length is no size");
    if (do_rotary.value_or(0) && (!io.has(cosines) || !io.has(sines) || io.dims(cosines).size() != 2 || io.dims(cosines) != io.dims(sines) || 2 * io.dims(cosines)[1] > width)) invalid("do_rotary needs caches of cosines and sines for heads of ", width);
    if (io.has(position_ids) && product(io.dims(position_ids), 0, int64_t(io.dims(position_ids).size())) != q[0] * q[1]) invalid("position_ids of shape ", shown(io.dims(position_ids)), " for a query of shape ", shown(q));
    if (io.has(head_sink) && io.dims(head_sink) != Dims{num_heads}) invalid("head_sink has shape ", shown(io.dims(head_sink)), " for ", num_heads, " heads");
    for (size_t i : {size_t(q_norm), size_t(k_norm)}) if (io.has(i) && io.dims(i) != Dims{width}) invalid("input ", i, " has shape ", shown(io.dims(i)), " for heads of ", width);
    if (io.has(query_lengths) && io.dims(query_lengths) != Dims{q[0]}) invalid("query_seqlens has shape ", shown(io.dims(query_lengths)), " for a batch of ", q[0]);
  }

  std::vector<Span> spans(const Call& call, int64_t steps, int64_t total, int64_t room) const {
    const auto last = integers(call.tensor(lengths));
    const auto given = call.has(query_lengths) ? integers(call.tensor(query_lengths)) : std::vector<int64_t>();
    std::vector<Span> out;
    for (size_t b = 0; b < last.size(); ++b) {
      const int64_t all = last[b] + 1, now = given.empty() ? std::min(steps, all) : given[b];
      if (all < 0 || all > total || now < 0 || now > std::min(steps, all)) invalid("an entry of ", all, " tokens, ", now, " of them new, for ", steps, " steps and ", total, " keys");
      if (all - now > room) invalid(all - now, " past tokens in a cache of ", room);
      out.push_back({now, all - now, all});
    }
    return out;
  }

  // Normalised by head where weights are given, then turned to its position.
  template <class C> void place(const Call& call, const Tensor& heads, const Tensor& norm, double epsilon, std::span<const Span> spans) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const bool rotates = do_rotary.value_or(0) != 0;
    const Tensor cos = rotates ? operand(cosines) : Tensor(), sin = rotates ? operand(sines) : Tensor();
    const auto positions = rotates && call.has(position_ids) ? integers(call.tensor(position_ids)) : std::vector<int64_t>();
    const int64_t number = heads.dims()[1], steps = heads.dims()[2], width = heads.dims()[3];
    for (int64_t row = 0; row < heads.dims()[0] * number * steps; ++row) {
      const int64_t b = row / (number * steps), t = row % steps;
      C* const x = heads.data<C>() + row * width;
      if (norm) {
        normalise(x, x, width, moments(x, width, epsilon, false));
        for (int64_t d = 0; d < width; ++d) x[d] *= norm.data<C>()[d];
      }
      if (!rotates || t >= spans[size_t(b)].now) continue;
      const int64_t at = positions.empty() ? spans[size_t(b)].before + t : positions[size_t(b * steps + t)], half = cos.dims()[1];
      if (at < 0 || at >= cos.dims()[0]) invalid("position ", at, " in a cache of ", cos.dims()[0]);
      rotate_pairs(x, x, cos.data<C>() + at * half, sin.data<C>() + at * half, half, rotary_interleaved.value_or(0) != 0);
    }
  }

  // The cache with the new tokens of every entry behind its old ones: `room` entries, 0 where nothing stands.
  template <class C> static Tensor cached(const Call& call, const Tensor& past, const Tensor& now, std::span<const Span> spans, int64_t room) {
    const Dims& d = now.dims();
    Tensor out = call.scratch(type_of<C>, {d[0], d[1], room, d[3]});
    for (int64_t row = 0; row < d[0] * d[1]; ++row) {
      const Span& span = spans[size_t(row / d[1])];
      C* to = out.data<C>() + row * room * d[3];
      if (past) to = std::copy_n(past.data<C>() + row * past.dims()[2] * d[3], span.before * d[3], to);
      to = std::copy_n(now.data<C>() + row * d[2] * d[3], span.now * d[3], to);
      std::fill_n(to, (room - span.total) * d[3], C(0));
    }
    return out;
  }

  template <class C> void attention(Call& call) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const Tensor x = operand(query), old_keys = operand(past_key), old_values = operand(past_value);
    const int64_t batch = x.dims()[0], steps = x.dims()[1], width = call.output(0).dims()[2] / num_heads, total = integers(call.tensor(longest))[0];
    const int64_t old_room = old_keys ? old_keys.dims()[2] : 0, room = std::max(old_room, total), packed = num_heads * width;
    const auto entries = spans(call, steps, total, old_room);
    const auto part = [&](size_t input, int64_t number, int64_t first) { return unpacked_heads<C>(call, call.has(input) ? operand(input) : x, {number, width, call.has(input) ? 0 : first, width}); };
    const Tensor q = part(query, num_heads, 0), k = part(key, kv_num_heads, packed), v = part(value, kv_num_heads, packed + kv_num_heads * width);
    place<C>(call, q, operand(q_norm), q_norm_epsilon.value_or(qk_norm_epsilon), entries);
    place<C>(call, k, operand(k_norm), k_norm_epsilon.value_or(qk_norm_epsilon), entries);
    const Tensor keys = cached<C>(call, old_keys, k, entries, room), values = cached<C>(call, old_values, v, entries, room);
    const AddedScores<C> added{operand(attention_bias)};
    added.check(batch, num_heads, steps, total);
    const Tensor out = call.scratch(type_of<C>, {batch, num_heads, steps, width});
    Tensor sinks = operand(head_sink);
    if (!sinks && smooth_softmax == 1) sinks = Tensor::of(Dims{num_heads}, std::vector<C>(size_t(num_heads), C(0)));
    const Tensor* shows = qk_output && call.wants(3) ? call.outputs[3].tensor() : nullptr;
    const Tensor scores = call.scratch(type_of<C>, shows ? shows->dims() : Dims{0});
    attend<C>(call.context, {batch, num_heads, kv_num_heads, steps, room, width, width, q.data<C>(), keys.data<C>(), values.data<C>(), out.data<C>(), C(scale && *scale != 0 ? double(*scale) : 1 / std::sqrt(double(width))), C(softcap.value_or(0)), sinks ? sinks.data<C>() : nullptr},
              [&](int64_t b, int64_t h, int64_t i, C* s) {
                const Span& span = entries[size_t(b)];
                added(b, h, i, s, std::min(room, total));
                const int64_t end = causal ? std::min(span.before + i + 1, span.total) : span.total;
                std::fill(s + end, s + room, C(-INFINITY));
                if (local_window_size > 0) std::fill(s, s + std::max<int64_t>(end - local_window_size, 0), C(-INFINITY));
              },
              [&](ScoreStage stage, int64_t row, const C* s) {
                if (!shows || stage != (qk_output == 1 ? ScoreStage::biased : ScoreStage::weights)) return;
                for (int64_t i = 0; i < steps; ++i) std::copy_n(s + i * room, total, scores.data<C>() + (row * steps + i) * total);
              });
    store_merged(out, call.output(0));
    if (call.wants(1) && call.outputs[1].tensor()) store(keys, call.output(1));
    if (call.wants(2) && call.outputs[2].tensor()) store(values, call.output(2));
    if (shows) store(scores, *shows);
  }
};

}  // namespace

Operators contrib_group_query_attention() {
  return {define<GroupQueryAttention>({.tolerance = 1e-5, .examples = {
      "float [[[1, 1], [1, 1]]], float [[[0], [0]]], float [[[2], [4]]], , , int32 [1], int32 [2]; num_heads=2, kv_num_heads=1 -> float [[[2, 2], [3, 3]]], float [[[[0], [0]]]], float [[[[2], [4]]]]",
      "float [[[1, 0, 4]]], , , float [[[[0]]]], float [[[[2]]]], int32 [1], int32 [2]; num_heads=1, kv_num_heads=1 -> float [[[3]]], float [[[[0], [0]]]], float [[[[2], [4]]]]",
      "float [[[1, 0, 4]]], , , float [[[[0]]]], float [[[[2]]]], int32 [1], int32 [2]; num_heads=1, kv_num_heads=1, local_window_size=1 -> float [[[4]]]"}})};
}

}  // namespace onward::ops
