// MultiHeadAttention, DecoderMaskedMultiHeadAttention of com.microsoft: queries, keys and values that were projected before, apart or
// packed together, with a bias, a cache and ONNX Runtime's masks. The decoder's has one query for each entry, and beams.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/contrib_attention.h"

namespace onward::ops {
namespace {

// Places of the inputs that both have, in the order of their signatures.
struct Places { size_t bias, mask, added, past_key, past_value, past_length, indirection; };

// How an input holds its heads.
struct Source {
  size_t input = 0;
  int64_t batch = 0, steps = 0, width = 0, first = 0, stride = 0;
  bool as_cache = false;                                  // [batch, heads, steps, width] already, and complete: no past, no bias
};
struct Sources { Source q, k, v; };

// q, k and v of `heads` from: three inputs of three axes; keys and values as caches of four; [batch, steps, heads, 2 or 3, width];
// or, for the decoder, one row of all three.
Sources sources(Inference& io, int64_t heads) {
  const Dims& q = io.dims(0);
  const auto share = [&](int64_t row) {
    if (!is_symbol(row) && row % heads != 0) invalid("rows of ", row, " elements for ", heads, " heads");
    return io.divide(row, heads);
  };
  const auto packed = [&](size_t input, int64_t part, int64_t parts) {
    const Dims& d = io.dims(input);
    if ((!is_symbol(d[2]) && d[2] != heads) || (!is_symbol(d[3]) && d[3] != parts)) invalid("input ", input, " of shape ", shown(d), ", expected [batch, steps, ", heads, ", ", parts, ", width]");
    return Source{input, d[0], d[1], d[4], is_symbol(d[4]) ? 0 : part * d[4], is_symbol(d[4]) ? 0 : parts * d[4]};
  };
  const auto plain = [&](size_t input) {
    const Dims& d = io.dims(input);
    if (d.size() == 4) {
      if (!is_symbol(d[1]) && d[1] != heads) invalid("a cache of shape ", shown(d), " for ", heads, " heads");
      return Source{input, d[0], d[2], d[3], 0, 0, true};
    }
    if (d.size() != 3) invalid("input ", input, " has shape ", shown(d), ", expected three axes");
    const int64_t width = share(d[2]);
    return Source{input, d[0], d[1], width, 0, width};
  };
  if (q.size() == 5) return {packed(0, 0, 3), packed(0, 1, 3), packed(0, 2, 3)};
  if (q.size() != 3) invalid("the query has shape ", shown(q), ", expected three or five axes");
  if (!io.has(1)) {
    if (!is_symbol(q[2]) && q[2] % (3 * heads) != 0) invalid("a query of shape ", shown(q), " does not hold keys and values of ", heads, " heads");
    const int64_t all = io.divide(q[2], 3), width = share(all), row = is_symbol(all) ? 0 : all;
    return {{0, q[0], q[1], width, 0, width}, {0, q[0], q[1], width, row, width}, {0, q[0], q[1], width, 2 * row, width}};
  }
  if (io.dims(1).size() == 5) return {plain(0), packed(1, 0, 2), packed(1, 1, 2)};
  return {plain(0), plain(1), plain(2)};
}

template <class Standard, Places at> struct Attention : Standard {
  void prepare(const Preparation&) const {
    if (this->num_heads < 1) invalid("num_heads is ", this->num_heads, ", expected 1 or more");
  }

  void infer(Inference& io) const {
    const auto [q, k, v] = sources(io, this->num_heads);
    if (!io.symbols) check(io, q, k, v);
    const int64_t heads = this->num_heads;
    const bool shared = io.has(at.past_length) && io.has(at.past_key);      // the cache has room for what comes: it keeps its size
    const int64_t past = k.as_cache ? 0 : io.has(at.past_key) ? io.dims(at.past_key)[2] : 0, room = shared ? past : io.add(past, k.steps);
    io.output(0, {q.batch, q.steps, io.multiply(heads, v.width)});
    io.output(1, {k.batch, heads, room, k.width}), io.output(2, {v.batch, heads, room, v.width});
    const auto used = shared ? io.values(at.past_length) : std::optional<Dims>();
    const int64_t keys = !shared ? room : used && used->size() == 1 ? io.add((*used)[0], k.steps) : io.symbols ? io.unknown() : 0;
    io.output(3, io.type(0), {q.batch, heads, q.steps, keys});
  }

  void run(Call& call) const {
    if (call.tensor(0).type() == DataType::f64) attention<double>(call);
    else attention<float>(call);
  }

 private:
  void check(Inference& io, const Source& q, const Source& k, const Source& v) const {
    const auto shapes = [&] { return text(shown(io.dims(0)), io.has(1) ? text(", ", shown(io.dims(1))) : "", io.has(2) ? text(", ", shown(io.dims(2))) : ""); };
    if (q.batch != k.batch || q.batch != v.batch || k.steps != v.steps || q.width != k.width || k.as_cache != v.as_cache) invalid("queries, keys and values of shapes ", shapes(), " do not go together");
    if (io.has(at.bias) && io.dims(at.bias) != Dims{this->num_heads * (q.width + k.width + v.width)}) invalid("a bias of shape ", shown(io.dims(at.bias)), " for inputs ", shapes());
    if (io.has(at.past_key) != io.has(at.past_value)) invalid("past_key and past_value go together");
    if (!io.has(at.past_key)) return;
    const Dims &pk = io.dims(at.past_key), &pv = io.dims(at.past_value);
    if (pk.size() != 4 || pk != Dims{k.batch, this->num_heads, pk[2], k.width} || pv != Dims{v.batch, this->num_heads, pk[2], v.width}) invalid("past keys and values of shapes ", shown(pk), " and ", shown(pv), " for inputs ", shapes());
    if (!io.has(at.past_length)) return;
    const auto used = io.values(at.past_length);
    if (!used || used->size() != 1 || (*used)[0] < 0 || (*used)[0] > pk[2] - k.steps) invalid("a past length of ", used && used->size() == 1 ? text((*used)[0]) : "no number", " and ", k.steps, " steps in a cache of ", pk[2]);
  }

  template <class C> void attention(Call& call) const {
    std::vector<Fact> facts, none;
    for (size_t i = 0; i < call.inputs.size(); ++i) facts.push_back(call.has(i) ? Fact{call.tensor(i).type(), call.tensor(i).dims(), &call.tensor(i), {}} : Fact{});
    Inference io{facts, none};
    const auto [q, k, v] = sources(io, this->num_heads);
    const int64_t heads = this->num_heads;
    const auto operand = [&](size_t i) { return call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
    const Tensor bias = operand(at.bias);
    const auto heads_of = [&](const Source& s, int64_t first) {
      return s.as_cache ? operand(s.input) : unpacked_heads<C>(call, operand(s.input), {heads, s.width, s.first, s.stride}, bias ? bias.data<C>() + first : nullptr);
    };
    const bool has_past = call.has(at.past_key) && !k.as_cache, shared = has_past && call.has(at.past_length);
    const int64_t used = !has_past ? 0 : shared ? integers(call.tensor(at.past_length))[0] : call.tensor(at.past_key).dims()[2], total = used + k.steps;
    const auto complete = [&](size_t past, const Source& s, int64_t first) {
      return s.as_cache ? heads_of(s, first) : behind_past<C>(call, has_past ? operand(past) : Tensor(), used, heads_of(s, first), total);
    };
    const Tensor from = heads_of(q, 0);
    const Tensor keys = complete(at.past_key, k, heads * q.width), values = complete(at.past_value, v, heads * (q.width + k.width));
    present(call, 1, keys), present(call, 2, values);
    const Tensor own_keys = by_beam<C>(call, keys, used), own_values = by_beam<C>(call, values, used);
    const KeyMask mask = call.has(at.mask) ? KeyMask(call.tensor(at.mask), q.batch, q.steps, total, this->mask_filter_value.value_or(-10000)) : KeyMask();
    const AddedScores<C> added{operand(at.added)};
    added.check(q.batch, heads, q.steps, total);
    const Tensor out = call.scratch(type_of<C>, {q.batch, heads, q.steps, v.width});
    const Tensor* shows = call.wants(3) ? call.outputs[3].tensor() : nullptr;
    const Tensor scores = call.scratch(type_of<C>, shows ? shows->dims() : Dims{0});
    bool causal = false;
    if constexpr (requires { this->unidirectional; }) causal = this->unidirectional != 0;
    attend<C>(call.context, {q.batch, heads, heads, q.steps, total, q.width, v.width, from.data<C>(), own_keys.data<C>(), own_values.data<C>(), out.data<C>(), C(this->scale ? double(*this->scale) : 1 / std::sqrt(double(q.width)))},
              [&](int64_t b, int64_t h, int64_t i, C* s) {
                mask(b, i, s), added(b, h, i, s, total);
                if (causal) std::fill(s + std::min(used + i + 1, total), s + total, C(-INFINITY));
              },
              [&](ScoreStage stage, int64_t row, const C* s) {
                if (shows && stage == ScoreStage::biased) std::copy_n(s, q.steps * total, scores.data<C>() + row * q.steps * total);
              });
    store_merged(out, call.output(0));
    if (shows) store(scores, *shows);
  }

  // The cache for the next step; one with room keeps its size, and what is behind the last entry is 0.
  static void present(const Call& call, size_t output, const Tensor& cache) {
    const Tensor* to = call.wants(output) ? call.outputs[output].tensor() : nullptr;
    if (!to) return;
    const int64_t rows = cache.dims()[0] * cache.dims()[1], entries = cache.dims()[2] * cache.dims()[3], room = to->dims()[2] * to->dims()[3];
    if (room == entries) return store(cache, *to);
    const Tensor wide = call.scratch(cache.type(), to->dims());
    std::memset(wide.raw(), 0, wide.bytes());
    for (int64_t row = 0; row < rows; ++row) std::memcpy(wide.data<char>() + row * room * int64_t(size_of(cache.type())), cache.data<char>() + row * entries * int64_t(size_of(cache.type())), size_t(entries) * size_of(cache.type()));
    store(wide, *to);
  }

  // The cache that every beam sees: entry j of the past is that of beam indirection[batch, beam, j].
  template <class C> Tensor by_beam(const Call& call, const Tensor& cache, int64_t used) const {
    if (!call.has(at.indirection) || used == 0) return cache;
    const Tensor& from = call.tensor(at.indirection);
    const Dims &d = from.dims(), &c = cache.dims();
    if (d.size() != 3 || d[0] * d[1] != c[0] || d[2] < used) invalid("a cache indirection of shape ", shown(d), " for a batch of ", c[0], " and ", used, " past entries");
    Tensor out = cache.copy();
    for (int64_t b = 0; b < c[0]; ++b) for (int64_t j = 0; j < used; ++j) {
      const int32_t beam = from.data<int32_t>()[b * d[2] + j];
      if (beam < 0 || beam >= d[1]) invalid("beam ", beam, " of ", d[1]);
      for (int64_t h = 0; h < c[1]; ++h)
        std::copy_n(cache.data<C>() + (((b / d[1] * d[1] + beam) * c[1] + h) * c[2] + j) * c[3], c[3], out.data<C>() + ((b * c[1] + h) * c[2] + j) * c[3]);
    }
    return out;
  }
};

using MultiHeadAttention = Attention<contrib::MultiHeadAttention, Places{3, 4, 5, 6, 7, 8, 9}>;

struct DecoderMaskedMultiHeadAttention : Attention<contrib::DecoderMaskedMultiHeadAttention, Places{10, 3, 4, 5, 6, 7, 9}> {};

}  // namespace

Operators contrib_multi_head_attention() {
  return {define<MultiHeadAttention>({.tolerance = 1e-5, .examples = {
              "float [[[1]]], float [[[0], [0]]], float [[[2], [4]]]; num_heads=1 -> float [[[3]]], float [[[[0], [0]]]], float [[[[2], [4]]]]",
              "float [[[[[1], [0], [2]]], [[[1], [0], [4]]]]]; num_heads=1, unidirectional=1 -> float [[[2], [3]]]",
              "float [[[1]]], float [[[[[0], [2]]], [[[0], [4]]]]], , float [0, 0, 1], int32 [1]; num_heads=1 -> float [[[3]]]"}}),
          define<DecoderMaskedMultiHeadAttention>({.tolerance = 1e-5, .examples = {
              "float [[[1]]], float [[[0]]], float [[[4]]], , , float [[[[0]]]], float [[[[2]]]]; num_heads=1 -> float [[[3]]], float [[[[0], [0]]]], float [[[[2], [4]]]]"}})};
}

}  // namespace onward::ops
