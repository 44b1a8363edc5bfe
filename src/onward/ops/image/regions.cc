// RoiAlign, MaxRoiPool: regions of an image brought to one size. MaxUnpool: what MaxPool kept, put back to where it was.
#include <cmath>
#include "onward/ops/window.h"

namespace onward::ops {
namespace {

struct RoiAlign : standard::RoiAlign {
  static constexpr int64_t most_samples = 1 << 12;        // along one axis of one output

  void prepare(const Preparation&) const {
    if (output_height < 1 || output_width < 1 || output_height > 1 << 20 || output_width > 1 << 20) invalid("an output of ", output_height, " x ", output_width);
    if (sampling_ratio < 0 || sampling_ratio > most_samples) invalid("sampling_ratio is ", sampling_ratio);
    if (mode != "avg" && mode != "max") invalid("mode is '", mode, "', expected avg or max");
    if (coordinate_transformation_mode != "half_pixel" && coordinate_transformation_mode != "output_half_pixel") invalid("coordinate_transformation_mode is '", coordinate_transformation_mode, "'");
  }
  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &rois = io.dims(1);
    if (x.size() != 4 || rois.size() != 2) invalid("regions of shape ", shown(rois), " for an input of shape ", shown(x));
    if (!io.symbols && (rois[1] != 4 || io.dims(2) != Dims{rois[0]})) invalid("regions of shape ", shown(rois), " and batch indices of shape ", shown(io.dims(2)));
    io.output(0, {rois[0], x[1], output_height, output_width});
  }

  template <class T> void run(const RunContext& context, In<T> x, In<T> rois, Integers batches, Out<T> y) const {
    const int64_t channels = x.dims[1], height = x.dims[2], width = x.dims[3], image = height * width;
    const double shift = coordinate_transformation_mode == "half_pixel" ? 0.5 : 0;
    for (int64_t r = 0; r < rois.dims[0]; ++r) {
      context.check();
      if (batches[size_t(r)] < 0 || batches[size_t(r)] >= x.dims[0]) invalid("batch index ", batches[size_t(r)], " of ", x.dims[0]);
      double at[4];
      for (int64_t k = 0; k < 4; ++k) {
        at[k] = double(rois[r * 4 + k]) * double(spatial_scale) - shift;
        if (!(std::fabs(at[k]) < 1e9)) invalid("a region at ", at[k]);
      }
      double wide = at[2] - at[0], high = at[3] - at[1];
      if (shift == 0) wide = std::max(wide, 1.0), high = std::max(high, 1.0);
      const double bin_h = high / double(output_height), bin_w = wide / double(output_width);
      const int64_t rows = samples(bin_h), columns = samples(bin_w);
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t i = 0; i < output_height * output_width; ++i) {
          const double top = at[1] + double(i / output_width) * bin_h, left = at[0] + double(i % output_width) * bin_w;
          y[(r * channels + c) * output_height * output_width + i] = T(pooled(x.data + (batches[size_t(r)] * channels + c) * image, height, width, top, left, bin_h, bin_w, rows, columns));
        }
    }
  }

 private:
  int64_t samples(double bin) const {
    if (sampling_ratio > 0) return sampling_ratio;
    const double n = std::ceil(bin);
    if (n > most_samples) fail(Code::limit_size, "a region of ", n, " samples for each output");
    return std::max(int64_t(n), int64_t(0));
  }

  template <class T> double pooled(const T* x, int64_t height, int64_t width, double top, double left, double bin_h, double bin_w, int64_t rows, int64_t columns) const {
    double sum = 0, largest = -INFINITY;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double parts[4] = {};
        corners(x, height, width, top + (double(i) + 0.5) * bin_h / double(rows), left + (double(j) + 0.5) * bin_w / double(columns), parts);
        sum += parts[0] + parts[1] + parts[2] + parts[3];
        largest = std::max(largest, std::max(std::max(parts[0], parts[1]), std::max(parts[2], parts[3])));
      }
    if (rows * columns == 0) return 0;
    return mode == "avg" ? sum / double(rows * columns) : largest;
  }

  // The four neighbours of a place, each times its weight; zeros more than one element outside.
  template <class T> static void corners(const T* x, int64_t height, int64_t width, double row, double column, double* parts) {
    if (row < -1 || row > double(height) || column < -1 || column > double(width) || height == 0 || width == 0) return;
    row = std::max(row, 0.0), column = std::max(column, 0.0);
    int64_t y0 = int64_t(row), x0 = int64_t(column), y1 = y0 + 1, x1 = x0 + 1;
    if (y0 >= height - 1) y0 = y1 = height - 1, row = double(y0);
    if (x0 >= width - 1) x0 = x1 = width - 1, column = double(x0);
    const double down = row - double(y0), right = column - double(x0);
    parts[0] = (1 - down) * (1 - right) * double(x[y0 * width + x0]), parts[1] = (1 - down) * right * double(x[y0 * width + x1]);
    parts[2] = down * (1 - right) * double(x[y1 * width + x0]), parts[3] = down * right * double(x[y1 * width + x1]);
  }
};

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
    const auto indices = integers(call.tensor(1));
    std::vector<Fact> facts{{x.type(), x.dims(), nullptr, {}}};
    Inference io{facts, {}};
    const Dims from = call.has(2) ? before(io) : y.dims();
    const int64_t all = count(from);
    for_type<detail::widths>(detail::width_type(x.type()), [&]<class T>() {
      std::fill_n(y.data<T>(), y.size(), T{});
      for (int64_t i = 0; i < x.size(); ++i) {
        int64_t rest = indices[size_t(i)], at = 0, stride = 1;
        if (rest < 0 || rest >= all) invalid("index ", rest, " in a tensor of shape ", shown(from));
        for (size_t k = from.size(); k-- > 0; rest /= from[k]) {
          if (rest % from[k] >= y.dims()[k]) invalid("index ", indices[size_t(i)], " is outside an output of shape ", shown(y.dims()));
          at += rest % from[k] * stride, stride *= y.dims()[k];
        }
        y.data<T>()[at] = x.data<T>()[i];
      }
    });
  }
};

constexpr Upgrade unmoved_before_16{16, "Y = Self(X, rois, batch_indices; mode=@mode, output_height=@output_height, output_width=@output_width, sampling_ratio=@sampling_ratio,"
                                        " spatial_scale=@spatial_scale, coordinate_transformation_mode=\"output_half_pixel\")"};

}  // namespace

Operators image_regions() {
  return {
      define<RoiAlign, computed(RoiAlign::T1)>({.upgrades = {unmoved_before_16}, .examples = {"float [[[[1, 2], [3, 4]]]], float [[0.5, 0.5, 1.5, 1.5]], int64 [0]; sampling_ratio=1 -> float [[[[2.5]]]]"}}),
      define<MaxRoiPool, computed(MaxRoiPool::T)>({.examples = {"float [[[[1, 2], [3, 4]]]], float [[0, 0, 0, 1, 1]]; pooled_shape=[1, 2] -> float [[[[3, 4]]]]"}}),
      define<MaxUnpool>({.examples = {"float [[[7]]], int64 [[[1]]]; kernel_shape=[2], strides=[2] -> float [[[0, 7]]]"}}),
  };
}

}  // namespace onward::ops
