// QLinearConv, NhwcConv: convolutions whose input and output may have the channels in the last axis.
#include "onward/ops/code_product.h"
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

// The codes under the window at `position`, tap by tap, `n` channels each; zeros where it is outside. Channels stand in the last axis.
void patch(std::span<const Window> along, std::span<const int64_t> position, const int16_t* image, int64_t base, int64_t channels, int64_t n, int16_t*& to) {
  const Window& v = along.front();
  int64_t behind = n;                                     // values of the axes after this one
  for (size_t i = 1; i < along.size(); ++i) behind *= along[i].taps;
  for (int64_t k = 0; k < v.taps; ++k) {
    const int64_t at = position.front() * v.stride - v.before + k * v.dilation;
    if (at < 0 || at >= v.in) to = std::fill_n(to, behind, int16_t(0));
    else if (along.size() == 1) to = std::copy_n(image + (base * v.in + at) * channels, n, to);
    else patch(along.subspan(1), position.subspan(1), image, base * v.in + at, channels, n, to);
  }
}

// The sum of a pixel is exact; it is scaled once, in float, and rounded before the zero point is added.
struct QLinearConv : contrib::QLinearConv {
  std::shared_ptr<const CodeRows> packed;                 // constant weights: a row for each filter, tap by tap

  void prepare(const Preparation& at) {
    convolution(*this).check();
    if (at.input(3) && at.input(5)) if (auto rows = filters(*at.input(3), at.input(5))) packed = std::make_shared<const CodeRows>(std::move(*rows));
  }
  void infer(Inference& io) const {
    const Dims y = convolution(*this).output(channels_last ? channels_first(io.dims(0)) : io.dims(0), io.dims(3), io.symbols);
    io.output(0, channels_last ? ops::channels_last(y) : y);
  }
  void run(Call& call) const {
    const Tensor &y = call.output(0), &w = call.tensor(3), x = channels_last ? call.tensor(0) : moved(call.tensor(0));
    const Quantization to = quantization(call, 6, 7);
    const Dims dims = channels_last ? y.dims() : ops::channels_last(y.dims());
    const auto ratio = ratios(call, dims.back(), to);
    if (y.size() == 0) return;
    const auto own = packed ? std::nullopt : filters(w, call.has(5) ? &call.tensor(5) : nullptr);
    const auto codes = call.has(2) && call.tensor(2).size() != 1 ? std::nullopt : code_rows(x, call.has(2) ? &call.tensor(2) : nullptr, false);
    if ((!packed && !own) || !codes) invalid("codes ", shown(x), " and ", shown(w), " do not fit their zero points");
    const Tensor sum = call.scratch(DataType::i32, dims), out = channels_last ? y : call.scratch(y.type(), dims);
    convolve(call.context, x.dims(), *codes, packed ? *packed : *own, w.dims(), dims, sum.data<int32_t>());
    add_bias(call, sum);
    if (!for_type<u8 | i8>(y.type(), [&]<class T>() { requantize<T>(call.context, sum.data<int32_t>(), sum.size() / dims.back(), ratio, to.zero, out.data<T>()); })) unsupported("element type ", name_of(y.type()));
    Tensor first = y;
    if (!channels_last) transpose(out, channels_first(in_order(out.rank())), first);
  }

 private:
  static Tensor moved(const Tensor& x) { return transposed(x, ops::channels_last(in_order(x.rank()))); }

  static std::optional<CodeRows> filters(const Tensor& w, const Tensor* zero) {
    if (w.rank() < 3 || w.size() == 0) return std::nullopt;
    return code_rows(moved(w).reshaped({w.dims()[0], w.size() / w.dims()[0]}), zero, false);
  }
  std::vector<float> ratios(const Call& call, int64_t filters, Quantization to) const {
    const PerColumn w_scale(call.tensor(4), filters, "scale of the weights");
    const float x_scale = quantization(call, 1, SIZE_MAX).scale;
    std::vector<float> out;
    for (int64_t i = 0; i < filters; ++i) out.push_back(x_scale * float(w_scale[i]) / to.scale);
    return out;
  }
  // Pixels of all images, so many at a time, as rows of patches.
  void convolve(const RunContext& context, std::span<const int64_t> x_dims, const CodeRows& x, const CodeRows& w, std::span<const int64_t> w_dims, const Dims& y, int32_t* sums) const {
    constexpr int64_t together = 64;
    const Windows along = windows(sliding(*this), x_dims.subspan(1, x_dims.size() - 2), w_dims.subspan(2), nullptr, 0);
    const int64_t n = w_dims[1], channels = x_dims.back(), filters = y.back() / group, image = x.rows / y[0] * channels, pixels = product(y, 0, int64_t(y.size()) - 1), each = pixels / y[0];
    context.parallel((pixels + together - 1) / together, 0.03 * double(together * y.back()) * double(w.k), [&](int64_t begin, int64_t end) {
      std::vector<int16_t> patches(size_t(together * w.k));
      Dims position(along.size());
      for (int64_t first = begin * together; first < std::min(end * together, pixels); first += together)
        for (int64_t g = 0; g < group; ++g) {
          const int64_t count = std::min(together, pixels - first);
          int16_t* to = patches.data();
          for (int64_t p = first; p < first + count; ++p) {
            int64_t rest = p % each;
            for (size_t i = along.size(); i-- > 0; rest /= along[i].out) position[i] = rest % along[i].out;
            patch(along, position, x.values.data() + p / each * image + g * n, 0, channels, n, to);
          }
          code_product({}, patches.data(), count, w.values.data() + g * filters * w.k, filters, w.k, sums + first * y.back() + g * filters, y.back());
        }
    });
  }
  static void add_bias(const Call& call, const Tensor& sum) {
    if (!call.has(8)) return;
    const Tensor bias = as_type(call, call.tensor(8), DataType::i32);
    const int64_t filters = sum.dims().back();
    if (bias.size() != filters) invalid("a bias of shape ", shown(bias.dims()), " for ", filters, " filters");
    for (int64_t i = 0; i < sum.size(); ++i) sum.data<int32_t>()[i] = int32_t(uint32_t(sum.data<int32_t>()[i]) + uint32_t(bias.data<int32_t>()[i % filters]));
  }
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
    const Tensor from = channels_first(Tensor::view(type_of<T>, x.dims, x.data)), sum(type_of<T>, channels_first(Dims(y.dims)), context.budget);
    convolution(*this).run(context, from.dims(), from.data<T>(), w.dims, w.data, bias ? bias.data : nullptr, sum.template data<T>(), weights);
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
