// GroupQueryAttention of com.microsoft: causal attention of grouped heads behind a cache, each entry of the batch with its own length,
// with rotary positions, a local window, soft capping and sinks.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/grouped_cache.h"
#include "onward/ops/normalise_rows.h"

namespace onward::ops {
namespace {

enum Input : size_t { query, key, value, past_key, past_value, lengths, longest, cosines, sines, position_ids, attention_bias, head_sink, k_scale, v_scale, q_norm, k_norm, query_lengths };

constexpr size_t no_output = SIZE_MAX;

struct GroupQueryAttention : contrib::GroupQueryAttention {
  void prepare(const Preparation&) const {
    if (num_heads < 1 || kv_num_heads < 1 || num_heads % kv_num_heads != 0) invalid(num_heads, " heads of queries for ", kv_num_heads, " of keys");
    if (k_quant_type != "NONE" || v_quant_type != "NONE") unsupported("a quantised cache (", k_quant_type, ", ", v_quant_type, ")");
    if (sliding_window_cache != 0 && local_window_size < 1) invalid("sliding_window_cache needs a local_window_size");
    if (causal != 0 && causal != 1) invalid("causal is ", causal, ", expected 0 or 1");
    if (causal == 0 && local_window_size != -1) invalid("local_window_size needs causal=1");
    if (local_window_size < -1) invalid("local_window_size is ", local_window_size);
    if (qk_output != 0 && sliding_window_cache != 0) unsupported("qk_output with sliding_window_cache");
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
    const int64_t kept = sliding_window_cache ? room : room == 0 ? all : is_symbol(room) || is_symbol(all) ? io.unknown() : std::max(room, all);
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

  // How many of `total` tokens a window-sized cache still holds: when it is full, as many go at once as exceed the window.
  int64_t resident(int64_t total, int64_t room) const {
    if (sliding_window_cache == 0 || total <= room) return total;
    const int64_t each = room - local_window_size + 1;
    return total - each * ((total - room + each - 1) / each);
  }

  std::vector<TokenSpan> spans(const Call& call, int64_t steps, int64_t total, int64_t room) const {
    const auto last = integers(call.tensor(lengths));
    const auto given = call.has(query_lengths) ? integers(call.tensor(query_lengths)) : std::vector<int64_t>();
    if (sliding_window_cache != 0 && room < local_window_size) invalid("a cache of ", room, " for a window of ", local_window_size);
    std::vector<TokenSpan> out;
    for (size_t b = 0; b < last.size(); ++b) {
      const int64_t all = last[b] + 1, now = given.empty() ? std::min(steps, all) : given[b];
      if (all < 0 || all > total || now < 0 || now > std::min(steps, all)) invalid("an entry of ", all, " tokens, ", now, " of them new, for ", steps, " steps and ", total, " keys");
      const int64_t before = resident(all - now, room);
      if (before > room) invalid(before, " past tokens in a cache of ", room);
      out.push_back({now, before, all - now});
    }
    return out;
  }

  template <class C> static void normalise_heads(const Tensor& heads, const Tensor& weights, double epsilon) {
    const int64_t width = heads.dims()[3];
    for (C* x = heads.data<C>(); weights && x < heads.data<C>() + heads.size(); x += width) normalise(x, x, width, moments(x, width, epsilon, false), weights.data<C>());
  }

  // What stays of the cache: the last entries that are resident, from row 0 on.
  template <class C> void keep(const Call& call, const Tensor& cache, std::span<const TokenSpan> spans, const Tensor& to) const {
    if (sliding_window_cache == 0) return store(cache, to);
    const int64_t heads = to.dims()[1], room = to.dims()[2], width = to.dims()[3];
    const Tensor kept = call.scratch(type_of<C>, to.dims());
    std::fill_n(kept.data<C>(), kept.size(), C(0));
    for (int64_t row = 0; row < to.dims()[0] * heads; ++row) {
      const TokenSpan& span = spans[size_t(row / heads)];
      const int64_t n = resident(span.position + span.now, room);
      std::copy_n(cache.data<C>() + (row * cache.dims()[2] + span.rows() - n) * width, n * width, kept.data<C>() + row * room * width);
    }
    store(kept, to);
  }

  template <class C> void attention(Call& call) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const Tensor old_keys = operand(past_key), old_values = operand(past_value);
    const int64_t batch = call.tensor(query).dims()[0], steps = call.tensor(query).dims()[1], width = call.output(0).dims()[2] / num_heads, total = integers(call.tensor(longest))[0];
    const int64_t old_room = old_keys ? old_keys.dims()[2] : 0, room = sliding_window_cache ? old_room + steps : std::max(old_room, total);
    const auto entries = spans(call, steps, total, old_room);
    const GroupedHeads<C> all(call, num_heads, kv_num_heads, width);
    const Tensor &q = all.q, &k = all.k, &v = all.v;
    normalise_heads<C>(q, operand(q_norm), q_norm_epsilon.value_or(qk_norm_epsilon)), normalise_heads<C>(k, operand(k_norm), k_norm_epsilon.value_or(qk_norm_epsilon));
    if (do_rotary.value_or(0)) {
      const auto positions = call.has(position_ids) ? integers(call.tensor(position_ids)) : std::vector<int64_t>();
      for (const Tensor& heads : {q, k}) rotate_heads<C>(heads, operand(cosines), operand(sines), rotary_interleaved.value_or(0) != 0, entries, positions);
    }
    const Tensor keys = cached_heads<C>(call, old_keys, k, entries, room, sliding_window_cache ? no_output : 1), values = cached_heads<C>(call, old_values, v, entries, room, sliding_window_cache ? no_output : 2);
    const AddedScores<C> added{operand(attention_bias)};
    added.check(batch, num_heads, steps, total);
    const Tensor out = call.scratch(type_of<C>, {batch, num_heads, steps, width});
    Tensor sinks = operand(head_sink);
    if (!sinks && smooth_softmax == 1) sinks = Tensor::of(Dims{num_heads}, std::vector<C>(size_t(num_heads), C(0)));
    const Tensor* shows = qk_output && call.wants(3) ? call.outputs[3].tensor() : nullptr;
    const Tensor scores = call.scratch(type_of<C>, shows ? shows->dims() : Dims{0});
    attend<C>(call.context, {batch, num_heads, kv_num_heads, steps, room, width, width, q.data<C>(), keys.data<C>(), values.data<C>(), out.data<C>(), C(scale && *scale != 0 ? double(*scale) : 1 / std::sqrt(double(width))), C(softcap.value_or(0)), sinks ? sinks.data<C>() : nullptr},
              [&](int64_t b, int64_t h, int64_t i, C* s) {
                const TokenSpan& span = entries[size_t(b)];
                added(b, h, i, s, span.rows(), span.first());
                const int64_t end = causal ? std::min(span.before + i + 1, span.rows()) : span.rows();
                std::fill(s + end, s + room, C(-INFINITY));
                if (local_window_size > 0) std::fill(s, s + std::max<int64_t>(end - local_window_size, 0), C(-INFINITY));
              },
              [&](ScoreStage stage, int64_t row, const C* s) {
                if (!shows || stage != (qk_output == 1 ? ScoreStage::biased : ScoreStage::weights)) return;
                for (int64_t i = 0; i < steps; ++i) std::copy_n(s + i * room, std::min(room, total), scores.data<C>() + (row * steps + i) * total);
              });
    store_merged(out, call.output(0));
    if (call.wants(1) && call.outputs[1].tensor()) keep<C>(call, keys, entries, call.output(1));
    if (call.wants(2) && call.outputs[2].tensor()) keep<C>(call, values, entries, call.output(2));
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
