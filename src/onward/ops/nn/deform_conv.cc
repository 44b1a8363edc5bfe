// DeformConv: a convolution that reads its input at places shifted by offsets, between elements, times a mask.
#include <cmath>
#include "onward/ops/matrix_product.h"
#include "onward/ops/convolution.h"

namespace onward::ops {
namespace {

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
    for (int64_t k = 0; k < x.dims[0] * group; ++k) {     // images times groups
      const int64_t b = k / group, g = k % group;
      for (int64_t c = 0; c < channels; ++c) {
        context.check();
        const int64_t channel = g * channels + c, shifted = b * offset_group + channel / together;
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
