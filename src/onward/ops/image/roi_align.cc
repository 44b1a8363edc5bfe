// RoiAlign: regions of an image brought to one size, each output from samples between the elements.
#include <cmath>
#include "onward/ops/operator.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// A place along one axis between two elements, and how much of each it is. Nothing of either more than one element outside.
template <class T> struct Sample { int64_t low, high; T below, above; };

// The samples of every output along one axis, and the elements that they are made of together.
template <class T> struct Bins {
  struct Element { int64_t at; T weight; };
  int64_t n, each, size;
  std::vector<Sample<T>> samples;                         // [n][each]
  std::vector<Element> elements;
  std::vector<size_t> ends;                               // of the elements of each output
  int64_t low, high = 0;                                  // all elements are in [low, high)

  Bins(double start, double bin, int64_t n, int64_t each, int64_t size) : n(n), each(each), size(size), low(size) {
    for (int64_t i = 0; i < n; ++i) {
      const double first = start + double(i) * bin;
      for (int64_t k = 0; k < each; ++k) add(first + (double(k) + 0.5) * bin / double(each), i);
      ends.push_back(elements.size());
    }
    low = std::min(low, high);
  }
  std::span<const Sample<T>> of(int64_t i) const { return std::span<const Sample<T>>(samples).subspan(size_t(i * each), size_t(each)); }
  std::span<const Element> elements_of(int64_t i) const { return std::span<const Element>(elements).subspan(i ? ends[size_t(i - 1)] : 0, ends[size_t(i)] - (i ? ends[size_t(i - 1)] : 0)); }

 private:
  void add(double at, int64_t i) {
    if (at < -1 || at > double(size)) return samples.push_back({0, 0, 0, 0});
    at = std::max(at, 0.0);
    int64_t below = int64_t(at), above = below + 1;
    if (below >= size - 1) below = above = size - 1, at = double(below);
    const double part = at - double(below);
    samples.push_back({below, above, T(1 - part), T(part)});
    count_in(below, T(1 - part), i);
    if (part > 0) count_in(above, T(part), i);
  }
  void count_in(int64_t at, T weight, int64_t i) {
    low = std::min(low, at), high = std::max(high, at + 1);
    for (size_t k = elements.size(); k-- > (i ? ends[size_t(i - 1)] : 0);) {
      if (elements[k].at == at) { elements[k].weight += weight; return; }
      if (elements[k].at < at - 1) break;
    }
    elements.push_back({at, weight});
  }
};

// The mean of a bin's samples is a sum of elements times the weight of their row times that of their column: rows first, then columns.
template <class T> struct MeanOfBins {
  [[gnu::always_inline]] static void run(const Bins<T>& down, const Bins<T>& across, const T* x, T* line, T* y) {
    const T n = T(down.each * across.each);
    for (int64_t i = 0; i < down.n; ++i) {
      bool first = true;
      for (const auto& row : down.elements_of(i)) {
        const T* from = x + row.at * across.size;
        const T w = row.weight;
        if (first) {
#pragma GCC ivdep
          for (int64_t k = across.low; k < across.high; ++k) line[k] = w * from[k];
        } else {
#pragma GCC ivdep
          for (int64_t k = across.low; k < across.high; ++k) line[k] += w * from[k];
        }
        first = false;
      }
      for (int64_t j = 0; j < across.n; ++j) {
        T sum = 0;
        if (!first) for (const auto& column : across.elements_of(j)) sum += column.weight * line[column.at];
        *y++ = sum / n;
      }
    }
  }
};

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
    const int64_t channels = x.dims[1], height = x.dims[2], width = x.dims[3], image = height * width, bins = output_height * output_width;
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
      T* const y_roi = y.data + r * channels * bins;
      const T* const x_roi = x.data + batches[size_t(r)] * channels * image;
      if (rows * columns == 0 || image == 0) {
        std::fill_n(y_roi, channels * bins, T(0));
        continue;
      }
      const Bins<T> down(at[1], bin_h, output_height, rows, height), across(at[0], bin_w, output_width, columns, width);
      context.parallel(channels, 4.0 * double(bins * rows * columns), [&](int64_t begin, int64_t end) {
        std::vector<T> line(size_t(width), T(0));
        for (int64_t c = begin; c < end; ++c) {
          if (mode == "avg") simd::run<MeanOfBins<T>, T, const Bins<T>&, const Bins<T>&, const T*, T*, T*>(down, across, x_roi + c * image, line.data(), y_roi + c * bins);
          else largest(down, across, x_roi + c * image, y_roi + c * bins);
        }
      });
    }
  }

 private:
  int64_t samples(double bin) const {
    if (sampling_ratio > 0) return sampling_ratio;
    const double n = std::ceil(bin);
    if (n > most_samples) fail(Code::limit_size, "a region of ", n, " samples for each output");
    return std::max(int64_t(n), int64_t(0));
  }

  // Of the samples' neighbours, each times its weight.
  template <class T> static void largest(const Bins<T>& down, const Bins<T>& across, const T* x, T* y) {
    for (int64_t i = 0; i < down.n; ++i)
      for (int64_t j = 0; j < across.n; ++j, ++y) {
        T most = -std::numeric_limits<T>::infinity();
        for (const Sample<T>& row : down.of(i))
          for (const Sample<T>& column : across.of(j)) {
            const T *low = x + row.low * across.size, *high = x + row.high * across.size;
            most = std::max(most, std::max(std::max(row.below * column.below * low[column.low], row.below * column.above * low[column.high]),
                                           std::max(row.above * column.below * high[column.low], row.above * column.above * high[column.high])));
          }
        *y = most;
      }
  }
};

constexpr Upgrade unmoved_before_16{16, "Y = Self(X, rois, batch_indices; mode=@mode, output_height=@output_height, output_width=@output_width, sampling_ratio=@sampling_ratio,"
                                        " spatial_scale=@spatial_scale, coordinate_transformation_mode=\"output_half_pixel\")"};

}  // namespace

Operators image_roi_align() {
  return {define<RoiAlign, computed(RoiAlign::T1)>({.upgrades = {unmoved_before_16}, .examples = {"float [[[[1, 2], [3, 4]]]], float [[0.5, 0.5, 1.5, 1.5]], int64 [0]; sampling_ratio=1 -> float [[[[2.5]]]]"}})};
}

}  // namespace onward::ops
