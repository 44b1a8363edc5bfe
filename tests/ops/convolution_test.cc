// Convolutions on every instruction set against the chain of fused multiply-adds that they promise, whatever way they take.
#include "onward/ops/convolution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "onward/ops/code_convolution.h"
#include "onward/ops/transposed_convolution.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

struct Case {
  Dims x, w;                                              // w: [filters, channels of a group, taps…]
  int64_t group = 1;
  std::vector<int64_t> strides, dilations, pads;
};

template <class T> std::vector<T> numbers(int64_t n, int64_t factor) {
  std::vector<T> out(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) out[size_t(i)] = T(double(i * factor % 2003 - 1000) / 700);
  return out;
}

// The element of image `n` and channel `c` under tap `tap` of output position `position`; 0 in the padding.
template <class T> T under_tap(const std::vector<T>& x, const Dims& dims, const Windows& along, int64_t n, int64_t c, int64_t position, int64_t tap) {
  int64_t at = 0, step = 1;
  for (size_t i = along.size(); i-- > 0; step *= along[i].in) {
    const Window& v = along[i];
    const int64_t k = position % v.out * v.stride - v.before + tap % v.taps * v.dilation;
    position /= v.out, tap /= v.taps;
    if (k < 0 || k >= v.in) return 0;
    at += k * step;
  }
  return x[size_t((n * dims[1] + c) * step + at)];
}

// One chain a block of 256, the blocks' sums added in order, then the bias.
template <class T> std::vector<T> promised(const Case& c, const Windows& along, const std::vector<T>& x, const std::vector<T>& w, const std::vector<T>& bias) {
  int64_t pixels = 1, taps = 1;
  for (const Window& v : along) pixels *= v.out, taps *= v.taps;
  const int64_t filters = c.w[0], k = c.w[1] * taps;
  std::vector<T> y;
  for (int64_t n = 0; n < c.x[0]; ++n)
    for (int64_t f = 0; f < filters; ++f)
      for (int64_t p = 0; p < pixels; ++p) {
        T total = 0;
        for (int64_t from = 0; from < k; from += 256) {
          T sum = 0;
          for (int64_t i = from; i < std::min(k, from + 256); ++i)
            sum = std::fma(w[size_t(f * k + i)], under_tap(x, c.x, along, n, f / (filters / c.group) * c.w[1] + i / taps, p, i % taps), sum);
          total = from == 0 ? sum : total + sum;
        }
        y.push_back(total + bias[size_t(f)]);
      }
  return y;
}

const std::vector<Case> cases = {
    {{1, 3, 9, 11}, {5, 3, 3, 3}, 1, {}, {}, {1, 1, 1, 1}},
    {{2, 4, 23, 24}, {16, 4, 3, 3}, 1, {}, {}, {}},                            // the image as it is
    {{1, 40, 16, 16}, {13, 40, 3, 3}, 1, {}, {}, {1, 1, 1, 1}},               // more than one block of k
    {{1, 7, 16, 16}, {26, 7, 1, 1}, 1, {}, {}, {}},                           // planes a power of two apart
    {{1, 7, 15, 18}, {26, 7, 1, 1}, 1, {}, {}, {}},
    {{1, 6, 17, 19}, {12, 6, 5, 3}, 1, {2, 3}, {}, {2, 0, 1, 1}},             // strides
    {{1, 2, 21, 20}, {4, 2, 2, 3}, 1, {4, 2}, {2, 3}, {0, 3, 1, 0}},          // dilations that share a factor with the strides
    {{1, 2, 5, 6}, {4, 2, 3, 3}, 1, {}, {9, 9}, {9, 9, 9, 9}},                // mostly padding: columns
    {{3, 8, 20, 13}, {8, 1, 3, 3}, 8, {}, {}, {1, 1, 1, 1}},                  // a filter for each channel
    {{2, 6, 300}, {9, 2, 4}, 3, {}, {}, {3, 0}},
    {{1, 2, 1000}, {3, 2, 3}, 1, {3}, {}, {}},
    {{1, 2, 6, 7, 8}, {5, 2, 2, 3, 3}, 1, {1, 2, 1}, {}, {1, 0, 1, 0, 1, 1}},
    {{1, 3, 4, 5, 40}, {2, 3, 1, 1, 3}, 1, {}, {}, {0, 0, 1, 0, 0, 1}},       // whole axes join the row
    {{1, 1, 4, 4}, {1, 1, 4, 4}, 1, {}, {}, {}},
};

template <class T> void test_convolutions() {
  for (const Case& c : cases) {
    const Convolution convolution{{{}, c.strides, c.dilations, c.pads}, c.group};
    const Windows along = windows(convolution.sliding, c.x, std::span<const int64_t>(c.w).subspan(2));
    auto x = numbers<T>(count(c.x), 7919);
    x[x.size() / 2] = T(-0.0);
    const auto w = numbers<T>(count(c.w), 104729), bias = numbers<T>(c.w[0], 31);
    const auto expected = promised(c, along, x, w, bias);
    for (auto target : {simd::Target::avx2, simd::Target::avx512}) {
      simd::limit(target);
      if (simd::best() == simd::Target::baseline && !simd::baseline_fuses) continue;      // no fma here: nothing is promised
      const ConvolutionWeights packed(Tensor::view(type_of<T>, c.w, w.data()), c.group);
      for (int threads : {1, 3})
        for (const auto& weights : {ConvolutionWeights{}, packed}) {
          std::vector<T> y(expected.size());
          RunContext context;
          context.threads = threads;
          convolution.run(context, c.x, x.data(), c.w, w.data(), bias.data(), y.data(), weights);
          ASSERT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(T)), 0) << shown(c.x) << " by " << shown(c.w) << " on target " << int(target);
        }
    }
    simd::limit(simd::Target::baseline);
    std::vector<T> y(expected.size());
    convolution.run({}, c.x, x.data(), c.w, w.data(), bias.data(), y.data());
    simd::limit(simd::Target::avx512);
    for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 1e-3) << shown(c.x) << " by " << shown(c.w) << " on the baseline";
  }
}

TEST(Convolution, IsTheChainItPromisesInFloat) { test_convolutions<float>(); }
TEST(Convolution, IsTheChainItPromisesInDouble) { test_convolutions<double>(); }

// Codes: the sums of both layouts, of either signedness, against the plain loop; padding counts as the zero point.
void test_codes(const Case& c, DataType x_type, DataType w_type) {
  const Convolution convolution{{{}, c.strides, c.dilations, c.pads}, c.group};
  const Windows along = windows(convolution.sliding, c.x, std::span<const int64_t>(c.w).subspan(2));
  const auto bytes = [](int64_t n, int64_t factor) { std::vector<uint8_t> out; for (int64_t i = 0; i < n; ++i) out.push_back(uint8_t(i * factor % 251 + i % 5)); return out; };
  const auto real = [](uint8_t code, DataType type) { return type == DataType::i8 ? double(int8_t(code)) : double(code); };
  const auto x = bytes(count(c.x), 7919), w = bytes(count(c.w), 104729), zeros = bytes(c.w[0], 13);
  const int32_t zero = x_type == DataType::i8 ? -7 : 7;
  std::vector<double> x_real, w_real, no_bias(size_t(c.w[0]), 3);
  for (uint8_t v : x) x_real.push_back(real(v, x_type) - zero);
  for (size_t i = 0; i < w.size(); ++i) w_real.push_back(real(w[i], w_type) - real(zeros[i / (w.size() / zeros.size())], w_type));
  const auto expected = promised(c, along, x_real, w_real, no_bias);
  const Tensor given = Tensor::view(x_type, c.x, x.data()), weights = Tensor::view(w_type, c.w, w.data()), w_zero = Tensor::view(w_type, {c.w[0]}, zeros.data());
  const auto filters = CodeFilters::of(weights, &w_zero, c.group);
  ASSERT_TRUE(filters);
  Dims y_dims{c.x[0]};
  for (const Window& v : along) y_dims.push_back(v.out);
  y_dims.push_back(c.w[0]);
  const std::vector<int32_t> bias(size_t(c.w[0]), 3);
  const Tensor turned = with_channels_last(given);
  for (auto target : {simd::Target::baseline, simd::Target::avx2, simd::Target::avx512})
    for (bool last : {false, true}) {
      simd::limit(target);
      const Tensor sums(DataType::i32, y_dims);
      code_convolution({}, {convolution, last ? turned : given, weights, &w_zero, last, zero, bias.data()}, *filters, y_dims, sums.data<int32_t>());
      simd::limit(simd::Target::avx512);
      const Tensor first = with_channels_first(sums);
      for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(double(first.data<int32_t>()[i]), expected[i]) << shown(c.x) << " by " << shown(c.w) << " at " << i << " on target " << int(target);
    }
}

TEST(Convolution, OfCodesIsExact) {
  for (const Case& c : cases)
    for (DataType x : {DataType::u8, DataType::i8})
      for (DataType w : {DataType::u8, DataType::i8}) test_codes(c, x, w);
  test_codes({{2, 80, 9, 10}, {80, 1, 3, 3}, 80, {2, 1}, {}, {1, 1, 1, 1}}, DataType::u8, DataType::i8);
  test_codes({{1, 64, 8, 8}, {20, 64, 1, 1}, 1, {}, {}, {}}, DataType::u8, DataType::i8);
  test_codes({{1, 2, 3, 4}, {2, 2, 2, 2}, 1, {}, {500, 400}, {250, 250, 250, 250}}, DataType::u8, DataType::u8);        // through doubles
}

// Transposed: every input element times the weights, added where its taps lie; in double, and equal bits on each instruction set.
TEST(Convolution, TransposedIsTheSumOfItsTaps) {
  struct Transposed { Dims x, w; int64_t group; Windows along; };   // a window: size of y, of x, taps, stride, dilation, padding
  const std::vector<Transposed> all = {
      {{2, 4, 7, 9}, {4, 5, 3, 4}, 1, {{15, 7, 3, 2, 1, 0}, {20, 9, 4, 2, 1, 0}}},
      {{1, 6, 8, 5}, {6, 3, 3, 3}, 2, {{22, 8, 3, 3, 1, 1}, {5, 5, 3, 1, 1, 1}}},
      {{1, 3, 40}, {3, 14, 5}, 1, {{49, 40, 5, 1, 2, 0}}},
      {{1, 2, 9, 9}, {2, 2, 2, 2}, 1, {{33, 9, 2, 4, 1, 0}, {36, 9, 2, 4, 3, 1}}},        // outputs that no tap reaches
      {{1, 2, 4, 5, 6}, {2, 3, 2, 3, 2}, 1, {{8, 4, 2, 2, 1, 0}, {7, 5, 3, 1, 1, 0}, {12, 6, 2, 2, 1, 0}}}};
  for (const Transposed& c : all) {
    const auto x = numbers<float>(count(c.x), 7919), w = numbers<float>(count(c.w), 104729), bias = numbers<float>(c.w[1] * c.group, 31);
    int64_t size = 1, image = 1, taps = 1;
    for (const Window& v : c.along) size *= v.in, image *= v.out, taps *= v.taps;
    const int64_t channels = c.w[0] / c.group, filters = c.w[1], n = c.x[0] * c.group * filters * size;
    std::vector<double> expected;
    for (int64_t i = 0; i < n; ++i) expected.push_back(double(bias[size_t(i / size % (filters * c.group))]));
    for (int64_t k = 0; k < c.x[0] * c.group; ++k)
      for (int64_t ch = 0; ch < channels; ++ch)
        for (int64_t f = 0; f < filters; ++f)
          for (int64_t p = 0; p < image; ++p)
            for (int64_t t = 0; t < taps; ++t) {
              int64_t at = 0, step = 1, position = p, tap = t;
              bool inside = true;
              for (size_t i = c.along.size(); i-- > 0; step *= c.along[i].in) {
                const Window& v = c.along[i];
                const int64_t y = position % v.out * v.stride - v.before + tap % v.taps * v.dilation;
                position /= v.out, tap /= v.taps;
                inside = inside && y >= 0 && y < v.in, at += y * step;
              }
              if (inside) expected[size_t((k * filters + f) * size + at)] += double(x[size_t((k * channels + ch) * image + p)]) * double(w[size_t(((k % c.group * channels + ch) * filters + f) * taps + t)]);
            }
    ASSERT_TRUE(TransposedFilters::serves(c.x, c.along));
    std::vector<std::vector<float>> answers;
    for (auto target : {simd::Target::baseline, simd::Target::avx2, simd::Target::avx512}) {
      simd::limit(target);
      const TransposedFilters weights(Tensor::view(DataType::f32, c.w, w.data()), c.group, c.along);
      std::vector<float> y(static_cast<size_t>(n));
      weights.run({}, c.x, x.data(), c.along, bias.data(), y.data());
      for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(double(y[i]), expected[i], 1e-4) << shown(c.x) << " at " << i;
      answers.push_back(std::move(y));
    }
    if (simd::best() == simd::Target::avx512) EXPECT_EQ(answers[1], answers[2]);
  }
}

}  // namespace
}  // namespace onward
