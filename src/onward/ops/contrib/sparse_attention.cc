// SparseAttention of com.microsoft: causal attention of grouped heads behind a cache with room, in which a head sees only those blocks of
// keys that its layout names for the block of the query.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/grouped_cache.h"

namespace onward::ops {
namespace {

enum Input : size_t { query, key, value, past_key, past_value, block_rows, block_columns, longest, lengths, cosines, sines };

struct SparseAttention : contrib::SparseAttention {
  void prepare(const Preparation&) const {
    if (num_heads < 1 || kv_num_heads < 1 || num_heads % kv_num_heads != 0) invalid(num_heads, " heads of queries for ", kv_num_heads, " of keys");
    if (sparse_block_size < 1) invalid("sparse_block_size is ", sparse_block_size, ", expected 1 or more");
  }

  void infer(Inference& io) const {
    const Dims &q = io.dims(query), &past = io.dims(past_key);
    if (q.size() != 3 || past.size() != 4) invalid("a query of shape ", shown(q), " and a cache of shape ", shown(past), ", expected three and four axes");
    const int64_t heads = io.has(key) ? num_heads : num_heads + 2 * kv_num_heads;
    if (!is_symbol(q[2]) && q[2] % heads != 0) invalid("a query of shape ", shown(q), " does not hold ", heads, " heads");
    const int64_t width = io.divide(q[2], heads);
    if (!io.symbols) check(io, q, past, width);
    io.output(0, {q[0], q[1], io.multiply(num_heads, width)}), io.output(1, past), io.output(2, past);
  }

  void run(Call& call) const {
    if (call.tensor(query).type() == DataType::f64) attention<double>(call);
    else attention<float>(call);
  }

 private:
  void check(Inference& io, const Dims& q, const Dims& past, int64_t width) const {
    if (io.has(key) != io.has(value)) invalid("key and value go together");
    for (size_t i : {size_t(key), size_t(value)}) if (io.has(i) && io.dims(i) != Dims{q[0], q[1], kv_num_heads * width}) invalid("input ", i, " of shape ", shown(io.dims(i)), " for a query of shape ", shown(q));
    if (past != Dims{q[0], kv_num_heads, past[2], width} || io.dims(past_value) != past) invalid("caches of shapes ", shown(past), " and ", shown(io.dims(past_value)), " for a query of shape ", shown(q));
    const Dims &rows = io.dims(block_rows), &columns = io.dims(block_columns);
    if (rows.size() != 2 || columns.size() != 2 || rows[0] != columns[0] || rows[0] < 1 || rows[1] < 1 || num_heads % rows[0] != 0) invalid("layouts of shapes ", shown(rows), " and ", shown(columns), " for ", num_heads, " heads");
    if (io.dims(lengths) != Dims{q[0]}) invalid("key_total_sequence_lengths has shape ", shown(io.dims(lengths)), " for a batch of ", q[0]);
    if (do_rotary.value_or(0) && (!io.has(cosines) || !io.has(sines) || io.dims(cosines).size() != 2 || io.dims(cosines) != io.dims(sines) || 2 * io.dims(cosines)[1] > width)) invalid("do_rotary needs caches of cosines and sines for heads of ", width);
  }

  // [layout][block of the query][block of the key]: whether it is seen.
  struct Layouts {
    int64_t number, blocks;
    std::vector<bool> seen;
    bool operator()(int64_t head, int64_t q, int64_t k) const { return q < blocks && k < blocks && seen[size_t((head % number * blocks + q) * blocks + k)]; }
  };
  static Layouts layouts(const Tensor& rows, const Tensor& columns) {
    const int64_t number = rows.dims()[0], blocks = rows.dims()[1] - 1, most = columns.dims()[1];
    Layouts out{number, blocks, std::vector<bool>(size_t(number * blocks * blocks))};
    for (int64_t l = 0; l < number; ++l) for (int64_t q = 0; q < blocks; ++q) {
      const int32_t *bounds = rows.data<int32_t>() + l * (blocks + 1) + q, begin = bounds[0], end = bounds[1];
      if (begin < 0 || end < begin || end > most) invalid("rows ", begin, " to ", end, " of a layout with ", most, " blocks");
      for (int32_t at = begin; at < end; ++at) {
        const int32_t k = columns.data<int32_t>()[l * most + at];
        if (k < 0 || k >= blocks) invalid("block ", k, " of ", blocks);
        out.seen[size_t((l * blocks + q) * blocks + k)] = true;
      }
    }
    return out;
  }

  template <class C> void attention(Call& call) const {
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const Tensor old_keys = operand(past_key), old_values = operand(past_value);
    const int64_t batch = old_keys.dims()[0], steps = call.tensor(query).dims()[1], width = old_keys.dims()[3], room = old_keys.dims()[2];
    std::vector<TokenSpan> entries;
    for (int64_t total : integers(call.tensor(lengths))) {
      if (total < 0 || total > room) invalid("an entry of ", total, " tokens in a cache of ", room);
      const int64_t now = std::min(steps, total);
      entries.push_back({now, total - now, total - now});
    }
    const Layouts seen = layouts(call.tensor(block_rows), call.tensor(block_columns));
    const GroupedHeads<C> all(call, num_heads, kv_num_heads, width);
    if (do_rotary.value_or(0)) for (const Tensor& heads : {all.q, all.k}) rotate_heads<C>(heads, operand(cosines), operand(sines), rotary_interleaved.value_or(0) != 0, entries, {});
    const Tensor &q = all.q, keys = cached_heads<C>(call, old_keys, all.k, entries, room, 1), values = cached_heads<C>(call, old_values, all.v, entries, room, 2);
    const Tensor out = call.scratch(type_of<C>, {batch, num_heads, steps, width});
    attend<C>(call.context, {batch, num_heads, kv_num_heads, steps, room, width, width, q.data<C>(), keys.data<C>(), values.data<C>(), out.data<C>(), C(scale && *scale != 0 ? double(*scale) : 1 / std::sqrt(double(width)))},
              [&](int64_t b, int64_t h, int64_t i, C* s) {
                const TokenSpan& span = entries[size_t(b)];
                const int64_t end = std::min(span.before + i + 1, span.rows()), block = (span.before + i) / sparse_block_size;
                for (int64_t j = 0; j < room; ++j) if (j >= end || !seen(h, block, j / sparse_block_size)) s[j] = C(-INFINITY);
              },
              [](ScoreStage, int64_t, const C*) {});
    store_merged(out, call.output(0));
    if (call.wants(1) && call.outputs[1].tensor()) store(keys, call.output(1));
    if (call.wants(2) && call.outputs[2].tensor()) store(values, call.output(2));
  }
};

}  // namespace

Operators contrib_sparse_attention() {
  return {define<SparseAttention>({.tolerance = 1e-5, .examples = {
      "float [[[1], [1]]], float [[[0], [0]]], float [[[2], [4]]], float [[[[9], [9]]]], float [[[[9], [9]]]], int32 [[0, 1, 2]], int32 [[0, 1]], int32 2, int32 [2]; num_heads=1, kv_num_heads=1, sparse_block_size=1 -> float [[[2], [4]]], float [[[[0], [0]]]], float [[[[2], [4]]]]"}})};
}

}  // namespace onward::ops
