// Attention: scaled dot products of queries and keys, masked, through softmax, as weights of the values. Grouped heads, caches of past
// keys and values, causal and sliding windows. A query that may attend nothing answers zeros.
#include <cmath>
#include "onward/ops/scaled_attention.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// [batch, heads, steps, width], wherever its heads are: 3-d inputs have them inside the last axis.
struct Heads {
  int64_t batch = 0, heads = 0, steps = 0, width = 0;
};

struct Attention : standard::Attention {
  void prepare(const Preparation&) const {
    for (const auto& heads : {q_num_heads, kv_num_heads}) if (heads && *heads < 1) invalid("a number of heads is ", *heads, ", expected 1 or more");
    if (qk_matmul_output_mode < 0 || qk_matmul_output_mode > 3) invalid("qk_matmul_output_mode is ", qk_matmul_output_mode, ", expected 0 to 3");
    if (left_window_size < -1 || right_window_size < -1) invalid("a window size is below -1");
  }

  void infer(Inference& io) const {
    const Heads q = heads(io, 0, q_num_heads), k = heads(io, 1, kv_num_heads), v = heads(io, 2, kv_num_heads);
    if (!io.symbols) check(io, q, k, v);
    const int64_t past = io.has(4) ? io.dims(4).size() == 4 ? io.dims(4)[2] : -1 : 0;
    if (past == -1) invalid("past_key has shape ", shown(io.dims(4)), ", expected four axes");
    const int64_t total = io.add(past, k.steps);
    if (io.dims(0).size() == 4) io.output(0, {q.batch, q.heads, q.steps, v.width});
    else io.output(0, {q.batch, q.steps, io.multiply(q.heads, v.width)});
    io.output(1, {k.batch, k.heads, total, k.width}), io.output(2, {v.batch, v.heads, total, v.width});
    io.output(3, {q.batch, q.heads, q.steps, total});
  }

  void run(Call& call) const {
    if (call.tensor(0).type() == DataType::f64) attend<double>(call);
    else attend<float>(call);
  }

 private:
  static Heads heads(Inference& io, size_t i, const std::optional<int64_t>& number) {
    const Dims& d = io.dims(i);
    if (d.size() == 4) return {d[0], d[1], d[2], d[3]};
    if (d.size() != 3) invalid("input ", i, " has shape ", shown(d), ", expected three or four axes");
    if (!number) invalid("q_num_heads and kv_num_heads are needed for inputs of three axes");
    if (!is_symbol(d[2]) && d[2] % *number != 0) invalid("input ", i, " of shape ", shown(d), " has no ", *number, " heads");
    return {d[0], *number, d[1], io.divide(d[2], *number)};
  }

  static void check(Inference& io, const Heads& q, const Heads& k, const Heads& v) {
    const auto shapes = [&] { return text(shown(io.dims(0)), ", ", shown(io.dims(1)), " and ", shown(io.dims(2))); };
    if (q.batch != k.batch || q.batch != v.batch || k.heads != v.heads || k.steps != v.steps || q.width != k.width) invalid("queries, keys and values of shapes ", shapes(), " do not go together");
    if (k.heads == 0 || q.heads % k.heads != 0) invalid(q.heads, " heads of queries for ", k.heads, " of keys");
    if (io.has(4) != io.has(5)) invalid("past_key and past_value go together");
    if (io.has(4) && (io.dims(4) != Dims{k.batch, k.heads, io.dims(4).size() == 4 ? io.dims(4)[2] : -1, k.width} || io.dims(5) != Dims{v.batch, v.heads, io.dims(4)[2], v.width}))
      invalid("past keys and values of shapes ", shown(io.dims(4)), " and ", shown(io.dims(5)), " for inputs ", shapes());
    if (io.has(6) && io.dims(6) != Dims{q.batch}) invalid("nonpad_kv_seqlen has shape ", shown(io.dims(6)), " for a batch of ", q.batch);
  }

  // The keys (or values) in four axes, after those of the past.
  static Tensor cached(const Call& call, size_t now, size_t past, const Heads& h) {
    Tensor x = four_axes(call.tensor(now), h);
    if (!call.has(past)) return x;
    const Tensor& before = call.tensor(past);
    const int64_t steps = before.dims()[2], rows = h.batch * h.heads;
    Tensor out = call.scratch(x.type(), {h.batch, h.heads, steps + h.steps, h.width});
    if (before.type() != x.type()) invalid("past keys or values are ", shown(before), ", expected ", name_of(x.type()));
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class E>() {
      E* to = out.data<E>();
      for (int64_t row = 0; row < rows; ++row) {
        to = std::copy_n(before.data<E>() + row * steps * h.width, steps * h.width, to);
        to = std::copy_n(x.data<E>() + row * h.steps * h.width, h.steps * h.width, to);
      }
    });
    return out;
  }
  static Tensor four_axes(const Tensor& x, const Heads& h) {
    return x.rank() == 4 ? x : transposed(x.reshaped({h.batch, h.steps, h.heads, h.width}), {0, 2, 1, 3});
  }

  // What is added to the score of every key: the mask, -inf where a key must not be seen.
  struct Mask {
    Tensor values;                                        // double, or none
    int64_t stride[4] = {}, last = 0;
    std::vector<int64_t> lengths;
    int64_t past = 0, queries = 0;

    double operator()(const Attention& op, int64_t b, int64_t h, int64_t i, int64_t j) const {
      const int64_t offset = lengths.empty() ? past : past > 0 ? past : lengths[size_t(b)] - queries, p = offset + i;
      if (!lengths.empty() && j >= lengths[size_t(b)]) return -INFINITY;
      if (op.is_causal && j > p) return -INFINITY;
      constexpr int64_t far = int64_t(1) << 61;           // keeps the sums from overflowing
      if (op.left_window_size >= 0 && j < p - std::min(op.left_window_size, far)) return -INFINITY;
      if (op.right_window_size >= 0 && j > p + std::min(op.right_window_size, far)) return -INFINITY;
      if (!values) return 0;
      if (j >= last && last != 1) return -INFINITY;
      return values.data<double>()[b * stride[0] + h * stride[1] + i * stride[2] + j * stride[3]];
    }
  };

  static Mask mask(const Call& call, const Heads& q, int64_t total, int64_t past) {
    Mask m;
    m.past = past, m.queries = q.steps;
    if (call.has(6)) m.lengths = integers(call.tensor(6));
    for (int64_t length : m.lengths) if (length < 0 || length > total) invalid("nonpad_kv_seqlen has ", length, " for ", total, " keys");
    if (!call.has(3)) return m;
    const Tensor& t = call.tensor(3);
    m.values = as_type(call, t, DataType::f64);
    if (t.type() == DataType::b8) for (double& v : m.values.values<double>()) v = v != 0 ? 0 : -INFINITY;
    if (t.rank() < 1 || t.rank() > 4) invalid("the mask is ", shown(t), ", expected at most four axes");
    Dims dims = t.dims();
    while (dims.size() < 4) dims.insert(dims.begin(), 1);
    const int64_t wanted[] = {q.batch, q.heads, q.steps, total};
    for (size_t i = 0; i < 4; ++i) if (dims[i] != 1 && dims[i] != wanted[i] && !(i == 3 && dims[i] < total)) invalid("a mask of shape ", shown(t.dims()), " for scores of shape ", shown(wanted));
    for (size_t i = 4, step = 1; i-- > 0; step *= size_t(dims[i])) m.stride[i] = dims[i] == 1 ? 0 : int64_t(step);
    m.last = dims[3];
    return m;
  }

  template <class C> void attend(Call& call) const {
    const auto of = [&](size_t i, const std::optional<int64_t>& number) {
      const Dims& d = call.tensor(i).dims();
      return d.size() == 4 ? Heads{d[0], d[1], d[2], d[3]} : Heads{d[0], *number, d[1], d[2] / *number};
    };
    const Heads q = of(0, q_num_heads), k = of(1, kv_num_heads), v = of(2, kv_num_heads);
    const Tensor keys = cached(call, 1, 4, k), values = cached(call, 2, 5, v);
    const int64_t total = keys.dims()[2];
    const Tensor from = as_type(call, four_axes(call.tensor(0), q), type_of<C>), k_all = as_type(call, keys, type_of<C>), v_all = as_type(call, values, type_of<C>);
    const Mask bias = mask(call, q, total, total - k.steps);
    const bool shows_scores = call.wants(3) && call.outputs[3].tensor();
    const Tensor scores = call.scratch(type_of<C>, shows_scores ? Dims{q.batch, q.heads, q.steps, total} : Dims{0});
    const Tensor out = call.output(0).rank() == 4 ? as_output(call, call.output(0), type_of<C>) : call.scratch(type_of<C>, {q.batch, q.heads, q.steps, v.width});
    onward::attend<C>(call.context,
        {q.batch, q.heads, k.heads, q.steps, total, q.width, v.width, from.data<C>(), k_all.data<C>(), v_all.data<C>(), out.data<C>(),
         C(scale ? double(*scale) : 1 / std::sqrt(double(q.width))), C(softcap)},
        [&](int64_t b, int64_t h, int64_t i, C* s) {
          if (!bias.values && bias.lengths.empty() && !is_causal && left_window_size < 0 && right_window_size < 0) return;
          for (int64_t j = 0; j < total; ++j) if (const double add = bias(*this, b, h, i, j); add != 0) s[j] = std::isinf(add) && add < 0 ? C(-INFINITY) : C(s[j] + C(add));
        },
        [&](ScoreStage stage, int64_t row, const C* s) {
          if (shows_scores && qk_matmul_output_mode == int64_t(stage)) std::copy_n(s, q.steps * total, scores.data<C>() + row * q.steps * total);
        });
    answer(call, out, keys, values, scores);
  }

  static void answer(Call& call, const Tensor& out, const Tensor& keys, const Tensor& values, const Tensor& scores) {
    const Tensor& y = call.output(0);
    store(y.rank() == 4 ? out : transposed(out, {0, 2, 1, 3}), y);
    if (call.wants(1) && call.outputs[1].tensor()) call.outputs[1] = keys;
    if (call.wants(2) && call.outputs[2].tensor()) call.outputs[2] = values;
    if (call.wants(3) && call.outputs[3].tensor()) store(scores, call.output(3));
  }
};

}  // namespace

Operators attention_attention() {
  return {define<Attention>({.tolerance = 1e-5, .examples = {
      "float [[[[1]], [[1]]]], float [[[[0], [0]]]], float [[[[2], [4]]]] -> float [[[[3]], [[3]]]]",
      "float [[[1], [1]]], float [[[0], [0]]], float [[[2], [4]]]; q_num_heads=1, kv_num_heads=1, is_causal=1 -> float [[[2], [3]]]",
      "float [[[[1]]]], float [[[[1]]]], float [[[[2]]]], bool [[false]] -> float [[[[0]]]]"}})};
}

}  // namespace onward::ops
