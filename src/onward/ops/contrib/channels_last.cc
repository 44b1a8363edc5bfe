// QLinearConv, NhwcConv: convolutions whose input and output may have the channels in the last axis.
#include "onward/ops/code_convolution.h"
#include "onward/ops/contrib.h"

namespace onward::ops {
namespace {

struct QLinearConv : contrib::QLinearConv {
  std::shared_ptr<const CodeFilters> filters;             // of constant weights

  void prepare(const Preparation& at) {
    convolution(*this).check();
    filters = CodeFilters::constant(at, 3, 5, group);
  }
  void infer(Inference& io) const {
    const Dims y = convolution(*this).output(channels_last ? channels_first(io.dims(0)) : io.dims(0), io.dims(3), io.symbols);
    io.output(0, channels_last ? onward::channels_last(y) : y);
  }
  void run(Call& call) const { quantized_convolution(call, convolution(*this), channels_last != 0, filters); }
};

struct NhwcConv : contrib::NhwcConv {
  ConvolutionWeights weights;

  void prepare(const Preparation& at) {
    convolution(*this).check();
    if (const Tensor* w = at.input(1)) weights = ConvolutionWeights(*w, group);
  }
  void infer(Inference& io) const { io.output(0, channels_last(convolution(*this).output(channels_first(io.dims(0)), io.dims(1), io.symbols))); }

  template <class T> void run(const RunContext& context, In<T> x, In<T> w, In<T> bias, Out<T> y) const {
    if (bias && bias.size != w.dims[0]) invalid("a bias of ", bias.size, " elements for ", w.dims[0], " filters");
    const Tensor from = with_channels_first(Tensor::view(type_of<T>, x.dims, x.data)), sum(type_of<T>, channels_first(Dims(y.dims)), context.budget);
    convolution(*this).run(context, from.dims(), from.data<T>(), w.dims, w.data, bias ? bias.data : nullptr, sum.template data<T>(), weights);
    const Tensor out = with_channels_last(sum);
    std::copy_n(out.data<T>(), y.size, y.data);
  }
};

}  // namespace

Operators contrib_channels_last() {
  return {
      define<QLinearConv>({.examples = {"uint8 [[[2, 3, 4]]], float 1, uint8 1, uint8 [[[1, 1]]], float 0.5, uint8 0, float 1, uint8 10, int32 [1] -> uint8 [[[12, 13]]]",
                                        "int8 [[[2, 1], [3, 1], [4, 1]]], float 1, int8 1, int8 [[[1, 1], [9, 9]]], float [0.5], int8 [0], float 1, int8 10; channels_last=1 -> int8 [[[12], [12]]]"}}),
      define<NhwcConv, computed(NhwcConv::T)>({.tolerance = 1e-5, .examples = {"float [[[1, 1], [2, 1], [3, 1]]], float [[[1, 1], [10, 10]]], float [1] -> float [[[24], [26]]]"}}),
  };
}

}  // namespace onward::ops
