// Conv: any number of spatial axes, groups, strides, dilations. Patches become columns, then one matrix product a group.
#include "onward/ops/matrix_product.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

// One window axis: the input position of kernel tap k for output position i is i * stride - before + k * dilation.
struct Window { int64_t in, out, taps, stride, dilation, before; };

struct Conv : standard::Conv {
  void prepare(const Preparation&) const {
    const auto positive = [](const std::vector<int64_t>& all, std::string_view name) {
      for (int64_t v : all) if (v < 1 || v > 1 << 20) invalid(name, " has ", v, ", expected 1 or more");
    };
    positive(strides, "strides"), positive(dilations, "dilations"), positive(kernel_shape, "kernel_shape");
    for (int64_t v : pads) if (v < 0 || v > 1 << 20) invalid("pads has ", v, ", expected 0 or more");
    if (group < 1) invalid("group is ", group, ", expected 1 or more");
  }

  std::vector<Window> windows(std::span<const int64_t> x, std::span<const int64_t> w, Symbols* symbols = nullptr) const {
    std::vector<Window> out;
    const size_t spatial = x.size() - 2;
    for (size_t i = 0; i < spatial; ++i) {
      Window v{x[i + 2], 0, w[i + 2], strides.empty() ? 1 : strides[i], dilations.empty() ? 1 : dilations[i], pads.empty() ? 0 : pads[i]};
      if (is_symbol(v.in) || is_symbol(v.taps)) {
        v.out = symbols->fresh();
        out.push_back(v);
        continue;
      }
      const int64_t reach = (v.taps - 1) * v.dilation + 1;
      int64_t padding = v.before + (pads.empty() ? 0 : pads[i + spatial]);
      if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
        padding = std::max(int64_t(0), ((v.in + v.stride - 1) / v.stride - 1) * v.stride + reach - v.in);
        v.before = auto_pad == "SAME_UPPER" ? padding / 2 : padding - padding / 2;
      }
      v.out = v.in + padding < reach ? 0 : (v.in + padding - reach) / v.stride + 1;
      out.push_back(v);
    }
    return out;
  }

  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &w = io.dims(1);
    if (x.size() < 3 || x.size() != w.size()) invalid("expected input and weights of one rank above 2, found ", shown(x), " and ", shown(w));
    const auto per_axis = [&](const std::vector<int64_t>& all, size_t each) { return all.empty() || all.size() == (x.size() - 2) * each; };
    if (!per_axis(strides, 1) || !per_axis(dilations, 1) || !per_axis(pads, 2)) invalid("strides, dilations or pads do not fit ", x.size() - 2, " spatial axes");
    if (w[0] >= 0 && w[0] % group != 0) invalid(w[0], " filters in ", group, " groups");
    if (x[1] >= 0 && w[1] >= 0 && x[1] != w[1] * group) invalid("input has ", x[1], " channels, weights expect ", w[1] * group);
    Dims out{x[0], w[0]};
    for (const Window& v : windows(x, w, io.symbols)) out.push_back(v.out);
    io.output(0, out);
  }

  template <class T> void run(In<T> x, In<T> w, In<T> bias, Out<T> y) const {
    const auto along = windows(x.dims, w.dims);
    const int64_t channels = w.dims[1], filters = w.dims[0] / group;
    const int64_t image = product(x.dims, 2, x.rank()), pixels = product(y.dims, 2, y.rank()), taps = product(w.dims, 2, w.rank());
    std::vector<T> columns(channels * taps * pixels);
    for (int64_t n = 0; n < x.dims[0]; ++n)
      for (int64_t g = 0; g < group; ++g) {
        T* to = columns.data();
        for (int64_t c = 0; c < channels; ++c)
          for (int64_t tap = 0; tap < taps; ++tap) to = patch(x.data + ((n * group + g) * channels + c) * image, along, 0, tap, taps, image, to);
        T* out = y.data + (n * group + g) * filters * pixels;
        matrix_product<T>(w.data + g * filters * channels * taps, columns.data(), out, filters, pixels, channels * taps);
        if (bias) for (int64_t f = 0; f < filters; ++f) for (int64_t p = 0; p < pixels; ++p) out[f * pixels + p] += bias[g * filters + f];
      }
  }

 private:
  // For one kernel tap, the input element (0 in the padding) under every output position.
  template <class T> static T* patch(const T* x, std::span<const Window> along, size_t axis, int64_t tap, int64_t taps, int64_t image, T* to) {
    if (axis == along.size()) { *to = x ? *x : T(0); return to + 1; }
    const Window& v = along[axis];
    const int64_t rest = taps / v.taps, row = image / v.in, k = tap / rest;
    for (int64_t i = 0; i < v.out; ++i) {
      const int64_t at = i * v.stride - v.before + k * v.dilation;
      to = patch(x && at >= 0 && at < v.in ? x + at * row : nullptr, along, axis + 1, tap % rest, rest, row, to);
    }
    return to;
  }
};

}  // namespace

Operators nn_conv() {
  return {define<Conv, computed(Conv::T)>({.tolerance = 1e-5, .examples = {"float [[[1, 2, 3]]], float [[[1, 1]]] -> float [[[3, 5]]]"}})};
}

}  // namespace onward::ops
