#include "onward/ops/code_convolution.h"

#include <cstring>

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

constexpr int64_t block = 16, slack = 64;                 // bytes that may be read behind an image

// How an image stands with its padding in it, the channels of a pixel together, and where the windows lie in it.
struct Padded {
  Windows along;
  int64_t channels, pixels = 1;                           // pixels: of the output
  std::vector<int64_t> size, pitch;                       // of every axis; pitches in codes

  Padded(const CodeConvolution& o)
      : along(windows(o.form.sliding, std::span<const int64_t>(o.x.dims()).subspan(o.last ? 1 : 2, size_t(o.x.rank()) - 2), std::span<const int64_t>(o.w.dims()).subspan(2), nullptr, 0)),
        channels(o.x.dims()[o.last ? size_t(o.x.rank()) - 1 : 1]), size(along.size()), pitch(along.size()) {
    int64_t step = channels;
    for (size_t i = along.size(); i-- > 0;) {
      const Window& v = along[i];
      size[i] = (v.out - 1) * v.stride + (v.taps - 1) * v.dilation + 1, pitch[i] = step;
      if (fits()) step *= size[i];
      pixels *= v.out;
    }
  }
  double codes() const {
    double n = double(channels);
    for (int64_t s : size) n *= double(s);
    return n;
  }
  int64_t image() const {                                 // codes without padding
    int64_t n = channels;
    for (const Window& v : along) n *= v.in;
    return n;
  }
  // Not where attributes ask for far more padding than there is image.
  bool fits() const { return codes() <= 8 * double(image()) + 8 * double(channels) * double(pixels) + 65536; }
  bool as_it_is() const {
    for (size_t i = 0; i < along.size(); ++i) if (along[i].before != 0 || size[i] != along[i].in) return false;
    return true;
  }

  void fill(const CodeConvolution& o, int64_t n, uint8_t flip, uint8_t zero, uint8_t* to) const {
    const uint8_t* from = static_cast<const uint8_t*>(o.x.raw()) + n * image();
    const int64_t plane = image() / channels;
    const auto row = [&](int64_t first, int64_t count, uint8_t* at) {          // `count` pixels from pixel `first` of the plane on
      if (o.last) std::copy_n(from + first * channels, count * channels, at);
      else transpose_bytes(from + first, plane, channels, count, at, channels);
      if (flip) for (int64_t i = 0; i < count * channels; ++i) at[i] ^= flip;
    };
    if (as_it_is()) return row(0, plane, to);
    std::fill_n(to, int64_t(codes()), zero);
    rows(0, 0, to, row);
  }
  // f(i, where its window begins) for output positions [begin, end).
  template <class F> void each(int64_t begin, int64_t end, F&& f) const {
    const Window& last = along.back();
    for (int64_t i = begin; i < end;) {
      int64_t at = 0, rest = i;
      for (size_t axis = along.size(); axis-- > 0; rest /= along[axis].out) at += rest % along[axis].out * along[axis].stride * pitch[axis];
      for (const int64_t row_end = std::min(end, (i / last.out + 1) * last.out); i < row_end; ++i, at += last.stride * pitch.back()) f(i, at);
    }
  }
  std::vector<int64_t> taps(bool rows_of_taps) const {    // where they stand from a window's start; or only the first of every row
    std::vector<int64_t> out = {0};
    for (size_t i = 0; i < along.size(); ++i) {
      std::vector<int64_t> more;
      const int64_t n = rows_of_taps && i + 1 == along.size() ? 1 : along[i].taps;
      for (int64_t before : out) for (int64_t k = 0; k < n; ++k) more.push_back(before + k * along[i].dilation * pitch[i]);
      out = std::move(more);
    }
    return out;
  }

 private:
  template <class F> void rows(size_t axis, int64_t first, uint8_t* to, F&& row) const {
    const Window& v = along[axis];
    const int64_t from = std::max<int64_t>(0, v.before), n = std::min(v.in, size[axis] - from);
    if (axis + 1 == along.size()) return n > 0 ? row(first * v.in, n, to + from * pitch[axis]) : void();
    for (int64_t i = 0; i < n; ++i) rows(axis + 1, first * v.in + i, to + (from + i) * pitch[axis], row);
  }
};

// Many pixels at a time as rows of patches; where a patch is one run of the image that the next follows, the image itself.
void by_patches(const RunContext& context, const Padded& p, const uint8_t* image, int32_t zero, const CodeFilters& w, const int32_t* bias, int32_t* y) {
  constexpr int64_t together = 64;
  const auto groups = int64_t(w.groups.size());
  const int64_t k = w.groups[0].k(), filters = w.groups[0].columns(), all = filters * groups;
  const bool in_rows = groups == 1 && p.along.back().dilation == 1;
  const auto runs = p.taps(in_rows);
  const int64_t length = k / int64_t(runs.size());
  bool direct = runs.size() == 1 && groups == 1;
  for (size_t i = 0; i < p.along.size(); ++i) direct = direct && p.along[i].stride == 1 && p.size[i] == p.along[i].out;
  if (direct) {
    CodeRows rows;
    rows.rows = p.pixels, rows.k = k, rows.stride = p.channels, rows.codes = image, rows.zeros = {zero};
    return code_product(context, rows, w.groups[0], y, all, bias);
  }
  context.parallel((p.pixels + together - 1) / together, 0.005 * double(together * all) * double(k), [&](int64_t begin, int64_t end) {
    CodeRows patches;
    patches.k = k, patches.stride = padded_k(k), patches.own.resize(size_t(together * patches.stride + slack)), patches.codes = patches.own.data(), patches.zeros = {zero};
    RunContext alone;
    for (int64_t first = begin * together; first < std::min(end * together, p.pixels); first += together)
      for (int64_t g = 0; g < groups; ++g) {
        patches.rows = std::min(together, p.pixels - first);
        uint8_t* to = patches.own.data();
        p.each(first, first + patches.rows, [&](int64_t, int64_t at) {
          const uint8_t* window = image + at + g * (p.channels / groups);
          // More than a run is copied: what is too much is overwritten by the next, or stands behind k.
          uint8_t* end_of_run = to;
          for (const int64_t run : runs) {
            for (int64_t b = 0; b < length; b += block) std::memcpy(end_of_run + b, window + run + b, block);
            end_of_run += length;
          }
          to += patches.stride;
        });
        code_product(alone, patches, w.groups[size_t(g)], y + first * all + g * filters, all, bias ? bias + g * filters : nullptr);
      }
  });
}

// All taps of every channel at one pixel.
struct TapsBody {
  typedef int32_t Sums __attribute__((vector_size(64)));
  typedef uint8_t Codes __attribute__((vector_size(16)));
  typedef uint16_t Wider __attribute__((vector_size(32)));               // GCC widens vectors one step at a time, or element by element
  static constexpr int64_t lanes = 16;
  [[gnu::always_inline]] static void run(const uint8_t* window, const int64_t* tap, int64_t taps, const int32_t* w, const int32_t* first, int64_t n, int32_t* y) {
    int64_t c = 0;
    for (; c + 4 * lanes <= n; c += 4 * lanes) vectors<4>(window + c, tap, taps, w + c, first + c, n, y + c);
    for (; c + lanes <= n; c += lanes) vectors<1>(window + c, tap, taps, w + c, first + c, n, y + c);
    for (; c < n; ++c) {
      int32_t sum = first[c];
      for (int64_t t = 0; t < taps; ++t) sum += int32_t(window[tap[t] + c]) * w[t * n + c];
      y[c] = sum;
    }
  }
  template <int wide> [[gnu::always_inline]] static void vectors(const uint8_t* window, const int64_t* tap, int64_t taps, const int32_t* w, const int32_t* first, int64_t n, int32_t* y) {
    Sums sum[wide];
#pragma GCC unroll 4
    for (int v = 0; v < wide; ++v) std::memcpy(&sum[v], first + v * lanes, sizeof(Sums));
    for (int64_t t = 0; t < taps; ++t)
#pragma GCC unroll 4
      for (int v = 0; v < wide; ++v) {
        Codes code;
        Sums weight;
        std::memcpy(&code, window + tap[t] + v * lanes, sizeof code), std::memcpy(&weight, w + t * n + v * lanes, sizeof weight);
        sum[v] += __builtin_convertvector(__builtin_convertvector(code, Wider), Sums) * weight;
      }
#pragma GCC unroll 4
    for (int v = 0; v < wide; ++v) std::memcpy(y + v * lanes, &sum[v], sizeof(Sums));
  }
};
void by_taps(const RunContext& context, const Padded& p, const uint8_t* image, int32_t zero, const CodeFilters& w, const int32_t* bias, int32_t* y) {
  auto taps = p.taps(false);
  const int64_t n = p.channels, count = int64_t(taps.size());
  std::vector<int32_t> first(static_cast<size_t>(n));
  for (int64_t c = 0; c < n; ++c) {
    uint32_t sum = bias ? uint32_t(bias[c]) : 0;
    for (int64_t t = 0; t < count; ++t) sum -= uint32_t(zero) * uint32_t(w.taps[size_t(t * n + c)]);
    first[size_t(c)] = int32_t(sum);
  }
  const bool in_fours = !w.fours.empty() && simd::best() == simd::Target::avx512;
  if (in_fours) taps.resize((taps.size() + 3) / 4 * 4, taps[0]);
  context.parallel(p.pixels, 0.1 * double(w.taps.size()), [&](int64_t begin, int64_t end) {
    if (in_fours) return p.each(begin, end, [&](int64_t i, int64_t at) { taps_kernel(image + at, taps, w.fours.data(), first.data(), n, y + i * n); });
    p.each(begin, end, [&](int64_t i, int64_t at) {
      simd::Compiled<TapsBody, const uint8_t*, const int64_t*, int64_t, const int32_t*, const int32_t*, int64_t, int32_t*>::best(image + at, taps.data(), count, w.taps.data(), first.data(), n, y + i * n);
    });
  });
}

// Through double, in which the sums are exact too.
void by_doubles(const RunContext& context, const CodeConvolution& o, std::span<const int64_t> y_dims, int32_t* y) {
  const auto less_zeros = [&](const Tensor& t, auto&& zero) {
    const Tensor out(DataType::f64, t.dims(), context.budget);
    for_type<u8 | i8>(t.type(), [&]<class T>() { for (int64_t i = 0; i < t.size(); ++i) out.data<double>()[i] = double(t.data<T>()[i]) - zero(i); });
    return out;
  };
  const auto zeros = o.w_zero ? as_doubles(*o.w_zero) : std::vector<double>{0};
  const int64_t each = o.w.size() / o.w.dims()[0], filters = o.w.dims()[0];
  const Tensor x = less_zeros(o.last ? with_channels_first(o.x) : o.x, [&](int64_t) { return double(o.zero); });
  const Tensor w = less_zeros(o.w, [&](int64_t i) { return zeros[zeros.size() == 1 ? 0 : size_t(i / each)]; });
  const Tensor sums(DataType::f64, channels_first(Dims(y_dims)), context.budget);
  o.form.run(context, x.dims(), x.data<double>(), w.dims(), w.data<double>(), static_cast<const double*>(nullptr), sums.data<double>());
  const Tensor last = with_channels_last(sums);
  for (int64_t i = 0; i < last.size(); ++i) y[i] = int32_t(uint32_t(int64_t(last.data<double>()[i])) + (o.bias ? uint32_t(o.bias[i % filters]) : 0));
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
        for (int64_t t = 0; t < k; ++t) out->taps[size_t(t * all + f)] = int32_t(moved.data<T>()[f * k + t]) - (zeros.empty() ? 0 : zeros[zeros.size() == 1 ? 0 : size_t(f)]);
    });
    out->fours = taps_in_fours(out->taps.data(), k, all);
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

void code_convolution(const RunContext& context, const CodeConvolution& o, const CodeFilters& filters, std::span<const int64_t> y_dims, int32_t* y) {
  if (count(y_dims) == 0) return;
  const Padded p(o);
  if (!p.fits()) return by_doubles(context, o, y_dims, y);
  const auto flip = uint8_t(o.x.type() == DataType::i8 ? 128 : 0);
  const int32_t zero = o.zero + flip;
  const Tensor image(DataType::u8, {int64_t(p.codes()) + slack}, context.budget);
  std::fill_n(image.data<uint8_t>() + image.size() - slack, slack, uint8_t(0));
  for (int64_t n = 0; n < o.x.dims()[0]; ++n, y += p.pixels * o.w.dims()[0]) {
    p.fill(o, n, flip, uint8_t(zero), image.data<uint8_t>());
    if (!filters.taps.empty()) by_taps(context, p, image.data<uint8_t>(), zero, filters, o.bias, y);
    else by_patches(context, p, image.data<uint8_t>(), zero, filters, o.bias, y);
  }
}

// The sum of a pixel is exact; it is scaled once, in float, and rounded before the zero point is added.
void quantized_convolution(Call& call, const Convolution& form, bool last, std::shared_ptr<const CodeFilters> filters) {
  const Tensor &y = call.output(0), &w = call.tensor(3), &x = call.tensor(0);
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
  code_convolution(call.context, {form, x, w, input_of(call, 5), last, quantization(call, 1, 2).zero, bias ? bias.data<int32_t>() : nullptr}, *filters, dims, sum.data<int32_t>());
  if (!for_type<u8 | i8>(y.type(), [&]<class T>() { requantize<T>(call.context, sum.data<int32_t>(), sum.size() / dims.back(), ratio, to.zero, out.data<T>()); })) unsupported("element type ", name_of(y.type()));
  if (last) return;
  const int64_t image = y.size() / y.dims()[0], pixels = image / dims.back();
  for (int64_t n = 0; n < y.dims()[0]; ++n) transpose_bytes(static_cast<const uint8_t*>(out.raw()) + n * image, dims.back(), pixels, dims.back(), static_cast<uint8_t*>(y.raw()) + n * image, pixels);
}

}  // namespace onward
