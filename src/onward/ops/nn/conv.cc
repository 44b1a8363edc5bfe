// Conv: any number of spatial axes, groups, strides, dilations. Constant weights are laid out once, when the session is created.
#include "onward/ops/convolution.h"

namespace onward::ops {
namespace {

struct Conv : standard::Conv {
  ConvolutionWeights weights;

  void prepare(const Preparation& at) {
    convolution(*this).check();
    if (const Tensor* w = at.input(1)) weights = ConvolutionWeights(*w, group);
  }
  void infer(Inference& io) const { io.output(0, convolution(*this).output(io, 0, 1)); }

  template <class T> void run(const RunContext& context, In<T> x, In<T> w, In<T> bias, Out<T> y) const {
    if (bias && bias.size != w.dims[0]) invalid("a bias of ", bias.size, " elements for ", w.dims[0], " filters");
    convolution(*this).run(context, x.dims, x.data, w.dims, w.data, bias ? bias.data : nullptr, y.data, weights);
  }
};

}  // namespace

Operators nn_conv() {
  return {define<Conv, computed(Conv::T)>({.tolerance = 1e-5, .examples = {"float [[[1, 2, 3]]], float [[[1, 1]]] -> float [[[3, 5]]]"}})};
}

}  // namespace onward::ops
