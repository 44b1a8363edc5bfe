// GridSample: the input read at the places that a grid names, between its elements. AffineGrid: the grid of an affine map.
#include <cmath>
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct GridSample : standard::GridSample {
  enum class Mode : uint8_t { nearest, linear, cubic } how = Mode::linear;
  enum class Outside : uint8_t { zeros, border, reflection } outside = Outside::zeros;

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
    if (contains(complex_types, call.tensor(0).type()) || call.tensor(0).type() == DataType::str) unsupported("sampling ", name_of(call.tensor(0).type()));
    const Tensor x = as_type(call, call.tensor(0), DataType::f64), y = as_output(call, call.output(0), DataType::f64);
    const auto grid = as_doubles(call.tensor(1));
    const auto rank = int64_t(x.dims().size()) - 2;
    const std::span<const int64_t> spatial = std::span<const int64_t>(x.dims()).subspan(2);
    const int64_t channels = x.dims()[1], image = count(spatial), pixels = product(y.dims(), 2, y.rank());
    if (image == 0) {                                     // there is nothing but padding
      std::fill_n(y.data<double>(), y.size(), 0.0);
      return store(y, call.output(0));
    }
    call.context.parallel(x.dims()[0] * pixels, 20.0 * double(channels), [&](int64_t begin, int64_t end) {
      std::vector<double> at(static_cast<size_t>(rank));
      for (int64_t i = begin; i < end; ++i) {
        const int64_t batch = i / pixels;
        for (int64_t k = 0; k < rank; ++k) at[size_t(k)] = place(grid[size_t(i * rank + rank - 1 - k)], spatial[size_t(k)]);
        for (int64_t c = 0; c < channels; ++c)
          y.data<double>()[(batch * channels + c) * pixels + i % pixels] = sample(x.data<double>() + (batch * channels + c) * image, spatial, at);
      }
    });
    store(y, call.output(0));
  }

 private:
  // -1 … 1 to element positions, brought back inside where the padding mode says so. What is no number is outside.
  double place(double g, int64_t n) const {
    double x = align_corners ? (g + 1) / 2 * double(n - 1) : ((g + 1) * double(n) - 1) / 2;
    if (!(std::fabs(x) < 1e15)) x = -1e15;
    if (how == Mode::nearest) x = std::nearbyint(x);
    if (how != Mode::cubic) x = bounded(x, n);
    return x;
  }
  double bounded(double x, int64_t n) const {
    if (outside == Outside::border) return std::clamp(x, 0.0, double(n - 1));
    if (outside == Outside::zeros) return x;
    const double low = align_corners ? 0 : -0.5, high = align_corners ? double(n - 1) : double(n) - 0.5, range = high - low;
    if (range <= 0) return 0;
    if (x < low || x > high) {
      const double phase = std::fmod(std::fabs(x - low), 2 * range);
      x = low + (phase > range ? 2 * range - phase : phase);
    }
    return std::clamp(x, 0.0, double(n - 1));
  }

  double sample(const double* x, std::span<const int64_t> dims, std::span<const double> at) const {
    if (dims.empty()) return *x;
    const int64_t n = dims[0], step = count(dims.subspan(1));
    const auto element = [&](double position) {
      const auto i = int64_t(how == Mode::cubic ? std::nearbyint(bounded(position, n)) : position);
      return i < 0 || i >= n ? 0.0 : sample(x + i * step, dims.subspan(1), at.subspan(1));
    };
    if (how == Mode::nearest) return element(at[0]);
    const double base = std::floor(at[0]), t = at[0] - base;
    if (how == Mode::linear) return (t < 1 ? (1 - t) * element(base) : 0) + (t > 0 ? t * element(base + 1) : 0);
    double sum = 0;
    for (int k = -1; k <= 2; ++k) sum += cubic(std::fabs(t - k)) * element(base + k);
    return sum;
  }
  static double cubic(double t) {
    constexpr double a = -0.75;
    if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
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
  template <class T> void run(In<T> theta, Integers, Out<T> y) const {
    const int64_t n = y.rank() - 2, pixels = product(y.dims, 1, n + 1);
    for (int64_t i = 0; i < y.dims[0] * pixels; ++i) {
      double point[4] = {};
      int64_t rest = i % pixels;
      for (int64_t k = 0; k < n; ++k) {                   // the innermost axis is x
        const int64_t size = y.dims[size_t(n - k)];
        const auto at = double(rest % size);
        rest /= size;
        point[k] = align_corners ? (size > 1 ? -1 + 2 * at / double(size - 1) : -1) : (2 * at + 1) / double(size) - 1;
      }
      point[n] = 1;
      const T* matrix = theta.data + i / pixels * n * (n + 1);
      for (int64_t row = 0; row < n; ++row) {
        double sum = 0;
        for (int64_t k = 0; k <= n; ++k) sum += double(matrix[row * (n + 1) + k]) * point[k];
        y[i * n + row] = T(sum);
      }
    }
  }
};

}  // namespace

Operators nn_grid_sample() {
  return {define<GridSample>({.examples = {"float [[[[1, 2], [3, 4]]]], float [[[[0, 0], [-1, -1]]]]; align_corners=1 -> float [[[[2.5, 1]]]]",
                                           "float [[[[1, 2]]]], float [[[[9, 0]]]]; mode=\"nearest\", padding_mode=\"border\" -> float [[[[2]]]]"}}),
          define<AffineGrid, computed(AffineGrid::T1)>({.examples = {"float [[[1, 0, 0], [0, 1, 0]]], int64 [1, 1, 1, 2]; align_corners=0 -> float [[[[-0.5, 0], [0.5, 0]]]]"}})};
}

}  // namespace onward::ops
