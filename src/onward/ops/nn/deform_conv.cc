// DeformConv: a convolution that reads its input at places shifted by offsets, between elements, times a mask.
#include <cmath>
#include "onward/ops/convolution.h"
#include "onward/ops/matrix_product.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// Elements between four of an image, the latter followed by the zero that stands for all outside.
template <class T> struct SampleBody {
  [[gnu::always_inline]] static void run(const T* image, const int32_t* corner, const T* weight, int64_t n, T* to) {
    for (int64_t i = 0; i < n; ++i)
      to[i] = (weight[i] * image[corner[i]] + weight[n + i] * image[corner[n + i]]) + (weight[2 * n + i] * image[corner[2 * n + i]] + weight[3 * n + i] * image[corner[3 * n + i]]);
  }
};

// The corners of a tap for a line of pixels, and their weights: 0 and the element behind the image for what does not count.
template <class T> struct Line {
  const T *down, *right, *mask;                           // offsets of every pixel; its mask, or null
  double y, x, step;                                      // where the first pixel looks without offsets, and how far the next one is
  int32_t height, width;                                  // of the image
  int64_t n, stride;                                      // from a corner's numbers to the next corner's
  int32_t* at;
  T* weights;
};
template <class T> struct LineBody {
  [[gnu::always_inline]] static void run(const Line<T>* line) {
    const Line<T> l = *line;
    const double height = l.height, width = l.width;
    const int32_t outside = l.height * l.width;
    T* const weights = l.weights;
#pragma GCC ivdep
    for (int64_t i = 0; i < l.n; ++i) {
      const double y = l.y + double(l.down[i]), x = l.x + l.step * double(i) + double(l.right[i]), share = l.mask ? double(l.mask[i]) : 1;
      const bool inside = (y > -1) & (y < height) & (x > -1) & (x < width);
      const double above = inside ? y : 0, left = inside ? x : 0;
      const int32_t row = int32_t(above + 1) - 1, column = int32_t(left + 1) - 1;        // both positive: cut off is rounded down
      const double fy = above - row, fx = left - column;
      for (int32_t corner = 0; corner < 4; ++corner) {
        const int32_t r = row + corner / 2, c = column + corner % 2;
        const double weight = (corner / 2 ? fy : 1 - fy) * (corner % 2 ? fx : 1 - fx);
        const bool counts = inside & (r >= 0) & (r < l.height) & (c >= 0) & (c < l.width) & (weight != 0);
        l.at[corner * l.stride + i] = counts ? r * l.width + c : outside;
        weights[corner * l.stride + i] = counts ? T(share * weight) : T(0);
      }
    }
  }
};

// Where the taps of a group of channels lie in images of two axes: four corners and their weights for each, made once for all its channels.
template <class T> struct Corners {
  std::vector<int32_t> at;                                // [tap][corner][pixel]
  std::vector<T> weights;
  int64_t made_for = -1;
  std::vector<T> image;                                   // a channel and a zero behind it

  void make(const Windows& along, int64_t taps, int64_t pixels, const T* offset, const T* mask) {
    at.resize(size_t(taps * 4 * pixels)), weights.resize(at.size());
    const Window &down = along[0], &right = along[1];
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t row = 0; row < down.out; ++row) {
        const int64_t first = row * right.out;
        const T* const own = offset + 2 * tap * pixels + first;
        const Line<T> line{own, own + pixels, mask ? mask + tap * pixels + first : nullptr, double(row * down.stride - down.before + tap / right.taps * down.dilation),
                           double(tap % right.taps * right.dilation - right.before), double(right.stride), int32_t(down.in), int32_t(right.in), right.out, pixels,
                           at.data() + tap * 4 * pixels + first, weights.data() + tap * 4 * pixels + first};
        simd::run<LineBody<T>, T>(&line);
      }
  }
  void sample(const T* from, int64_t size, int64_t taps, int64_t pixels, T* to) {
    image.assign(from, from + size), image.push_back(0);
    for (int64_t tap = 0; tap < taps; ++tap) simd::run<SampleBody<T>, T, const T*, const int32_t*, const T*, int64_t, T*>(image.data(), at.data() + tap * 4 * pixels, weights.data() + tap * 4 * pixels, pixels, to + tap * pixels);
  }
};

struct DeformConv : standard::DeformConv {
  Convolution as_convolution() const { return {sliding(*this), group}; }

  void prepare(const Preparation&) const {
    as_convolution().check();
    if (offset_group < 1) invalid("offset_group is ", offset_group, ", expected 1 or more");
  }
  void infer(Inference& io) const {
    const Dims out = as_convolution().output(io, 0, 1);
    if (!io.symbols) {
      const Dims &x = io.dims(0), &w = io.dims(1);
      const int64_t taps = product(w, 2, int64_t(w.size())), n = int64_t(x.size()) - 2;
      if (x[1] % offset_group != 0) invalid(x[1], " channels in ", offset_group, " groups of offsets");
      const auto check = [&](size_t i, int64_t per_tap) {
        Dims expected = out;
        expected[1] = offset_group * taps * per_tap;
        if (io.has(i) && io.dims(i) != expected) invalid("input ", i, " has shape ", shown(io.dims(i)), ", expected ", shown(expected));
      };
      check(2, n), check(4, 1);
      if (io.has(3) && io.dims(3) != Dims{w[0]}) invalid("a bias of shape ", shown(io.dims(3)));
    }
    io.output(0, out);
  }

  template <class T> void run(const RunContext& context, In<T> x, In<T> w, In<T> offset, In<T> bias, In<T> mask, Out<T> y) const {
    const Windows along = windows(sliding(*this), x.dims, w.dims.subspan(2));
    const int64_t n = x.rank() - 2, channels = w.dims[1], filters = w.dims[0] / group, taps = product(w.dims, 2, w.rank());
    const int64_t image = product(x.dims, 2, x.rank()), pixels = product(y.dims, 2, y.rank()), together = x.dims[1] / offset_group;
    if (y.size == 0) return;
    const Tensor columns(type_of<T>, {channels, taps, pixels}, context.budget);
    std::vector<double> at(static_cast<size_t>(n));
    Corners<T> corners;
    const bool flat = n == 2 && image < int64_t(1) << 30;
    for (int64_t k = 0; k < x.dims[0] * group; ++k) {     // images times groups
      const int64_t b = k / group, g = k % group;
      for (int64_t c = 0; c < channels; ++c) {
        context.check();
        const int64_t channel = g * channels + c, shifted = b * offset_group + channel / together;
        if (flat) {
          if (std::exchange(corners.made_for, shifted) != shifted) corners.make(along, taps, pixels, offset.data + shifted * taps * 2 * pixels, mask ? mask.data + shifted * taps * pixels : nullptr);
          corners.sample(x.data + (b * x.dims[1] + channel) * image, image, taps, pixels, columns.data<T>() + c * taps * pixels);
          continue;
        }
        for (int64_t tap = 0; tap < taps; ++tap)
          each_position(along, [&](int64_t i, std::span<const int64_t> position) {
            int64_t rest = tap;
            for (int64_t axis = n; axis-- > 0; rest /= along[size_t(axis)].taps) {
              const Window& v = along[size_t(axis)];
              at[size_t(axis)] = double(position[size_t(axis)] * v.stride - v.before + rest % v.taps * v.dilation) + double(offset[((shifted * taps + tap) * n + axis) * pixels + i]);
            }
            const double weight = mask ? double(mask[(shifted * taps + tap) * pixels + i]) : 1;
            columns.data<T>()[(c * taps + tap) * pixels + i] = T(weight * between(x.data + (b * x.dims[1] + channel) * image, x.dims.subspan(2), at));
          });
      }
      T* to = y.data + k * filters * pixels;
      matrix_product<T>(w.data + g * filters * channels * taps, columns.data<T>(), to, filters, pixels, channels * taps);
      if (bias) for (int64_t i = 0; i < filters * pixels; ++i) to[i] += bias[g * filters + i / pixels];
    }
  }

 private:
  template <class T> static double between(const T* x, std::span<const int64_t> dims, std::span<const double> at) {
    if (dims.empty()) return double(*x);
    if (!(at[0] > -1 && at[0] < double(dims[0]))) return 0;
    const double low = std::floor(at[0]), t = at[0] - low;
    const int64_t step = count(dims.subspan(1)), i = int64_t(low);
    const auto part = [&](int64_t k, double weight) { return weight == 0 || k < 0 || k >= dims[0] ? 0.0 : weight * between(x + k * step, dims.subspan(1), at.subspan(1)); };
    return part(i, 1 - t) + part(i + 1, t);
  }
};

}  // namespace

Operators nn_deform_conv() {
  return {define<DeformConv, computed(DeformConv::T)>({.tolerance = 1e-5, .examples = {"float [[[[1, 2, 3]]]], float [[[[1]]]], float [[[[0, 0, 0]], [[0.5, 0, 1]]]] -> float [[[[1.5, 2, 0]]]]"}})};
}

}  // namespace onward::ops
