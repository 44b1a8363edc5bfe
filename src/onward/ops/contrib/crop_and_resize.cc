// CropAndResize: boxes cut out of images and brought to one size; corners fall on corners. Outside the image stands one value.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// Where the outputs of a box lie along one axis: between two elements, which are one where nothing is to be mixed.
template <class T> struct Places {
  std::vector<int64_t> low, high;
  std::vector<T> part, inside;                            // of the way from the lower to the higher; 0: outside the image, else 1

  // In pixels of an axis of `size`; one output alone is in the middle of the box.
  Places(T from, T to, int64_t n, int64_t size, bool nearest) {
    const T last = T(size - 1);
    for (int64_t i = 0; i < n; ++i) {
      const T at = n > 1 ? from * last + T(i) * ((to - from) * last / T(n - 1)) : T(0.5) * (from + to) * last;
      const bool in = at >= 0 && at <= last;
      const T below = !in ? 0 : nearest ? std::round(at) : std::floor(at);
      inside.push_back(T(in)), low.push_back(int64_t(below));
      high.push_back(in && !nearest ? int64_t(std::ceil(at)) : int64_t(below)), part.push_back(in && !nearest ? at - below : 0);
    }
  }
};

// One row of outputs between two rows of an image.
template <class T> struct Between {
  [[gnu::always_inline]] static void run(const Places<T>& across, const T* top, const T* bottom, T down, T otherwise, T* to) {
    const int64_t *left = across.low.data(), *right = across.high.data(), n = int64_t(across.low.size());
    const T *part = across.part.data(), *inside = across.inside.data();
#pragma GCC ivdep
    for (int64_t j = 0; j < n; ++j) {
      const T above = top[left[j]] + (top[right[j]] - top[left[j]]) * part[j], below = bottom[left[j]] + (bottom[right[j]] - bottom[left[j]]) * part[j];
      const T v = above + (below - above) * down;
      to[j] = inside[j] != 0 ? v : otherwise;
    }
  }
};

struct CropAndResize : contrib::CropAndResize {
  void prepare(const Preparation&) const {
    if (mode != "bilinear" && mode != "nearest") invalid("mode is '", mode, "', expected bilinear or nearest");
  }

  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &boxes = io.dims(1);
    if (x.size() != 4 || boxes.size() != 2 || (!is_symbol(boxes[1]) && boxes[1] != 4)) invalid("images of shape ", shown(x), " and boxes of shape ", shown(boxes), ", expected four axes and rows of 4");
    if (!io.symbols && io.dims(2) != Dims{boxes[0]}) invalid("batch_indices of shape ", shown(io.dims(2)), " for ", boxes[0], " boxes");
    const auto size = io.sizes(3);
    if (size && size->size() != 2) invalid("crop_size has ", size->size(), " elements, expected 2");
    if (size) for (int64_t s : *size) if (!is_symbol(s) && s < 1) invalid("a crop size of ", s);
    io.output(0, {boxes[0], x[1], size ? (*size)[0] : io.unknown(), size ? (*size)[1] : io.unknown()});
  }

  template <class T> void run(const RunContext& context, In<T> x, In<T> boxes, Integers images, Integers, Out<T> y) const {
    const int64_t channels = x.dims[1], height = x.dims[2], width = x.dims[3], rows = y.dims[2], columns = y.dims[3];
    for (int64_t image : images) if (image < 0 || image >= x.dims[0]) invalid("image ", image, " in a batch of ", x.dims[0]);
    const bool nearest = mode == "nearest";
    context.parallel(y.dims[0], 3.0 * double(channels * rows * columns), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        context.check();
        const T* box = boxes.data + r * 4;                // y1, x1, y2, x2
        const Places<T> down(box[0], box[2], rows, height, nearest), across(box[1], box[3], columns, width, nearest);
        for (int64_t c = 0; c < channels; ++c) {
          const T* plane = x.data + (images[size_t(r)] * channels + c) * height * width;
          T* to = y.data + (r * channels + c) * rows * columns;
          for (int64_t i = 0; i < rows; ++i, to += columns) {
            const auto k = size_t(i);
            if (!down.inside[k]) std::fill_n(to, columns, T(extrapolation_value));
            else simd::run<Between<T>, T, const Places<T>&, const T*, const T*, T, T, T*>(across, plane + down.low[k] * width, plane + down.high[k] * width, down.part[k], T(extrapolation_value), to);
          }
        }
      }
    });
  }
};

}  // namespace

Operators contrib_crop_and_resize() {
  return {define<CropAndResize, computed(CropAndResize::T1)>({.tolerance = 1e-6, .examples = {
      "float [[[[1, 2], [3, 4]]]], float [[0, 0, 1, 1]], int32 [0], int32 [1, 3] -> float [[[[2, 2.5, 3]]]]",
      "float [[[[1, 2], [3, 4]]]], float [[0, 0, 2, 1]], int32 [0], int32 [2, 1]; mode=\"nearest\", extrapolation_value=9.0 -> float [[[[2], [9]]]]"}})};
}

}  // namespace onward::ops
