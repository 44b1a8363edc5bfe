#include "onward/ops/scaled_attention.h"

#include <cmath>

#include "onward/ops/activation/softmax.h"
#include "onward/ops/matrix_product.h"

namespace onward {
namespace {

// Scores of `rows` queries become weights; a query that sees nothing, zeros.
template <class C> struct WeightsBody {
  [[gnu::always_inline]] static void run(C* x, int64_t rows, int64_t n, const C* sink) {
    for (; rows-- > 0; x += n) {
      C top = largest_of(x, n);
      if (sink && *sink > top) top = *sink;
      if (top == C(-INFINITY)) { std::fill_n(x, n, C(0)); continue; }
      C sum = exponentials(x, x, n, top);
      if (sink) sum += simd::exp(*sink - top);
      for (int64_t i = 0; i < n; ++i) x[i] /= sum;
    }
  }
};

template <class C> bool all_finite(const C* x, int64_t n) {
  C none = 0;                                             // 0 times anything finite is 0, times the rest NaN
  for (int64_t i = 0; i < n; ++i) none += 0 * x[i];
  return none == 0;
}

// A key of weight 0 is not looked at: what stands in the padding of a cache may be anything.
template <class C> void weigh(const C* weights, const C* values, C* out, int64_t queries, int64_t keys, int64_t width, bool finite) {
  if (finite && keys > 0) return matrix_product<C>(weights, values, out, queries, width, keys);
  std::fill_n(out, queries * width, C(0));
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t j = 0; j < keys; ++j) {
      const C w = weights[i * keys + j];
      if (w != 0) for (int64_t d = 0; d < width; ++d) out[i * width + d] = std::fma(w, values[j * width + d], out[i * width + d]);
    }
}

}  // namespace

template <class C> void attend(const RunContext& context, const ScaledAttention<C>& a, ScoreBias<C> bias, ScoreViewer<C> view) {
  const int64_t group = a.kv_heads ? a.heads / a.kv_heads : 1;
  const auto one = [&](int64_t row, const C* k_columns, const C* values, bool finite, std::vector<C>& s) {
    const int64_t b = row / a.heads, h = row % a.heads;
    matrix_product<C>(a.q + row * a.queries * a.width, k_columns, s.data(), a.queries, a.keys, a.width);
    for (C& x : s) x *= a.scale;
    view(ScoreStage::scaled, row, s.data());
    if (a.softcap > 0) for (C& x : s) x = a.softcap * std::tanh(x / a.softcap);
    view(ScoreStage::capped, row, s.data());
    for (int64_t i = 0; i < a.queries; ++i) bias(b, h, i, s.data() + i * a.keys);
    view(ScoreStage::biased, row, s.data());
    simd::run<WeightsBody<C>, C>(s.data(), a.queries, a.keys, a.sinks ? a.sinks + h : nullptr);
    view(ScoreStage::weights, row, s.data());
    weigh(s.data(), values, a.out + row * a.queries * a.value_width, a.queries, a.keys, a.value_width, finite);
  };
  context.parallel(a.batch * a.kv_heads, 0.1 * double(group * a.queries * a.keys) * double(a.width + a.value_width), [&](int64_t begin, int64_t end) {
    std::vector<C> s(size_t(a.queries * a.keys)), columns(size_t(a.width * a.keys));
    for (int64_t kv = begin; kv < end; ++kv) {
      context.check();
      const C* k = a.k + kv * a.keys * a.width;
      for (int64_t j = 0; j < a.keys; ++j) for (int64_t d = 0; d < a.width; ++d) columns[size_t(d * a.keys + j)] = k[j * a.width + d];
      const C* values = a.v + kv * a.keys * a.value_width;
      const bool finite = all_finite(values, a.keys * a.value_width);
      for (int64_t g = 0; g < group; ++g) one(kv / a.kv_heads * a.heads + kv % a.kv_heads * group + g, columns.data(), values, finite, s);
    }
  });
}

template void attend(const RunContext&, const ScaledAttention<float>&, ScoreBias<float>, ScoreViewer<float>);
template void attend(const RunContext&, const ScaledAttention<double>&, ScoreBias<double>, ScoreViewer<double>);

}  // namespace onward
