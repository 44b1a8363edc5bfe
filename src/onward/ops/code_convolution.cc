#include "onward/ops/code_convolution.h"

#include "onward/ops/code_kernels.h"
#include "onward/ops/quantized.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"
#include "onward/simd/targets.h"

namespace onward {
namespace {

Dims in_order(int64_t rank) {
  Dims order;
  for (int64_t i = 0; i < rank; ++i) order.push_back(i);
  return order;
}

struct Shape {
  Windows along;
  int64_t channels, filters, each, pixels;                // each: channels of a group; pixels of an image
  Shape(const Convolution& form, const Tensor& x, std::span<const int64_t> w)
      : along(windows(form.sliding, std::span<const int64_t>(x.dims()).subspan(1, size_t(x.rank()) - 2), w.subspan(2), nullptr, 0)), channels(x.dims().back()), filters(w[0]), each(w[1]), pixels(1) {
    for (const Window& v : along) pixels *= v.out;
  }
  int64_t image() const {
    int64_t n = channels;
    for (const Window& v : along) n *= v.in;
    return n;
  }
  Dims position(int64_t pixel) const {
    Dims at(along.size(), 0);
    for (size_t i = along.size(); i-- > 0; pixel /= along[i].out) at[i] = pixel % along[i].out;
    return at;
  }
  void step(Dims& position) const {
    for (size_t i = along.size(); i-- > 0;) {
      if (++position[i] < along[i].out) return;
      position[i] = 0;
    }
  }
};

// The codes under the window at `position`, tap by tap, `n` channels each; the zero point where it is outside.
uint8_t* patch(std::span<const Window> along, std::span<const int64_t> position, const uint8_t* image, int64_t base, int64_t channels, int64_t n, uint8_t flip, uint8_t zero, uint8_t* to) {
  const Window& v = along.front();
  int64_t behind = n;                                     // codes of the axes after this one
  for (size_t i = 1; i < along.size(); ++i) behind *= along[i].taps;
  const auto take = [&](const uint8_t* from, int64_t codes) __attribute__((always_inline)) {
    if (flip) for (int64_t i = 0; i < codes; ++i) to[i] = uint8_t(from[i] ^ flip);
    else std::copy_n(from, codes, to);
    to += codes;
  };
  const int64_t first = position.front() * v.stride - v.before;
  if (along.size() == 1 && n == channels && v.dilation == 1 && first >= 0 && first + v.taps <= v.in) return take(image + (base * v.in + first) * channels, v.taps * n), to;
  for (int64_t k = 0; k < v.taps; ++k) {
    const int64_t at = first + k * v.dilation;
    if (at < 0 || at >= v.in) to = std::fill_n(to, behind, zero);
    else if (along.size() == 1) take(image + (base * v.in + at) * channels, n);
    else to = patch(along.subspan(1), position.subspan(1), image, base * v.in + at, channels, n, flip, zero, to);
  }
  return to;
}

// Pixels of all images, so many at a time, as rows of patches.
void by_patches(const RunContext& context, const Shape& s, const Tensor& x, int32_t zero, const CodeFilters& w, const int32_t* bias, int32_t* y) {
  constexpr int64_t together = 64;
  const auto groups = int64_t(w.groups.size());
  const int64_t k = w.groups[0].k(), filters = s.filters / groups, all = x.dims()[0] * s.pixels, image = s.image();
  const bool is_signed = x.type() == DataType::i8;
  const auto flip = uint8_t(is_signed ? 128 : 0);
  const int32_t unsigned_zero = zero + flip;
  context.parallel((all + together - 1) / together, 0.005 * double(together * s.filters) * double(k), [&](int64_t begin, int64_t end) {
    CodeRows patches;
    patches.k = k, patches.stride = padded_k(k), patches.own.resize(size_t(together * patches.stride)), patches.codes = patches.own.data(), patches.zeros = {unsigned_zero};
    RunContext alone;
    for (int64_t first = begin * together; first < std::min(end * together, all); first += together)
      for (int64_t g = 0; g < groups; ++g) {
        patches.rows = std::min(together, all - first);
        Dims position = s.position(first % s.pixels);
        for (int64_t i = 0; i < patches.rows; ++i, s.step(position))
          patch(s.along, position, static_cast<const uint8_t*>(x.raw()) + (first + i) / s.pixels * image + g * s.each, 0, s.channels, s.each, flip, uint8_t(unsigned_zero), patches.own.data() + i * patches.stride);
        code_product(alone, patches, w.groups[size_t(g)], y + first * s.filters + g * filters, s.filters, bias ? bias + g * filters : nullptr);
      }
  });
}

// A tap of every channel at one pixel.
template <class T> struct TapBody {
  [[gnu::always_inline]] static void run(const T* x, const int16_t* w, int64_t n, int32_t zero, int32_t* y) {
    for (int64_t c = 0; c < n; ++c) y[c] += (int32_t(x[c]) - zero) * int32_t(w[c]);
  }
};
template <class T> void taps_at(std::span<const Window> along, std::span<const int64_t> position, const T* image, int64_t base, int64_t n, int32_t zero, const int16_t*& w, int32_t* y) {
  const Window& v = along.front();
  int64_t behind = n;
  for (size_t i = 1; i < along.size(); ++i) behind *= along[i].taps;
  for (int64_t k = 0; k < v.taps; ++k) {
    const int64_t at = position.front() * v.stride - v.before + k * v.dilation;
    if (at < 0 || at >= v.in) { w += behind; continue; }
    if (along.size() > 1) { taps_at(along.subspan(1), position.subspan(1), image, base * v.in + at, n, zero, w, y); continue; }
    simd::Compiled<TapBody<T>, const T*, const int16_t*, int64_t, int32_t, int32_t*>::best(image + (base * v.in + at) * n, w, n, zero, y);
    w += n;
  }
}
void by_taps(const RunContext& context, const Shape& s, const Tensor& x, int32_t zero, const CodeFilters& w, const int32_t* bias, int32_t* y) {
  const int64_t all = x.dims()[0] * s.pixels, image = s.image(), n = s.filters;
  for_type<u8 | i8>(x.type(), [&]<class T>() {
    context.parallel(all, 0.1 * double(w.taps.size()), [&](int64_t begin, int64_t end) {
      Dims position = s.position(begin % s.pixels);
      for (int64_t p = begin; p < end; ++p, s.step(position)) {
        if (bias) std::copy_n(bias, n, y + p * n);
        else std::fill_n(y + p * n, n, 0);
        const int16_t* tap = w.taps.data();
        taps_at<T>(s.along, position, x.data<T>() + p / s.pixels * image, 0, n, zero, tap, y + p * n);
      }
    });
  });
}

std::vector<float> ratios(const Call& call, int64_t filters, Quantization to) {
  const PerColumn w_scale(call.tensor(4), filters, "scale of the weights");
  const float x_scale = quantization(call, 1, SIZE_MAX).scale;
  std::vector<float> out;
  for (int64_t i = 0; i < filters; ++i) out.push_back(x_scale * float(w_scale[i]) / to.scale);
  return out;
}

}  // namespace

Tensor with_channels_first(const Tensor& x) { return transposed(x, channels_first(in_order(x.rank()))); }
Tensor with_channels_last(const Tensor& x) { return transposed(x, channels_last(in_order(x.rank()))); }

std::shared_ptr<const CodeFilters> CodeFilters::of(const Tensor& w, const Tensor* zero, int64_t group) {
  if (w.rank() < 3 || w.size() == 0 || group < 1 || w.dims()[0] % group != 0 || !contains(u8 | i8, w.type())) return nullptr;
  const int64_t all = w.dims()[0], filters = all / group, k = w.size() / all;
  if (zero && (zero->type() != w.type() || (zero->size() != 1 && (zero->rank() != 1 || zero->size() != all)))) return nullptr;
  const Tensor moved = with_channels_last(w);
  std::vector<int32_t> zeros;
  if (zero) for_type<u8 | i8>(w.type(), [&]<class T>() { zeros.assign(zero->data<T>(), zero->data<T>() + zero->size()); });
  auto out = std::make_shared<CodeFilters>();
  if (w.dims()[1] == 1 && filters == 1 && group > 1) {
    out->taps.resize(size_t(all * k));
    for_type<u8 | i8>(w.type(), [&]<class T>() {
      for (int64_t f = 0; f < all; ++f)
        for (int64_t t = 0; t < k; ++t) out->taps[size_t(t * all + f)] = int16_t(moved.data<T>()[f * k + t] - (zeros.empty() ? 0 : zeros[zeros.size() == 1 ? 0 : size_t(f)]));
    });
    return out;
  }
  for (int64_t g = 0; g < group; ++g) {
    const auto of_group = zeros.size() > 1 ? std::vector<int32_t>(zeros.begin() + g * filters, zeros.begin() + (g + 1) * filters) : zeros;
    out->groups.emplace_back(static_cast<const uint8_t*>(moved.raw()) + g * filters * k, w.type() == DataType::i8, k, filters, true, of_group);
  }
  return out;
}

std::shared_ptr<const CodeFilters> CodeFilters::constant(const Preparation& at, size_t w, size_t zero, int64_t group) {
  const bool has_zero = zero < at.node.inputs.size() && !at.node.inputs[zero].empty();
  return at.input(w) && (!has_zero || at.input(zero)) ? of(*at.input(w), has_zero ? at.input(zero) : nullptr, group) : nullptr;
}

void code_convolution(const RunContext& context, const Convolution& form, const Tensor& x, int32_t zero, std::span<const int64_t> w_dims, const CodeFilters& filters,
                      const int32_t* bias, std::span<const int64_t> y_dims, int32_t* y) {
  if (count(y_dims) == 0) return;
  const Shape s(form, x, w_dims);
  if (!filters.taps.empty()) by_taps(context, s, x, zero, filters, bias, y);
  else by_patches(context, s, x, zero, filters, bias, y);
}

// The sum of a pixel is exact; it is scaled once, in float, and rounded before the zero point is added.
void quantized_convolution(Call& call, const Convolution& form, bool last, std::shared_ptr<const CodeFilters> filters) {
  const Tensor &y = call.output(0), &w = call.tensor(3), x = last ? call.tensor(0) : with_channels_last(call.tensor(0));
  const Quantization to = quantization(call, 6, 7);
  const Dims dims = last ? y.dims() : channels_last(y.dims());
  const auto ratio = ratios(call, dims.back(), to);
  const Tensor bias = call.has(8) ? as_type(call, call.tensor(8), DataType::i32) : Tensor();
  if (bias && bias.size() != dims.back()) invalid("a bias of shape ", shown(bias.dims()), " for ", dims.back(), " filters");
  if (y.size() == 0) return;
  if (!filters) filters = CodeFilters::of(w, input_of(call, 5), form.group);
  const Tensor* zero = input_of(call, 2);
  if (!filters || !contains(u8 | i8, x.type()) || (zero && (zero->size() != 1 || zero->type() != x.type()))) invalid("codes ", shown(x), " and ", shown(w), " do not fit their zero points");
  const Tensor sum = call.scratch(DataType::i32, dims), out = last ? y : call.scratch(y.type(), dims);
  code_convolution(call.context, form, x, quantization(call, 1, 2).zero, w.dims(), *filters, bias ? bias.data<int32_t>() : nullptr, dims, sum.data<int32_t>());
  if (!for_type<u8 | i8>(y.type(), [&]<class T>() { requantize<T>(call.context, sum.data<int32_t>(), sum.size() / dims.back(), ratio, to.zero, out.data<T>()); })) unsupported("element type ", name_of(y.type()));
  Tensor first = y;
  if (!last) transpose(out, channels_first(in_order(out.rank())), first);
}

}  // namespace onward
