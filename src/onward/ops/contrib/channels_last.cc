// QLinearConv, NhwcConv: convolutions whose input and output may have the channels in the last axis.
#include "onward/ops/contrib.h"
#include "onward/ops/convolution.h"
#include "onward/ops/quantized.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

Dims channels_first(Dims dims) {
  if (dims.size() > 2) std::rotate(dims.begin() + 1, dims.end() - 1, dims.end());
  return dims;
}
Dims channels_last(Dims dims) {
  if (dims.size() > 2) std::rotate(dims.begin() + 1, dims.begin() + 2, dims.end());
  return dims;
}
Dims in_order(int64_t rank) {
  Dims order;
  for (int64_t i = 0; i < rank; ++i) order.push_back(i);
  return order;
}
Tensor channels_first(const Tensor& x) { return transposed(x, channels_first(in_order(x.rank()))); }
void store_channels_last(const Tensor& x, const Tensor& y) {
  Tensor out = y;
  transpose(x, channels_last(in_order(x.rank())), out);
}

// The sum of a pixel is exact; it is scaled once, in float, and rounded before the zero point is added.
struct QLinearConv : contrib::QLinearConv {
  void prepare(const Preparation&) const { convolution(*this).check(); }
  void infer(Inference& io) const {
    const Dims y = convolution(*this).output(channels_last ? channels_first(io.dims(0)) : io.dims(0), io.dims(3), io.symbols);
    io.output(0, channels_last ? ops::channels_last(y) : y);
  }
  void run(Call& call) const {
    const Tensor &y = call.output(0), x = without_zero(call, 0, 2), w = filters_without_zero(call, 3, 5);
    quantization(call, 1, 2);                             // one zero point
    const Tensor from = channels_last ? channels_first(x) : x;
    const Dims dims = channels_last ? channels_first(y.dims()) : y.dims();
    const Tensor sum = call.scratch(DataType::i32, dims);
    convolution(*this).run(call.context, from.dims(), from.data<int32_t>(), w.dims(), w.data<int32_t>(), sum.data<int32_t>());
    const Tensor codes = channels_last ? call.scratch(y.type(), dims) : y;
    if (!for_type<u8 | i8>(y.type(), [&]<class T>() { requantize(call, sum, codes.data<T>()); })) unsupported("element type ", name_of(y.type()));
    if (channels_last) store_channels_last(codes, y);
  }

 private:
  template <class T> void requantize(const Call& call, const Tensor& sum, T* y) const {
    const int64_t filters = sum.dims()[1], pixels = product(sum.dims(), 2, sum.rank());
    const PerColumn w_scale(call.tensor(4), filters, "scale of the weights");
    const Quantization to = quantization(call, 6, 7);
    const float x_scale = quantization(call, 1, 2).scale;
    const Tensor bias = call.has(8) ? as_type(call, call.tensor(8), DataType::i32) : Tensor();
    if (bias && bias.size() != filters) invalid("a bias of shape ", shown(bias.dims()), " for ", filters, " filters");
    for (int64_t row = 0; row < sum.dims()[0] * filters; ++row) {
      const int64_t filter = row % filters;
      const float ratio = x_scale * float(w_scale[filter]) / to.scale;
      const auto more = bias ? uint32_t(bias.data<int32_t>()[filter]) : 0u;
      for (int64_t i = row * pixels; i < (row + 1) * pixels; ++i)
        y[i] = saturated<T>(std::nearbyint(double(float(int32_t(uint32_t(sum.data<int32_t>()[i]) + more)) * ratio)) + to.zero);
    }
  }
};

struct NhwcConv : contrib::NhwcConv {
  void prepare(const Preparation&) const { convolution(*this).check(); }
  void infer(Inference& io) const { io.output(0, channels_last(convolution(*this).output(channels_first(io.dims(0)), io.dims(1), io.symbols))); }

  template <class T> void run(const RunContext& context, In<T> x, In<T> w, In<T> bias, Out<T> y) const {
    if (bias && bias.size != w.dims[0]) invalid("a bias of ", bias.size, " elements for ", w.dims[0], " filters");
    const Tensor from = channels_first(Tensor::view(type_of<T>, x.dims, x.data)), sum(type_of<T>, channels_first(Dims(y.dims)), context.budget);
    convolution(*this).run(context, from.dims(), from.data<T>(), w.dims, w.data, sum.template data<T>());
    const int64_t pixels = product(sum.dims(), 2, sum.rank());
    if (bias) for (int64_t i = 0; i < sum.size(); ++i) sum.template data<T>()[i] += bias[i / pixels % bias.size];
    store_channels_last(sum, Tensor::view(type_of<T>, y.dims, y.data));
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
