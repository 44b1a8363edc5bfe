#include "onward/ops/scaled_attention.h"

#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "onward/ops/activation/softmax.h"
#include "onward/ops/matrix_product.h"
#include "onward/ops/transpose.h"

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
      const C scale = 1 / sum;
      for (int64_t i = 0; i < n; ++i) x[i] *= scale;
    }
  }
};

// Infinities and NaNs have every bit of the exponent.
template <class C> struct FiniteBody {
  [[gnu::always_inline]] static void run(const C* x, int64_t n, bool* finite) {
    using Bits = std::conditional_t<sizeof(C) == 4, uint32_t, uint64_t>;
    const Bits exponent = std::bit_cast<Bits>(std::numeric_limits<C>::infinity());
    Bits any = 0;
    for (int64_t i = 0; i < n; ++i) any |= (std::bit_cast<Bits>(x[i]) & exponent) == exponent ? Bits(1) : Bits(0);
    *finite = any == 0;
  }
};
template <class C> bool all_finite(const C* x, int64_t n) {
  bool finite = true;
  simd::run<FiniteBody<C>, C>(x, n, &finite);
  return finite;
}

template <class C> struct ZeroBody {
  [[gnu::always_inline]] static void run(const C* x, int64_t n, bool* any) {
    int32_t zeros = 0;
    for (int64_t i = 0; i < n; ++i) zeros |= x[i] == 0 ? 1 : 0;
    *any = zeros != 0;
  }
};
template <class C> bool any_zero(const C* x, int64_t n) {
  bool any = false;
  simd::run<ZeroBody<C>, C>(x, n, &any);
  return any;
}

template <class C> struct ScaleBody {
  [[gnu::always_inline]] static void run(C* x, int64_t n, C by) {
    for (int64_t i = 0; i < n; ++i) x[i] *= by;
  }
};

template <class C> void turn(const C* keys, int64_t n, int64_t width, C* columns) {
  Tensor to = Tensor::view(type_of<C>, {width, n}, columns);
  transpose(Tensor::view(type_of<C>, {n, width}, keys), Dims{1, 0}, to);
}

// s[i][j] = q[i] · k[j] for few queries: some keys at a time are turned, so that their sums run side by side while they are near.
template <class C> void few_scores(const C* q, const C* keys, C* s, int64_t queries, int64_t n, int64_t width) {
  constexpr int64_t block = 128;
  std::vector<C> columns(size_t(std::min(block, n) * width)), part(size_t(std::min(block, n) * queries));
  for (int64_t j = 0; j < n; j += block) {
    const int64_t now = std::min(block, n - j);
    turn(keys + j * width, now, width, columns.data());
    matrix_product<C>(q, columns.data(), part.data(), queries, now, width);
    for (int64_t i = 0; i < queries; ++i) std::copy_n(part.data() + i * now, now, s + i * n + j);
  }
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
  const int64_t heads = a.queries == 1 ? group : 1;       // heads of one query each share their keys: they are taken as queries of one head
  const int64_t rows = heads * a.queries;
  const auto look = [&](ScoreStage stage, int64_t first, const C* s) {
    for (int64_t h = 0; h < heads; ++h) view(stage, first + h, s + h * a.queries * a.keys);
  };
  const auto some = [&](int64_t first, const C* keys, const C* columns, const C* values, std::optional<bool>& finite, std::vector<C>& s) {
    const C* q = a.q + first * a.queries * a.width;
    if (columns) matrix_product<C>(q, columns, s.data(), rows, a.keys, a.width);
    else few_scores(q, keys, s.data(), rows, a.keys, a.width);
    simd::run<ScaleBody<C>, C>(s.data(), int64_t(s.size()), a.scale);
    look(ScoreStage::scaled, first, s.data());
    if (a.softcap > 0) for (C& x : s) x = a.softcap * std::tanh(x / a.softcap);
    look(ScoreStage::capped, first, s.data());
    for (int64_t i = 0; i < rows; ++i) bias(first / a.heads, first % a.heads + i / a.queries, i % a.queries, s.data() + i * a.keys);
    look(ScoreStage::biased, first, s.data());
    for (int64_t h = 0; h < heads; ++h) simd::run<WeightsBody<C>, C>(s.data() + h * a.queries * a.keys, a.queries, a.keys, a.sinks ? a.sinks + first % a.heads + h : nullptr);
    look(ScoreStage::weights, first, s.data());
    // Few weights are looked at faster than all values.
    if (!finite && (rows >= a.value_width || any_zero(s.data(), int64_t(s.size())))) finite = all_finite(values, a.keys * a.value_width);
    weigh(s.data(), values, a.out + first * a.queries * a.value_width, rows, a.keys, a.value_width, finite.value_or(true));
  };
  context.parallel(a.batch * a.kv_heads, 0.1 * double(group * a.queries * a.keys) * double(a.width + a.value_width), [&](int64_t begin, int64_t end) {
    constexpr int64_t few = 16;
    const bool whole = rows >= few && a.keys > 0 && a.width > 0;
    std::vector<C> s(size_t(rows * a.keys)), columns(size_t(whole ? a.width * a.keys : 0));
    for (int64_t kv = begin; kv < end; ++kv) {
      context.check();
      const C *keys = a.k + kv * a.keys * a.width, *values = a.v + kv * a.keys * a.value_width;
      if (whole) turn(keys, a.keys, a.width, columns.data());
      std::optional<bool> finite;                         // the values; asked only where one may have the weight 0
      const int64_t first = kv / a.kv_heads * a.heads + kv % a.kv_heads * group;
      for (int64_t h = 0; h < group; h += heads) some(first + h, keys, whole ? columns.data() : nullptr, values, finite, s);
    }
  });
}

template void attend(const RunContext&, const ScaledAttention<float>&, ScoreBias<float>, ScoreViewer<float>);
template void attend(const RunContext&, const ScaledAttention<double>&, ScoreBias<double>, ScoreViewer<double>);

}  // namespace onward
