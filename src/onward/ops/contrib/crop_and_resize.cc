// CropAndResize: boxes cut out of images and brought to one size; corners fall on corners. Outside the image stands one value.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

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
    context.parallel(y.dims[0], 5.0 * double(channels * rows * columns), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        context.check();
        const T* box = boxes.data + r * 4;                // y1, x1, y2, x2
        for (int64_t c = 0; c < channels; ++c) {
          const T* plane = x.data + (images[size_t(r)] * channels + c) * height * width;
          for (int64_t i = 0; i < rows; ++i) for (int64_t j = 0; j < columns; ++j)
            y[((r * channels + c) * rows + i) * columns + j] = sample(plane, height, width, place(box[0], box[2], i, rows, height), place(box[1], box[3], j, columns, width));
        }
      }
    });
  }

 private:
  // Of output i among n, in pixels of an axis of `size`; one output alone is in the middle of the box.
  template <class T> static T place(T from, T to, int64_t i, int64_t n, int64_t size) {
    const T last = T(size - 1);
    return n > 1 ? from * last + T(i) * ((to - from) * last / T(n - 1)) : T(0.5) * (from + to) * last;
  }

  template <class T> T sample(const T* plane, int64_t height, int64_t width, T row, T column) const {
    if (!(row >= 0 && row <= T(height - 1) && column >= 0 && column <= T(width - 1))) return T(extrapolation_value);
    if (mode == "nearest") return plane[int64_t(std::round(row)) * width + int64_t(std::round(column))];
    const auto top = int64_t(std::floor(row)), left = int64_t(std::floor(column)), bottom = int64_t(std::ceil(row)), right = int64_t(std::ceil(column));
    const T down = row - T(top), across = column - T(left);
    const auto between = [&](int64_t line) { return plane[line * width + left] + (plane[line * width + right] - plane[line * width + left]) * across; };
    const T above = between(top);
    return above + (between(bottom) - above) * down;
  }
};

}  // namespace

Operators contrib_crop_and_resize() {
  return {define<CropAndResize, computed(CropAndResize::T1)>({.tolerance = 1e-6, .examples = {
      "float [[[[1, 2], [3, 4]]]], float [[0, 0, 1, 1]], int32 [0], int32 [1, 3] -> float [[[[2, 2.5, 3]]]]",
      "float [[[[1, 2], [3, 4]]]], float [[0, 0, 2, 1]], int32 [0], int32 [2, 1]; mode=\"nearest\", extrapolation_value=9.0 -> float [[[[2], [9]]]]"}})};
}

}  // namespace onward::ops
