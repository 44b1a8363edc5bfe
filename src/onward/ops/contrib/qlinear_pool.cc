// QLinearAveragePool, QLinearGlobalAveragePool, QLinearReduceMean, ReduceSumInteger, NhwcMaxPool: windows and sums over 8-bit codes.
#include "onward/ops/contrib.h"
#include "onward/ops/quantized.h"
#include "onward/ops/reduction.h"
#include "onward/ops/typed.h"
#include "onward/ops/window.h"

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
  int64_t step() const { return channels_last ? channels : 1; }
  // The first element of plane i where every plane has `pixels` of them.
  int64_t first(int64_t i, int64_t pixels) const { return channels_last ? i / channels * channels * pixels + i % channels : i * pixels; }
};

Dims sizes_of(const Windows& along) {
  Dims out;
  for (const Window& v : along) out.push_back(v.out);
  return out;
}

// f(index of the output, position, first element of the plane) for every window of every plane.
template <class F> void each_window(const RunContext& context, const Planes& planes, const Windows& along, F&& f) {
  const int64_t image = count(planes.spatial), pixels = count(sizes_of(along));
  double taps = 1;
  for (const Window& v : along) taps *= double(v.taps);
  context.parallel(planes.batch * planes.channels, taps * double(pixels), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      each_position(along, [&](int64_t at, std::span<const int64_t> position) { f(planes.first(i, pixels) + at * planes.step(), position, planes.first(i, image)); });
  });
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

struct QLinearAveragePool : Pool<contrib::QLinearAveragePool> {
  template <class T> void run(const RunContext& context, In<T> x, In<float> x_scale, In<T> x_zero, In<float> y_scale, In<T> y_zero, Out<T> y) const {
    const Planes planes(x.dims, last());
    const Windows along = windows(sliding(*this), planes.spatial, kernel_shape, nullptr, 0);
    const Quantization from = quantization(x_scale, x_zero), to = quantization(y_scale, y_zero);
    each_window(context, planes, along, [&](int64_t at, std::span<const int64_t> position, int64_t first) {
      float sum = 0;                                      // in float and in this order, as the formula over floats does it
      int64_t n = 0;
      under(along, position, [&](int64_t start, int64_t step, int64_t taps) {
        for (int64_t k = 0; k < taps; ++k) sum += from.real(x[first + (start + k * step) * planes.step()]);
        n += taps;
      });
      if (count_include_pad) n = taps_with_padding(along, position);
      y[at] = to.code_rounded_last<T>(sum / float(n));
    });
  }
};

struct NhwcMaxPool : Pool<contrib::NhwcMaxPool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const Planes planes(x.dims, true);
    const Windows along = windows(sliding(*this), planes.spatial, kernel_shape, nullptr, 0);
    each_window(context, planes, along, [&](int64_t at, std::span<const int64_t> position, int64_t first) {
      T best = std::numeric_limits<T>::lowest();
      under(along, position, [&](int64_t start, int64_t step, int64_t taps) {
        for (int64_t k = 0; k < taps; ++k) best = std::max(best, x[first + (start + k * step) * planes.step()]);
      });
      y[at] = best;
    });
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
    const int64_t n = count(planes.spatial);
    const float ratio = from.scale / (to.scale * float(n));
    for (int64_t i = 0; i < y.size; ++i) {
      int64_t sum = -n * from.zero;
      for (int64_t k = 0; k < n; ++k) sum += x[planes.first(i, n) + k * planes.step()];
      y[i] = saturated<T>(std::nearbyint(double(float(sum) * ratio)) + to.zero);
    }
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
