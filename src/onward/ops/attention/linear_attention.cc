// LinearAttention: a recurrent state of keys and values that decays (gated) and corrects itself (delta), read by queries.
// CausalConvWithState: a convolution of every channel with its past, which it hands on.
#include <cmath>
#include <cstring>
#include "onward/ops/multiply_add.h"
#include "onward/ops/operator.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// One token of one head: its state [d_k, d_v] decays, takes in a key and a value, and is read by the queries of the group.
template <class T> struct Token {
  const T *queries, *key, *value;
  const T* keep;                                     // of every row of the state; null: nothing decays
  bool delta;                                             // only what the state does not know of the value yet is taken in
  T rate, factor;
  int64_t d_k, d_v, group;
  T *state, *change, *sums;                               // scratch of d_v each for the last two
  T* y;
};

template <class T, int bytes, bool fused> struct TokenBody {
  typedef T V __attribute__((vector_size(bytes)));
  static constexpr int64_t lanes = bytes / sizeof(T);

  [[gnu::always_inline]] static void run(const Token<T>& t) {
    T *__restrict change = t.change, *__restrict sums = t.sums;
    if (t.keep) for (int64_t i = 0; i < t.d_k; ++i) scale(t.state + i * t.d_v, t.keep[i], t.d_v);
    if (t.delta) {
      std::fill_n(sums, t.d_v, T(0));
      for (int64_t i = 0; i < t.d_k; ++i) add(sums, t.state + i * t.d_v, t.key[i], t.d_v);
      for (int64_t j = 0; j < t.d_v; ++j) change[j] = (t.value[j] - sums[j]) * t.rate;
    } else {
      for (int64_t j = 0; j < t.d_v; ++j) change[j] = t.value[j] * t.rate;
    }
    for (int64_t g = 0; g < t.group; ++g) {
      if (g == 0) {
        take_in(t);
      } else {
        std::fill_n(sums, t.d_v, T(0));
        for (int64_t i = 0; i < t.d_k; ++i) add(sums, t.state + i * t.d_v, t.queries[g * t.d_k + i], t.d_v);
      }
      for (int64_t j = 0; j < t.d_v; ++j) t.y[g * t.d_v + j] = t.factor * sums[j];
    }
  }
  // The state takes in the key and the change, and is read at once; some columns at a time, whose sums stay in registers.
  [[gnu::always_inline]] static void take_in(const Token<T>& t) {
    int64_t j = 0;
    for (; j + 4 * lanes <= t.d_v; j += 4 * lanes) strip<4>(t, j);
    for (; j + lanes <= t.d_v; j += lanes) strip<1>(t, j);
    for (; j < t.d_v; ++j) {
      T sum = 0;
      for (int64_t i = 0; i < t.d_k; ++i) {
        T& now = t.state[i * t.d_v + j];
        now += t.key[i] * t.change[j];
        sum += t.queries[i] * now;
      }
      t.sums[j] = sum;
    }
  }
  template <int vectors> [[gnu::always_inline]] static void strip(const Token<T>& t, int64_t j) {
    V change[vectors], sum[vectors] = {};
    std::memcpy(change, t.change + j, sizeof change);
    T* row = t.state + j;
    for (int64_t i = 0; i < t.d_k; ++i, row += t.d_v) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        V now;
        std::memcpy(&now, row + v * lanes, sizeof now);
        multiply_add<fused>(now, t.key[i], change[v]);
        std::memcpy(row + v * lanes, &now, sizeof now);
        multiply_add<fused>(sum[v], t.queries[i], now);
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const V out = sum[v];
      std::memcpy(t.sums + j + v * lanes, &out, sizeof out);
    }
  }
  [[gnu::always_inline]] static void scale(T* x, T by, int64_t n) {
    for (int64_t j = 0; j < n; ++j) x[j] *= by;
  }
  [[gnu::always_inline]] static void add(T* __restrict sums, const T* __restrict x, T by, int64_t n) {
    for (int64_t j = 0; j < n; ++j) sums[j] += by * x[j];
  }
};

template <class T> [[gnu::flatten]] void baseline(const Token<T>& t) { TokenBody<T, 16, simd::baseline_fuses>::run(t); }
template <class T> [[gnu::flatten, ONWARD_AVX2]] void avx2(const Token<T>& t) { TokenBody<T, 32, true>::run(t); }
template <class T> [[gnu::flatten, ONWARD_AVX512]] void avx512(const Token<T>& t) { TokenBody<T, 64, true>::run(t); }
template <class T> constexpr void (*token_kernels[])(const Token<T>&) = ONWARD_PER_TARGET(baseline<T>, avx2<T>, avx512<T>);

struct LinearAttention : standard::LinearAttention {
  void prepare(const Preparation&) const {
    if (q_num_heads < 1 || kv_num_heads < 1 || q_num_heads % kv_num_heads != 0) invalid(q_num_heads, " heads of queries for ", kv_num_heads, " of keys");
    for (std::string_view known : {"linear", "gated", "delta", "gated_delta"}) if (update_rule == known) return;
    invalid("update_rule is '", update_rule, "', expected linear, gated, delta or gated_delta");
  }

  void infer(Inference& io) const {
    const Dims &q = io.dims(0), &k = io.dims(1), &v = io.dims(2);
    if (q.size() != 3 || k.size() != 3 || v.size() != 3) invalid("expected three axes, found shapes ", shown(q), ", ", shown(k), " and ", shown(v));
    const int64_t d_k = io.divide(k[2], kv_num_heads), d_v = io.divide(v[2], kv_num_heads);
    if (!io.symbols && (k[2] % kv_num_heads || v[2] % kv_num_heads || q[2] != io.multiply(d_k, q_num_heads) || q[0] != k[0] || q[0] != v[0] || q[1] != k[1] || q[1] != v[1]))
      invalid("queries, keys and values of shapes ", shown(q), ", ", shown(k), " and ", shown(v), " do not go together");
    if (!io.symbols && io.has(3) && io.dims(3) != Dims{q[0], kv_num_heads, d_k, d_v}) invalid("a past state of shape ", shown(io.dims(3)));
    io.output(0, {q[0], q[1], io.multiply(q_num_heads, d_v)});
    io.output(1, io.has(3) ? io.inputs[3].type : io.inputs[0].type, {q[0], kv_num_heads, d_k, d_v});
  }

  template <class T> void run(In<T> q, In<T> k, In<T> v, In<T> past, In<T> decay, In<T> beta, Out<T> y, Out<T> present) const {
    const int64_t batch = q.dims[0], steps = q.dims[1], d_k = k.dims[2] / kv_num_heads, d_v = v.dims[2] / kv_num_heads, group = q_num_heads / kv_num_heads;
    const bool gated = update_rule.starts_with("gated"), delta = update_rule.ends_with("delta");
    if (gated && !decay) invalid("update_rule ", update_rule, " needs a decay");
    if (delta && !beta) invalid("update_rule ", update_rule, " needs beta");
    const int64_t decay_width = decay && steps * batch > 0 ? decay.size / (steps * batch) : 0, beta_width = beta && steps * batch > 0 ? beta.size / (steps * batch) : 0;
    if (gated && (decay.size != batch * steps * decay_width || (decay_width != kv_num_heads && decay_width != kv_num_heads * d_k))) invalid("a decay of shape ", shown(decay.dims));
    if (delta && (beta.size != batch * steps * beta_width || (beta_width != kv_num_heads && beta_width != 1))) invalid("beta of shape ", shown(beta.dims));
    const double factor = scale != 0 ? double(scale) : 1 / std::sqrt(double(d_k));
    std::vector<T> state(static_cast<size_t>(d_k * d_v)), keep(static_cast<size_t>(d_k)), scratch(static_cast<size_t>(2 * d_v));
    const auto kernel = token_kernels<T>[size_t(simd::best())];
    for (int64_t row = 0; row < batch * kv_num_heads; ++row) {
      const int64_t b = row / kv_num_heads, h = row % kv_num_heads;
      for (int64_t i = 0; i < d_k * d_v; ++i) state[size_t(i)] = past ? past[row * d_k * d_v + i] : T(0);
      for (int64_t t = 0; t < steps; ++t) {
        const int64_t token = b * steps + t, head = token * q_num_heads + h * group, kv_head = token * kv_num_heads + h;
        if (gated) {
          if (decay_width == kv_num_heads) std::fill(keep.begin(), keep.end(), std::exp(decay[token * decay_width + h]));
          else for (int64_t i = 0; i < d_k; ++i) keep[size_t(i)] = std::exp(decay[token * decay_width + h * d_k + i]);
        }
        const T rate = delta ? beta[token * beta_width + (beta_width == 1 ? 0 : h)] : T(1);
        kernel({q.data + head * d_k, k.data + kv_head * d_k, v.data + kv_head * d_v, gated ? keep.data() : nullptr, delta, rate, T(factor), d_k, d_v, group, state.data(),
                scratch.data(), scratch.data() + d_v, y.data + head * d_v});
      }
      if (present) for (int64_t i = 0; i < d_k * d_v; ++i) present[row * d_k * d_v + i] = state[size_t(i)];
    }
  }
};

// A channel's outputs: sums over the taps, which see what came before, perhaps times their sigmoid.
template <class T> struct CausalBody {
  [[gnu::always_inline]] static void run(const T* line, const T* w, int64_t taps, T bias, bool silu, int64_t n, T* y) {
    std::fill_n(y, n, bias);
    for (int64_t k = 0; k < taps; ++k) {
      const T weight = w[k];
      const T* const from = line + k;
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) y[i] += weight * from[i];
    }
    if (silu) for (int64_t i = 0; i < n; ++i) y[i] = y[i] / (1 + simd::exp(-y[i]));
  }
};

struct CausalConvWithState : standard::CausalConvWithState {
  void prepare(const Preparation&) const {
    for (std::string_view known : {"none", "silu", "swish"}) if (activation == known) return;
    invalid("activation is '", activation, "', expected none, silu or swish");
  }
  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &w = io.dims(1);
    if (x.size() != 3 || w.size() != 3) invalid("expected three axes, found shapes ", shown(x), " and ", shown(w));
    if (!io.symbols && (w[0] != x[1] || w[1] != 1 || w[2] < 1)) invalid("weights of shape ", shown(w), " for an input of shape ", shown(x));
    const Dims state{x[0], x[1], io.subtract(w[2], 1)};
    if (!io.symbols && io.has(3) && io.dims(3) != state) invalid("a past state of shape ", shown(io.dims(3)), ", expected ", shown(state));
    if (!io.symbols && io.has(2) && io.dims(2) != Dims{x[1]}) invalid("a bias of shape ", shown(io.dims(2)));
    io.output(0, x), io.output(1, state);
  }
  template <class T> void run(In<T> x, In<T> w, In<T> bias, In<T> past, Out<T> y, Out<T> present) const {
    const int64_t channels = x.dims[1], n = x.dims[2], taps = w.dims[2], before = taps - 1;
    std::vector<T> line(static_cast<size_t>(before + n));
    for (int64_t row = 0; row < x.dims[0] * channels; ++row) {
      const int64_t c = row % channels;
      for (int64_t i = 0; i < before; ++i) line[size_t(i)] = past ? past[row * before + i] : T(0);
      std::copy_n(x.data + row * n, n, line.begin() + before);
      simd::run<CausalBody<T>, T, const T*, const T*, int64_t, T, bool, int64_t, T*>(line.data(), w.data + c * taps, taps, bias ? bias[c] : T(0), activation != "none", n, y.data + row * n);
      if (present) std::copy_n(line.begin() + n, before, present.data + row * before);
    }
  }
};

}  // namespace

Operators attention_linear_attention() {
  return {define<LinearAttention, computed(LinearAttention::T)>({.tolerance = 1e-5, .examples = {
              "float [[[1], [1]]], float [[[1], [2]]], float [[[3], [4]]]; q_num_heads=1, kv_num_heads=1, update_rule=\"linear\" -> float [[[3], [11]]], float [[[[11]]]]"}}),
          define<CausalConvWithState, computed(CausalConvWithState::T)>({.tolerance = 1e-5, .examples = {
              "float [[[1, 2, 3]]], float [[[10, 1]]], , float [[[5]]] -> float [[[51, 12, 23]]], float [[[3]]]"}})};
}

}  // namespace onward::ops
