// GridSample: the input read at the places that a grid names, between its elements. AffineGrid: the grid of an affine map.
#include <cmath>
#include "onward/ops/convert.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

enum class Mode : uint8_t { nearest, linear, cubic };
enum class Outside : uint8_t { zeros, border, reflection };

// Pixels that are sampled together: the elements that each is made of and their weights are found once for all channels.
template <class T> struct SampleBlock {
  static constexpr int64_t most = 128;                    // pixels
  Mode how;
  Outside outside;
  bool align_corners;
  Dims spatial;

  const T* x = nullptr;                                   // [channels][image], or [image][channels]
  T* y = nullptr;                                         // [channels][pixels], from the block's first pixel on
  bool channels_last = false;                             // of x
  int64_t n = 0, channels = 0, image = 0, pixels = 0;
  int64_t taps = 1;                                       // of every pixel
  std::vector<double> grid = {};                          // [most][axes], the innermost axis first
  std::vector<int32_t> at = {};                           // [taps][most]
  std::vector<double> products = {};                      // the same: weights in the making
  std::vector<T> weights = {};                            // 0: what stands there counts for nothing
  static constexpr int64_t pitch = most + 16;             // no power of two apart, sums of many channels do not meet in one place of the cache
  std::vector<T> sums = {}, answers = {};                 // [channels] of one pixel; [channels][pitch]

  int64_t each() const { return how == Mode::nearest ? 1 : how == Mode::linear ? 2 : 4; }      // taps along an axis
  void make_room() {
    for (size_t k = 0; k < spatial.size(); ++k) taps *= each();
    grid.resize(size_t(most) * spatial.size()), sums.resize(size_t(channels)), answers.resize(size_t(channels * pitch));
    at.resize(size_t(taps * most)), weights.resize(size_t(taps * most)), products.resize(size_t(taps * most));
  }

  [[gnu::always_inline]] static void run(SampleBlock& block) {
    block.find();
    if (block.channels_last) block.sum_by_pixel();
    else block.sum_by_channel();
  }

 private:
  [[gnu::always_inline]] void sum_by_channel() const {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap) {
        const T* from = x + c * image;
        T* to = y + c * pixels;
        const int32_t* at = this->at.data() + tap * most;
        const T* w = weights.data() + tap * most;
        const int64_t n = this->n;
        if (tap == 0) {
#pragma GCC ivdep
          for (int64_t i = 0; i < n; ++i) { const T v = from[at[i]] * w[i]; to[i] = w[i] != 0 ? v : T(0); }
        } else {
#pragma GCC ivdep
          for (int64_t i = 0; i < n; ++i) { const T v = from[at[i]] * w[i]; to[i] += w[i] != 0 ? v : T(0); }
        }
      }
  }
  // The same where neighbours are channels: each place is looked up once.
  [[gnu::always_inline]] void sum_by_pixel() {
    const int64_t channels = this->channels;
    T* const sums = this->sums.data();
    for (int64_t i = 0; i < n; ++i) {
      std::fill_n(sums, channels, T(0));
      for (int64_t tap = 0; tap < taps; ++tap) {
        const T w = weights[size_t(tap * most + i)];
        const T* from = x + at[size_t(tap * most + i)] * channels;
        if (w == 0) continue;
#pragma GCC ivdep
        for (int64_t c = 0; c < channels; ++c) sums[c] += from[c] * w;
      }
      for (int64_t c = 0; c < channels; ++c) answers[size_t(c * pitch + i)] = sums[c];
    }
    for (int64_t c = 0; c < channels; ++c) std::copy_n(answers.data() + c * pitch, n, y + c * pixels);
  }

  // What the pixels are made of: every choice of one tap along each axis.
  [[gnu::always_inline]] void find() {
    const auto rank = int64_t(spatial.size()), n = this->n;
    int64_t known = 1;
    std::fill_n(at.data(), most, 0), std::fill_n(products.data(), most, 1.0);
    double base[most], part[most], weight[most];
    int32_t index[most];
    for (int64_t k = 0; k < rank; ++k) {
      const int64_t size = spatial[size_t(k)];
      place(grid.data() + rank - 1 - k, rank, size, base);
      for (int64_t i = 0; i < n; ++i) {
        const double whole = how == Mode::nearest ? base[i] : std::floor(base[i]);
        part[i] = base[i] - whole, base[i] = whole;
      }
      for (int64_t old = known; old-- > 0;)
        for (int64_t e = each(); e-- > 0;) {
          tap(base, part, e, size, index, weight);
          int32_t* const to = at.data() + (old * each() + e) * most;
          double* const product = products.data() + (old * each() + e) * most;
          const int32_t* const before = at.data() + old * most;
          const double* const factor = products.data() + old * most;
#pragma GCC ivdep
          for (int64_t i = 0; i < n; ++i) to[i] = int32_t(before[i] * size + index[i]), product[i] = factor[i] * weight[i];
        }
      known *= each();
    }
    for (int64_t k = 0; k < taps * most; ++k) weights[size_t(k)] = T(products[size_t(k)]);
  }

  // The elements at one tap, and how much of each; of those outside nothing.
  [[gnu::always_inline]] void tap(const double* base, const double* part, int64_t e, int64_t size, int32_t* index, double* weight) const {
    const double step = double(how == Mode::cubic ? e - 1 : e);
    const bool back = how == Mode::cubic && outside != Outside::zeros;
    for (int64_t i = 0; i < n; ++i) {
      double at = base[i] + step;
      if (back) at = std::nearbyint(bounded(at, size));
      const bool in = at >= 0 && at < double(size);
      const double w = how == Mode::nearest ? 1 : how == Mode::cubic ? cubic(std::fabs(part[i] - step)) : e ? part[i] : 1 - part[i];
      weight[i] = in ? w : 0, index[i] = int32_t(in ? at : 0);
    }
  }

  // -1 … 1 to element positions, brought back inside where the padding mode says so. What is no number is outside.
  [[gnu::always_inline]] void place(const double* g, int64_t rank, int64_t size, double* to) const {
    const int64_t n = this->n;
    for (int64_t i = 0; i < n; ++i) {
      const double v = align_corners ? (g[i * rank] + 1) / 2 * double(size - 1) : ((g[i * rank] + 1) * double(size) - 1) / 2;
      to[i] = std::fabs(v) < 1e15 ? v : -1e15;
    }
    if (how == Mode::nearest) for (int64_t i = 0; i < n; ++i) to[i] = std::nearbyint(to[i]);
    if (how != Mode::cubic && outside != Outside::zeros) for (int64_t i = 0; i < n; ++i) to[i] = bounded(to[i], size);
  }
  double bounded(double x, int64_t size) const {
    if (outside == Outside::border) return std::clamp(x, 0.0, double(size - 1));
    const double low = align_corners ? 0 : -0.5, high = align_corners ? double(size - 1) : double(size) - 0.5, range = high - low;
    if (range <= 0) return 0;
    if (x < low || x > high) {
      const double phase = std::fmod(std::fabs(x - low), 2 * range);
      x = low + (phase > range ? 2 * range - phase : phase);
    }
    return std::clamp(x, 0.0, double(size - 1));
  }
  [[gnu::always_inline]] static double cubic(double t) {
    constexpr double a = -0.75;
    const double near = ((a + 2) * t - (a + 3)) * t * t + 1, far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
    return t <= 1 ? near : t < 2 ? far : 0;
  }
};

struct GridSample : standard::GridSample {
  Mode how = Mode::linear;
  Outside outside = Outside::zeros;

  void prepare(const Preparation&) {
    if (mode == "nearest") how = Mode::nearest;
    else if (mode == "cubic" || mode == "bicubic") how = Mode::cubic;
    else if (mode != "linear" && mode != "bilinear") invalid("mode is '", mode, "', expected linear, nearest or cubic");
    if (padding_mode == "border") outside = Outside::border;
    else if (padding_mode == "reflection") outside = Outside::reflection;
    else if (padding_mode != "zeros") invalid("padding_mode is '", padding_mode, "', expected zeros, border or reflection");
  }

  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &grid = io.dims(1);
    if (x.size() < 3 || grid.size() != x.size()) invalid("a grid of shape ", shown(grid), " for an input of shape ", shown(x));
    if (!io.symbols && (grid.back() != int64_t(x.size()) - 2 || grid[0] != x[0])) invalid("a grid of shape ", shown(grid), " for an input of shape ", shown(x));
    Dims out{x[0], x[1]};
    out.insert(out.end(), grid.begin() + 1, grid.end() - 1);
    io.output(0, out);
  }

  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    if (contains(complex_types, x.type()) || x.type() == DataType::str) unsupported("sampling ", name_of(x.type()));
    const DataType type = x.type() == DataType::f32 ? DataType::f32 : DataType::f64;
    const Tensor y = as_output(call, call.output(0), type);
    for_type<f32 | f64>(type, [&]<class T>() { sample<T>(call, as_type(call, x, type), y); });
    store(y, call.output(0));
  }

 private:
  template <class T> void sample(const Call& call, const Tensor& x, const Tensor& y) const {
    const Tensor& grid = call.tensor(1);
    const Dims spatial(x.dims().begin() + 2, x.dims().end());
    const auto rank = int64_t(spatial.size());
    const int64_t batch = x.dims()[0], channels = x.dims()[1], image = count(spatial), pixels = product(y.dims(), 2, y.rank());
    if (image == 0) {                                     // there is nothing but padding
      std::fill_n(y.data<T>(), y.size(), T(0));
      return;
    }
    if (image > INT32_MAX || rank > 8) fail(Code::limit_size, "an image of ", shown(spatial), ", the limit is eight axes and ", INT32_MAX, " elements");
    SampleBlock<T> all{how, outside, align_corners != 0, spatial};
    all.channels = channels, all.image = image, all.pixels = pixels;
    all.channels_last = channels >= 4;
    Tensor turned = x;
    if (all.channels_last) transpose(x.reshaped({batch, channels, image}), Dims{0, 2, 1}, turned = call.scratch(type_of<T>, {batch, image, channels}));
    const int64_t blocks = (pixels + all.most - 1) / all.most;
    call.context.parallel(batch * blocks, double(all.most) * (10.0 + 2.0 * double(channels)), [&](int64_t begin, int64_t end) {
      SampleBlock<T> block = all;
      block.make_room();
      for (int64_t i = begin; i < end; ++i) {
        call.context.check();
        const int64_t b = i / blocks, first = i % blocks * all.most;
        block.n = std::min(all.most, pixels - first);
        convert(grid.type(), static_cast<const char*>(grid.raw()) + (b * pixels + first) * rank * int64_t(size_of(grid.type())), DataType::f64, block.grid.data(), block.n * rank);
        block.x = turned.data<T>() + b * channels * image, block.y = y.data<T>() + b * channels * pixels + first;
        simd::Compiled<SampleBlock<T>, SampleBlock<T>&>::best(block);
      }
    });
  }
};

// A row of points, each the matrix [n][n + 1] times (x, point..., 1).
template <class T, int n> struct AffineLine {
  [[gnu::always_inline]] static void run(const T* matrix, const double* x, const double* point, int64_t width, T* y) {
    double m[n][n + 1];
    for (int r = 0; r < n; ++r) for (int k = 0; k <= n; ++k) m[r][k] = double(matrix[r * (n + 1) + k]);
    const double second = point[0], third = n > 2 ? point[1] : 0;
#pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i)
#pragma GCC unroll 3
      for (int r = 0; r < n; ++r) {
        const double sum = m[r][0] * x[i] + m[r][1] * second;
        y[i * n + r] = T((n > 2 ? sum + m[r][2] * third : sum) + m[r][n]);
      }
  }
};

struct AffineGrid : standard::AffineGrid {
  void infer(Inference& io) const {
    const Dims& theta = io.dims(0);
    if (theta.size() != 3) invalid("expected matrices, found shape ", shown(theta));
    auto size = io.sizes(1);
    if (!size) {
      if (!io.symbols || (io.dims(1) != Dims{4} && io.dims(1) != Dims{5})) return;
      size = io.unknown_dims(size_t(io.dims(1)[0]));
    }
    if (size->size() != 4 && size->size() != 5) invalid("a size of ", size->size(), " elements, expected 4 or 5");
    for (int64_t v : *size) if (v < 0 && !is_symbol(v)) invalid("a size of ", v);
    const auto spatial = int64_t(size->size()) - 2;
    if (!io.symbols && (theta[0] != (*size)[0] || theta[1] != spatial || theta[2] != spatial + 1)) invalid("matrices of shape ", shown(theta), " for a size of ", shown(*size));
    Dims out{theta[0]};
    for (size_t i = 2; i < size->size(); ++i) out.push_back(io.size_of((*size)[i]));
    out.push_back(spatial);
    io.output(0, out);
  }
  template <class T> void run(const RunContext& context, In<T> theta, Integers, Out<T> y) const {
    const int64_t n = y.rank() - 2, width = y.dims[size_t(n)], rows = product(y.dims, 1, n), all = y.dims[0] * rows;
    if (y.size == 0) return;
    std::vector<std::vector<double>> places;              // along each axis, the innermost, x, first
    for (int64_t k = 0; k < n; ++k) {
      const int64_t size = y.dims[size_t(n - k)];
      places.emplace_back();
      for (int64_t i = 0; i < size; ++i) places.back().push_back(align_corners ? (size > 1 ? -1 + 2 * double(i) / double(size - 1) : -1) : (2 * double(i) + 1) / double(size) - 1);
    }
    context.parallel(all, 2.0 * double(width * n), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* matrix = theta.data + row / rows * n * (n + 1);
        double point[2];                                  // behind x
        int64_t rest = row % rows;
        for (int64_t k = 1; k < n; ++k) point[k - 1] = places[size_t(k)][size_t(rest % y.dims[size_t(n - k)])], rest /= y.dims[size_t(n - k)];
        const auto line = n == 2 ? simd::run<AffineLine<T, 2>, T, const T*, const double*, const double*, int64_t, T*> : simd::run<AffineLine<T, 3>, T, const T*, const double*, const double*, int64_t, T*>;
        line(matrix, places[0].data(), point, width, y.data + row * width * n);
      }
    });
  }
};

}  // namespace

Operators nn_grid_sample() {
  return {define<GridSample>({.examples = {"float [[[[1, 2], [3, 4]]]], float [[[[0, 0], [-1, -1]]]]; align_corners=1 -> float [[[[2.5, 1]]]]",
                                           "float [[[[1, 2]]]], float [[[[9, 0]]]]; mode=\"nearest\", padding_mode=\"border\" -> float [[[[2]]]]"}}),
          define<AffineGrid, computed(AffineGrid::T1)>({.examples = {"float [[[1, 0, 0], [0, 1, 0]]], int64 [1, 1, 1, 2]; align_corners=0 -> float [[[[-0.5, 0], [0.5, 0]]]]"}})};
}

}  // namespace onward::ops
