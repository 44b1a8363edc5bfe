// The walk of pools on every instruction set against windows folded one by one: rows in blocks, strides, dilations, channels in front and behind.
#include "onward/ops/pool.h"

#include <gtest/gtest.h>

#include <cmath>

namespace onward {
namespace {

struct Sum {                                              // of whole numbers: any order is right
  using Value = double;
  static constexpr bool in_order = false;
  static double start() { return 0; }
  static double of(float x) { return double(x); }
  static double join(double a, double b) { return a + b; }
  static double finish(double v, double taps) { return v * 1000 + taps; }
};
struct Chain {                                            // depends on the order: as the taps stand in the image
  using Value = double;
  static constexpr bool in_order = true;
  static double start() { return 1; }
  static double of(float x) { return double(x); }
  static double join(double a, double b) { return 0.5 * a + b; }
  static double finish(double v, double) { return v; }
};

// Every element of the window at `position` of plane `plane`, place `c` of the inner ones, in order.
template <class F> void each_tap(const Pooled& p, int64_t plane, std::span<const int64_t> position, int64_t c, F&& f) {
  int64_t image = 1;
  for (const Window& v : p.along) image *= v.in;
  under(p.along, position, [&](int64_t first, int64_t step, int64_t n) { for (int64_t k = 0; k < n; ++k) f(((plane * image) + first + k * step) * p.inner + c); });
}

template <class Fold, class Y> std::vector<Y> one_by_one(const Fold& fold, const Pooled& p, const std::vector<float>& x) {
  int64_t pixels = 1;
  for (const Window& v : p.along) pixels *= v.out;
  std::vector<Y> y(size_t(p.planes * pixels * p.inner));
  for (int64_t plane = 0; plane < p.planes; ++plane)
    each_position(p.along, [&](int64_t i, std::span<const int64_t> position) {
      double taps = 1;
      for (size_t k = 0; k < p.along.size(); ++k) taps *= double(p.along[k].counted(position[k], p.padding_counts));
      for (int64_t c = 0; c < p.inner; ++c) {
        auto v = fold.start();
        each_tap(p, plane, position, c, [&](int64_t at) { v = fold.join(v, fold.of(x[size_t(at)])); });
        y[size_t((plane * pixels + i) * p.inner + c)] = fold.finish(v, typename Fold::Value(taps));
      }
    });
  return y;
}

template <class Fold, class Y> void expect_same(const Fold& fold, const Pooled& p, const std::vector<float>& x, const std::string& what) {
  const auto expected = one_by_one<Fold, Y>(fold, p, x);
  for (int threads : {1, 3}) {
    RunContext context;
    context.threads = threads;
    std::vector<Y> y(expected.size());
    pool(context, fold, p, x.data(), y.data());
    for (size_t i = 0; i < y.size(); ++i) ASSERT_TRUE(y[i] == expected[i] || (y[i] != y[i] && expected[i] != expected[i])) << what << " at " << i << ": " << y[i] << ", expected " << expected[i];
  }
}

TEST(Pool, FoldsEveryWindowAsItStands) {
  struct Case { Dims in; int64_t inner; Dims taps; std::vector<int64_t> strides, dilations, pads; bool ceil; };
  const Case cases[] = {
      {{9, 11}, 1, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false}, {{9, 11}, 5, {3, 2}, {1, 1}, {2, 3}, {2, 0, 1, 3}, false},
      {{10007}, 1, {3}, {1}, {1}, {1, 1}, false},                {{10007}, 1, {7}, {3}, {4}, {5, 20}, true},
      {{6000}, 1, {5000}, {2}, {1}, {0, 0}, false},             {{3, 400}, 33, {2, 3}, {1, 2}, {1, 1}, {1, 1, 0, 0}, false},
      {{2, 3}, 5000, {2, 2}, {1, 1}, {1, 1}, {1, 1, 1, 1}, false}, {{4, 5, 6}, 2, {2, 3, 2}, {2, 1, 3}, {1, 2, 1}, {0, 1, 1, 1, 2, 0}, true},
      {{4, 4}, 1, {1, 1}, {1, 1}, {1, 1}, {2, 0, 0, 3}, false},  {{6, 6}, 3, {6, 6}, {1, 1}, {1, 1}, {0, 0, 0, 0}, false},
      {{9, 11}, 1, {3, 3}, {2, int64_t{1} << 40}, {1, 1}, {1, 1, 1, 1}, false}, {{9, 40}, 1, {3, 2}, {1, 39}, {1, 1}, {0, 1, 0, 0}, false}};
  for (const simd::Target target : {simd::Target::avx512, simd::Target::avx2, simd::Target::baseline}) {
    simd::limit(target);
    for (const Case& c : cases) {
      Pooled p{2, c.inner, windows({c.taps, c.strides, c.dilations, c.pads, "NOTSET", c.ceil}, c.in, c.taps, nullptr, 0)};
      std::vector<float> x(size_t(2 * c.inner * count(c.in)));
      for (size_t i = 0; i < x.size(); ++i) x[i] = float(int64_t(i * 7919 % 2003) - 1000);
      const std::string what = shown(c.in) + " under " + shown(c.taps);
      for (bool counts : {false, true}) p.padding_counts = counts, expect_same<Sum, double>({}, p, x, what);
      expect_same<Chain, double>({}, p, x, what);
      for (size_t i = 0; i < x.size(); i += 37) x[i] = i % 2 ? NAN : -INFINITY;
      expect_same<LargestUnder<float>, float>({}, p, x, what);
    }
  }
  simd::limit(simd::Target::avx512);
}

}  // namespace
}  // namespace onward
