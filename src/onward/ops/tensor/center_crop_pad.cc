// CenterCropPad: axes brought to given sizes around their middle, by cutting or by zeros.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct CenterCropPad : standard::CenterCropPad {
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const auto rank = int64_t(out.size());
    const auto shape = io.sizes(1);
    const size_t n = axes.empty() ? out.size() : axes.size();
    if (shape && shape->size() != n) invalid(shape->size(), " sizes for ", n, " axes");
    for (size_t i = 0; i < n; ++i) {
      int64_t& size = out[size_t(axis_of(axes.empty() ? int64_t(i) : axes[i], rank))];
      size = shape ? io.size_of((*shape)[i]) : io.unknown();
      if (size < 0 && !is_symbol(size)) invalid("a size of ", size);
    }
    io.output(0, out);
  }
  template <class T> void run(In<T> x, Integers, Out<T> y) const {
    std::fill(y.begin(), y.end(), T{});
    if (x.size && y.size) copy(x.data, x.dims, y.data, y.dims);
  }

 private:
  template <class T> static void copy(const T* x, std::span<const int64_t> from, T* y, std::span<const int64_t> to) {
    if (from.empty()) { *y = *x; return; }
    const int64_t n = std::min(from[0], to[0]), skip = (from[0] - n) / 2, pad = (to[0] - n) / 2;
    const int64_t x_step = count(from.subspan(1)), y_step = count(to.subspan(1));
    for (int64_t i = 0; i < n; ++i) copy(x + (skip + i) * x_step, from.subspan(1), y + (pad + i) * y_step, to.subspan(1));
  }
};

}  // namespace

Operators tensor_center_crop_pad() {
  return {define<CenterCropPad, by_width(CenterCropPad::T)>({.examples = {"float [[1, 2, 3]], int64 [2, 2] -> float [[1, 2], [0, 0]]", "int8 [[1, 2]], int64 [5]; axes=[-1] -> int8 [[0, 1, 2, 0, 0]]"}})};
}

}  // namespace onward::ops
