// Conv: any number of spatial axes, groups, strides, dilations.
#include "onward/ops/convolution.h"

namespace onward::ops {
namespace {

struct Conv : standard::Conv {
  void prepare(const Preparation&) const { convolution(*this).check(); }
  void infer(Inference& io) const { io.output(0, convolution(*this).output(io, 0, 1)); }

  template <class T> void run(const RunContext& context, In<T> x, In<T> w, In<T> bias, Out<T> y) const {
    if (bias && bias.size != w.dims[0]) invalid("a bias of ", bias.size, " elements for ", w.dims[0], " filters");
    convolution(*this).run(context, x.dims, x.data, w.dims, w.data, y.data);
    const int64_t pixels = product(y.dims, 2, y.rank()), filters = w.dims[0];
    if (bias && pixels) for (int64_t row = 0; row < y.size / pixels; ++row)
      for (T *to = y.data + row * pixels, *end = to + pixels; to != end; ++to) *to += bias[row % filters];
  }
};

}  // namespace

Operators nn_conv() {
  return {define<Conv, computed(Conv::T)>({.tolerance = 1e-5, .examples = {"float [[[1, 2, 3]]], float [[[1, 1]]] -> float [[[3, 5]]]"}})};
}

}  // namespace onward::ops
