#include "onward/ops/lane_product.h"

#include "onward/ops/row_lanes.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

constexpr int64_t most_weights = 4096;                    // beyond them tiles, which read weights less often, do better

template <class T> struct FinishBody {
  [[gnu::always_inline]] static void run(T* y, int64_t targets, int64_t lanes, const T* bias, Rectifier rectifier) {
    for (int64_t t = 0; t < targets; ++t, y += lanes) {
      if (bias) for (int64_t l = 0; l < lanes; ++l) y[l] = y[l] + bias[t];
      if (rectifier == Rectifier::max_with_zero) for (int64_t l = 0; l < lanes; ++l) y[l] = y[l] <= 0 ? T(0) : y[l];
      if (rectifier == Rectifier::relu) for (int64_t l = 0; l < lanes; ++l) y[l] = y[l] < 0 ? T(0) : y[l];
    }
  }
};
template <class T> struct AddBody {
  [[gnu::always_inline]] static void run(T* y, const T* more, int64_t n) { for (int64_t i = 0; i < n; ++i) y[i] = y[i] + more[i]; }
};

template <class T> struct ProductStep {
  Tensor weights, bias;                                   // bias of every target, or none
  Rectifier rectifier;
  int64_t columns, targets, lanes, from, to;

  void operator()(char* block) const {
    constexpr int64_t depth = PackedMatrix<T>::depth;
    const T* x = reinterpret_cast<const T*>(block + from);
    T* y = reinterpret_cast<T*>(block + to);
    add(x, 0, std::min(depth, columns), y);
    for (int64_t c = depth; c < columns; c += depth) {
      std::vector<T> sums(size_t(targets * lanes));
      add(x, c, std::min(depth, columns - c), sums.data());
      simd::run<AddBody<T>, T, T*, const T*, int64_t>(y, sums.data(), targets * lanes);
    }
    if (bias || rectifier != Rectifier::none) simd::run<FinishBody<T>, T>(y, targets, lanes, bias ? static_cast<const T*>(bias.raw()) : nullptr, rectifier);
  }
  void add(const T* x, int64_t first, int64_t some, T* sums) const {
    std::fill_n(sums, targets * lanes, T(0));
    add_products(x + first * lanes, some, weights.data<T>() + first * targets, targets, sums, lanes, lanes);
  }
};

}  // namespace

LaneStep product_side_by_side(const LaneSite& site, const Tensor& weights, const Tensor* bias, Rectifier rectifier) {
  const LaneValue &x = site.inputs[0], &y = site.output;
  if (x.at < 0 || x.dims.size() != 2 || y.dims.size() != 2 || weights.rank() != 2 || weights.size() == 0 || weights.type() != x.type) return {};
  if (weights.dims()[0] != x.columns() || weights.dims()[1] != y.columns() || weights.size() > most_weights) return {};
  if (bias && (bias->type() != x.type || (bias->size() != 1 && bias->size() != y.columns()))) return {};
  LaneStep step;
  for_type<f32 | f64>(x.type, [&]<class T>() {
    Tensor each;
    if (bias) {
      each = Tensor(bias->type(), {y.columns()});
      for (int64_t t = 0; t < y.columns(); ++t) each.data<T>()[t] = bias->data<T>()[bias->size() == 1 ? 0 : t];
    }
    step = ProductStep<T>{weights, each, rectifier, x.columns(), y.columns(), site.lanes, x.at, y.at};
  });
  return step;
}

}  // namespace onward
