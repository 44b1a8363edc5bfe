// MaxRoiPool: regions of an image brought to one size. MaxUnpool: what MaxPool kept, put back to where it was.
#include <cmath>
#include "onward/ops/window.h"

namespace onward::ops {
namespace {

struct MaxRoiPool : standard::MaxRoiPool {
  void prepare(const Preparation&) const {
    if (pooled_shape.size() != 2) invalid("pooled_shape has ", pooled_shape.size(), " elements, expected 2");
    for (int64_t v : pooled_shape) if (v < 1 || v > 1 << 20) invalid("pooled_shape has ", v);
  }
  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &rois = io.dims(1);
    if (x.size() != 4 || rois.size() != 2 || (!is_symbol(rois[1]) && rois[1] != 5)) invalid("regions of shape ", shown(rois), " for an input of shape ", shown(x));
    io.output(0, {rois[0], x[1], pooled_shape[0], pooled_shape[1]});
  }
  template <class T> void run(const RunContext& context, In<T> x, In<T> rois, Out<T> y) const {
    const int64_t channels = x.dims[1], height = x.dims[2], width = x.dims[3], pixels = pooled_shape[0] * pooled_shape[1];
    for (int64_t r = 0; r < rois.dims[0]; ++r) {
      context.check();
      const T* roi = rois.data + r * 5;
      int64_t at[5];
      for (int64_t k = 0; k < 5; ++k) {
        const double v = std::round(double(roi[k]) * (k ? double(spatial_scale) : 1));
        if (!(std::fabs(v) < 1e9)) invalid("a region at ", v);
        at[k] = int64_t(v);
      }
      if (at[0] < 0 || at[0] >= x.dims[0]) invalid("batch index ", at[0], " of ", x.dims[0]);
      const double bin_h = double(std::max(at[4] - at[2] + 1, int64_t(1))) / double(pooled_shape[0]), bin_w = double(std::max(at[3] - at[1] + 1, int64_t(1))) / double(pooled_shape[1]);
      for (int64_t i = 0; i < channels * pixels; ++i) {
        const int64_t row = i % pixels / pooled_shape[1], column = i % pooled_shape[1];
        const auto from = [](double v, int64_t start, int64_t n) { return std::clamp(int64_t(std::floor(v)) + start, int64_t(0), n); };
        const auto to = [](double v, int64_t start, int64_t n) { return std::clamp(int64_t(std::ceil(v)) + start, int64_t(0), n); };
        const T* image = x.data + (at[0] * channels + i / pixels) * height * width;
        T best = -INFINITY;
        for (int64_t a = from(double(row) * bin_h, at[2], height); a < to(double(row + 1) * bin_h, at[2], height); ++a)
          for (int64_t b = from(double(column) * bin_w, at[1], width); b < to(double(column + 1) * bin_w, at[1], width); ++b) best = std::max(best, image[a * width + b]);
        y[r * channels * pixels + i] = best == T(-INFINITY) ? T(0) : best;
      }
    }
  }
};

struct MaxUnpool : standard::MaxUnpool {
  void prepare(const Preparation&) const { check_sliding(sliding(*this)); }

  // The size that MaxPool had before.
  Dims before(Inference& io) const {
    Dims out = io.dims(0);
    const size_t n = out.size() < 2 ? 0 : out.size() - 2;
    if (n == 0 || kernel_shape.size() != n || (!strides.empty() && strides.size() != n) || (!pads.empty() && pads.size() != 2 * n)) invalid("kernel_shape, strides or pads do not fit an input of shape ", shown(out));
    for (size_t i = 0; i < n; ++i) {
      int64_t& size = out[i + 2];
      size = io.add(io.multiply(io.subtract(size, 1), strides.empty() ? 1 : strides[i]), kernel_shape[i] - (pads.empty() ? 0 : pads[i] + pads[i + n]));
      if (size < 0 && !is_symbol(size)) invalid("pads larger than the output");
    }
    return out;
  }
  void infer(Inference& io) const {
    if (!io.symbols && io.dims(0) != io.dims(1)) invalid("indices of shape ", shown(io.dims(1)), " for an input of shape ", shown(io.dims(0)));
    if (!io.has(2)) return io.output(0, before(io));
    const auto shape = io.sizes(2);
    if (!shape) return;
    for (int64_t size : *shape) if (size < 0 && !is_symbol(size)) invalid("a shape with the size ", size);
    if (shape->size() != io.dims(0).size()) invalid("an output shape of ", shape->size(), " axes for an input of shape ", shown(io.dims(0)));
    io.output(0, *shape);
  }
  // Indices count in the shape that MaxPool had; a larger output keeps the places, not the numbers.
  void run(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const int64_t* indices = call.tensor(1).data<int64_t>();
    std::vector<Fact> facts{{x.type(), x.dims(), nullptr, {}}};
    Inference io{facts, {}};
    const Dims from = call.has(2) ? before(io) : y.dims();
    const int64_t all = count(from);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class T>() {
      const T* values = x.data<T>();
      T* to = y.data<T>();
      std::fill_n(to, y.size(), T{});
      const bool same = from == y.dims();
      for (int64_t i = 0; i < x.size(); ++i) {
        const int64_t index = indices[i];
        if (index < 0 || index >= all) invalid("index ", index, " in a tensor of shape ", shown(from));
        to[same ? index : moved(index, from, y.dims())] = values[i];
      }
    });
  }

 private:
  // Where the element at `index` of a tensor of shape `from` stands in one of shape `to`.
  static int64_t moved(int64_t index, const Dims& from, const Dims& to) {
    int64_t rest = index, at = 0, stride = 1;
    for (size_t k = from.size(); k-- > 0; rest /= from[k]) {
      if (rest % from[k] >= to[k]) invalid("index ", index, " is outside an output of shape ", shown(to));
      at += rest % from[k] * stride, stride *= to[k];
    }
    return at;
  }
};

}  // namespace

Operators image_regions() {
  return {
      define<MaxRoiPool, computed(MaxRoiPool::T)>({.examples = {"float [[[[1, 2], [3, 4]]]], float [[0, 0, 0, 1, 1]]; pooled_shape=[1, 2] -> float [[[[3, 4]]]]"}}),
      define<MaxUnpool>({.examples = {"float [[[7]]], int64 [[[1]]]; kernel_shape=[2], strides=[2] -> float [[[0, 7]]]"}}),
  };
}

}  // namespace onward::ops
