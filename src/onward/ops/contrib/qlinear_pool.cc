// QLinearAveragePool, QLinearGlobalAveragePool, QLinearReduceMean, ReduceSumInteger, NhwcMaxPool: windows and sums over 8-bit codes.
#include "onward/ops/contrib.h"
#include "onward/ops/pool.h"
#include "onward/ops/quantized.h"
#include "onward/ops/reduction.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// Where the spatial axes of [N, C, ...] or [N, ..., C] are, and the planes that are pooled each on its own.
struct Planes {
  int64_t batch, channels, channels_last;
  Dims spatial;
  Planes(std::span<const int64_t> x, bool last) : channels_last(last) {
    if (x.size() < 3) invalid("expected spatial axes, found shape ", shown(x));
    batch = x[0], channels = last ? x.back() : x[1];
    spatial.assign(x.begin() + (last ? 1 : 2), x.end() - (last ? 1 : 0));
  }
  Dims with(const Dims& sizes) const {
    Dims out{batch};
    if (!channels_last) out.push_back(channels);
    out.insert(out.end(), sizes.begin(), sizes.end());
    if (channels_last) out.push_back(channels);
    return out;
  }
  Pooled pooled(Windows along, bool padding_counts = false) const {
    return channels_last ? Pooled{batch, channels, std::move(along), padding_counts} : Pooled{batch * channels, 1, std::move(along), padding_counts};
  }
};

Dims sizes_of(const Windows& along) {
  Dims out;
  for (const Window& v : along) out.push_back(v.out);
  return out;
}

template <class Schema> struct Pool : Schema {
  void prepare(const Preparation&) const {
    if (this->kernel_shape.empty()) invalid("kernel_shape is missing");
    check_sliding(sliding(*this));
  }
  void infer(Inference& io) const {
    const Planes planes(io.dims(0), last());
    io.output(0, planes.with(sizes_of(windows(sliding(*this), planes.spatial, this->kernel_shape, io.symbols, 0))));
  }
  bool last() const {
    if constexpr (requires { this->channels_last; }) return this->channels_last != 0;
    else return true;
  }
};

template <class T> struct MeanOfCodes {
  using Value = float;
  static constexpr bool in_order = true;                  // in float and in this order, as the formula over floats does it
  Quantization from, to;
  [[gnu::always_inline]] static float start() { return 0; }
  [[gnu::always_inline]] float of(T code) const { return from.real(code); }
  [[gnu::always_inline]] static float join(float a, float b) { return a + b; }
  [[gnu::always_inline]] T finish(float sum, float taps) const { return to.code_rounded_last<T>(sum / taps); }
};

struct QLinearAveragePool : Pool<contrib::QLinearAveragePool> {
  template <class T> void run(const RunContext& context, In<T> x, In<float> x_scale, In<T> x_zero, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    const Planes planes(x.dims, last());
    const MeanOfCodes<T> mean{quantization(x_scale, x_zero), quantization(y_scale, y_zero)};
    if (y.size) pool(context, mean, planes.pooled(windows(sliding(*this), planes.spatial, kernel_shape, nullptr, 0), count_include_pad != 0), x.data, y.data);
  }
};

struct NhwcMaxPool : Pool<contrib::NhwcMaxPool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const Planes planes(x.dims, true);
    if (y.size) pool(context, LargestUnder<T>(), planes.pooled(windows(sliding(*this), planes.spatial, kernel_shape, nullptr, 0)), x.data, y.data);
  }
};

// sums[c] = the sum over the places of x [n][channels].
template <class T> struct ChannelSums {
  [[gnu::always_inline]] static void run(const T* x, int64_t n, int64_t channels, int64_t* sums) {
    constexpr int64_t few = 1 << 20, together = 256;      // so many codes fit an int32
    for (int64_t i = 0; i < n; i += few) {
      const int64_t end = std::min(n, i + few);
      if (channels == 1) {
        *sums += line(x + i, end - i);
        continue;
      }
      for (int64_t c = 0; c < channels; c += together) {
        const int64_t wide = std::min(together, channels - c);
        int32_t part[together] = {};
        for (int64_t k = i; k < end; ++k)
          for (int64_t l = 0; l < wide; ++l) part[l] += x[k * channels + c + l];
        for (int64_t l = 0; l < wide; ++l) sums[c + l] += part[l];
      }
    }
  }

 private:
  // In lanes of 16 bits, each of which has room for 256 codes.
  [[gnu::always_inline]] static int64_t line(const T* x, int64_t n) {
    using Lane = std::conditional_t<std::is_signed_v<T>, int16_t, uint16_t>;
    constexpr int64_t lanes = 64, room = 256;
    int64_t sum = 0, i = 0;
    while (i + lanes <= n) {
      Lane part[lanes] = {};
      for (int64_t k = 0; k < room && i + lanes <= n; ++k, i += lanes)
        for (int64_t l = 0; l < lanes; ++l) part[l] = Lane(part[l] + x[i + l]);
      int32_t whole = 0;
      for (int64_t l = 0; l < lanes; ++l) whole += part[l];
      sum += whole;
    }
    for (; i < n; ++i) sum += x[i];
    return sum;
  }
};

struct QLinearGlobalAveragePool : contrib::QLinearGlobalAveragePool {
  void infer(Inference& io) const {
    const Planes planes(io.dims(0), channels_last != 0);
    io.output(0, planes.with(Dims(planes.spatial.size(), 1)));
  }
  template <class T> void run(In<T> x, In<float> x_scale, In<T> x_zero, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    const Planes planes(x.dims, channels_last != 0);
    const Quantization from = quantization(x_scale, x_zero), to = quantization(y_scale, y_zero);
    const int64_t n = count(planes.spatial), each = planes.channels_last ? planes.channels : 1;
    const float ratio = from.scale / (to.scale * float(n));
    std::vector<int64_t> sums(size_t(y.size), -n * from.zero);
    for (int64_t i = 0; i < y.size; i += each) simd::Compiled<ChannelSums<T>, const T*, int64_t, int64_t, int64_t*>::best(x.data + i * n, n, each, sums.data() + i);
    for (int64_t i = 0; i < y.size; ++i) y[i] = saturated<T>(std::nearbyint(double(float(sums[size_t(i)]) * ratio)) + to.zero);
  }
};

// Exact sums of codes along the axes of a node's attributes.
template <class T> std::vector<int64_t> sums(In<T> x, const Reduced& r) {
  Tensor moved;
  const T* from = x.data;
  if (!r.perm.empty()) moved = transposed(Tensor::view(type_of<T>, x.dims, x.data), r.perm), from = moved.data<T>();
  std::vector<int64_t> out(size_t(r.outer * r.inner));
  for (int64_t o = 0; o < r.outer; ++o)
    for (int64_t i = 0; i < r.n; ++i)
      for (int64_t k = 0; k < r.inner; ++k) out[size_t(o * r.inner + k)] += *from++;
  return out;
}

struct QLinearReduceMean : contrib::QLinearReduceMean {
  void infer(Inference& io) const { io.output(0, reduced(io.dims(0), axes, keepdims).out); }
  template <class T> void run(In<T> x, In<float> x_scale, In<T> x_zero, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    const Quantization from = quantization(x_scale, x_zero), to = quantization(y_scale, y_zero);
    const Reduced r = reduced(x.dims, axes, keepdims);
    const auto all = sums(x, r);
    for (size_t i = 0; i < all.size(); ++i) y[int64_t(i)] = to.code<T>(float(double(all[i] - r.n * from.zero) * from.scale / double(r.n)));
  }
};

// The schema leaves the sum's type open: here it has the sign of what is summed.
struct ReduceSumInteger : contrib::ReduceSumInteger {
  void infer(Inference& io) const { io.output(0, io.type(0) == DataType::u8 ? DataType::u32 : DataType::i32, reduced(io.dims(0), axes, keepdims).out); }
  template <class T> void run(In<T> x, Tensor y) const {
    const auto all = sums(x, reduced(x.dims, axes, keepdims));
    for (size_t i = 0; i < all.size(); ++i) y.data<uint32_t>()[i] = uint32_t(all[i]);    // wraps around
  }
};

}  // namespace

Operators contrib_qlinear_pool() {
  return {
      define<QLinearAveragePool, QLinearAveragePool::T>({.examples = {
          "uint8 [[[1, 2, 4]]], float 1, uint8 0, float 0.5, uint8 3; kernel_shape=[2], pads=[1, 0] -> uint8 [[[5, 6, 9]]]",
          "uint8 [[[1, 10], [2, 20], [4, 40]]], float 1, uint8 0, float 0.5, uint8 3; kernel_shape=[2], channels_last=1 -> uint8 [[[6, 33], [9, 63]]]"}}),
      define<QLinearGlobalAveragePool, QLinearGlobalAveragePool::T>({.examples = {
          "int8 [[[1, 2, 4], [-1, -2, -3]]], float 1, int8 0, float 0.5, int8 3 -> int8 [[[8], [-1]]]",
          "uint8 [[[1, 10], [2, 20], [3, 30]]], float 1, uint8 0, float 1, uint8 0; channels_last=1 -> uint8 [[[2, 20]]]"}}),
      define<QLinearReduceMean, QLinearReduceMean::T>({.examples = {"uint8 [[1, 2], [5, 10]], float 1, uint8 0, float 0.5, uint8 1; axes=[0], keepdims=0 -> uint8 [7, 13]"}}),
      define<ReduceSumInteger, ReduceSumInteger::T1>({.examples = {"int8 [[1, 2], [-5, -128]]; axes=[1], keepdims=1 -> int32 [[3], [-133]]", "uint8 [200, 200]; axes=[], keepdims=0 -> uint32 400"}}),
      define<NhwcMaxPool, NhwcMaxPool::T>({.examples = {"uint8 [[[1, 10], [2, 9], [4, 40]]]; kernel_shape=[2] -> uint8 [[[2, 10], [4, 40]]]",
                                                        "int8 [[[-1], [-2]]]; kernel_shape=[2], pads=[1, 1] -> int8 [[[-1], [-1], [-2]]]"}}),
  };
}

}  // namespace onward::ops
