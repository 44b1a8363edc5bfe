// Folds of lines whose elements lie apart, beside each other: each line is folded as FoldBody folds one whose elements are neighbours.
#pragma once
#include "onward/ops/reduction.h"
#include "onward/ops/side_by_side.h"

namespace onward {

template <class Fold, class T> struct FoldLines {
  static constexpr int64_t lanes = FoldBody<Fold, T>::lanes, strip = 16;
  [[gnu::always_inline]] static void run(const T* x, T* y, int64_t outer, int64_t n, int64_t lines) {
    for (int64_t row = 0; row < outer; ++row, x += n * lines, y += lines) {
      if (n == 1) few<1>(x, y, lines);
      else if (n == 2) few<2>(x, y, lines);
      else if (n == 3) few<3>(x, y, lines);
      else for (int64_t line = 0; line < lines; line += strip) some(x + line, y + line, n, lines);
    }
  }
  template <int n> [[gnu::always_inline]] static void few(const T* x, T* y, int64_t lines) {
    constexpr T start = Fold::template start<T>();
#pragma GCC ivdep
    for (int64_t l = 0; l < lines; ++l) {
      T total = Fold::step(start, x[l]);
      if constexpr (n == 3) total = Fold::join(total, Fold::step(start, x[2 * lines + l]));
      if constexpr (n >= 2) total = Fold::join(total, Fold::step(start, x[lines + l]));
      y[l] = Fold::template finish<T>(total, n);
    }
  }
  [[gnu::always_inline]] static void some(const T* x, T* y, int64_t n, int64_t lines) {
    T partial[lanes][strip];
    std::fill_n(partial[0], strip, Fold::template start<T>());
    int64_t given = std::min(n, lanes);                   // what a reduction starts with does not change what it is joined to
    for (int64_t k = 0; k < given; ++k)
      for (int64_t l = 0; l < strip; ++l) partial[k][l] = Fold::step(Fold::template start<T>(), x[k * lines + l]);
    for (int64_t k = given; k < n; ++k)
      for (int64_t l = 0; l < strip; ++l) partial[k % lanes][l] = Fold::step(partial[k % lanes][l], x[k * lines + l]);
    for (int64_t width = lanes / 2; width > 0; width /= 2) {
      for (int64_t k = 0; k < width && k + width < given; ++k)
        for (int64_t l = 0; l < strip; ++l) partial[k][l] = Fold::join(partial[k][l], partial[k + width][l]);
      given = std::min(given, width);
    }
    for (int64_t l = 0; l < strip; ++l) y[l] = Fold::template finish<T>(partial[0][l], n);
  }
};

// Of one row, its axes given; none where they take in the rows or would have to move.
inline std::optional<Reduced> reduced_side_by_side(const LaneSite& site) {
  const Tensor* given = site.constant(1);
  if (!site.only_first_has_rows() || !given || given->size() == 0 || !contains(f32 | f64, site.inputs[0].type)) return std::nullopt;
  const int64_t rank = int64_t(site.inputs[0].dims.size());
  Dims axes;
  for (int64_t a : integers(*given)) {
    axes.push_back(axis_of(a, rank) - 1);
    if (axes.back() < 0) return std::nullopt;
  }
  Reduced r = reduced(site.inputs[0].inner(), axes, true);
  return r.perm.empty() ? std::optional(r) : std::nullopt;
}

template <class Fold> LaneStep fold_form(const LaneSite& site) {
  LaneStep step;
  if (const auto r = reduced_side_by_side(site)) for_type<f32 | f64>(site.output.type, [&]<class T>() {
    step = [r = *r, from = site.inputs[0].at, to = site.output.at, lanes = site.lanes](char* block) {
      const T* x = reinterpret_cast<const T*>(block + from);
      T* y = reinterpret_cast<T*>(block + to);
      if (r.inner == 1) simd::run<FoldLines<Fold, T>, T>(x, y, r.outer, r.n, lanes);
      else simd::run<FoldBody<Fold, T>, T>(x, y, r.outer, r.n, r.inner * lanes);
    };
  });
  return step;
}

}  // namespace onward
