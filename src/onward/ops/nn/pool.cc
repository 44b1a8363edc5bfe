// AveragePool, MaxPool, LpPool: one value for every window. The padding is never the largest, and counts in an average only if asked.
#include <cmath>
#include "onward/ops/window.h"

namespace onward::ops {
namespace {

template <class Standard> struct Pool : Standard {
  void prepare(const Preparation&) const {
    if (this->kernel_shape.empty()) invalid("kernel_shape is missing");
    check_sliding(sliding(*this));
  }
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    Dims out(x.begin(), x.begin() + std::min<size_t>(2, x.size()));
    for (const Window& v : windows(sliding(*this), x, this->kernel_shape, io.symbols)) out.push_back(v.out);
    io.output(0, out), io.output(1, out);
  }

 protected:
  // f(image, its pooled values, its number) for every channel of every batch entry.
  template <class T, class F> void each_image(const RunContext& context, In<T> x, Out<T> y, const Windows& along, F&& f) const {
    const int64_t image = product(x.dims, 2, x.rank()), pixels = product(y.dims, 2, y.rank());
    double taps = 1;
    for (const Window& v : along) taps *= double(v.taps);
    context.parallel(x.dims[0] * x.dims[1], taps * double(pixels), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) f(x.data + i * image, y.data + i * pixels, i);
    });
  }
};

struct AveragePool : Pool<standard::AveragePool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const Windows along = windows(sliding(*this), x.dims, kernel_shape);
    each_image(context, x, y, along, [&](const T* from, T* to, int64_t) {
      each_position(along, [&](int64_t i, std::span<const int64_t> position) {
        T sum = 0;
        int64_t n = 0;
        under(along, position, [&](int64_t first, int64_t step, int64_t count) {
          for (int64_t k = 0; k < count; ++k) sum += from[first + k * step];
          n += count;
        });
        if (count_include_pad) n = taps_with_padding(along, position);
        to[i] = sum / T(n);
      });
    });
  }
};

struct LpPool : Pool<standard::LpPool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const Windows along = windows(sliding(*this), x.dims, kernel_shape);
    each_image(context, x, y, along, [&](const T* from, T* to, int64_t) {
      each_position(along, [&](int64_t i, std::span<const int64_t> position) {
        T sum = 0;
        under(along, position, [&](int64_t first, int64_t step, int64_t count) {
          for (int64_t k = 0; k < count; ++k) sum += power(std::abs(from[first + k * step]));
        });
        to[i] = p == 1 ? sum : p == 2 ? std::sqrt(sum) : T(std::pow(sum, 1.0 / double(p)));
      });
    });
  }

 private:
  template <class T> T power(T v) const { return p == 1 ? v : p == 2 ? v * v : T(std::pow(v, double(p))); }
};

struct MaxPool : Pool<standard::MaxPool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y, Out<int64_t> indices) const {
    const Windows along = windows(sliding(*this), x.dims, kernel_shape);
    const int64_t image = product(x.dims, 2, x.rank()), pixels = product(y.dims, 2, y.rank());
    each_image(context, x, y, along, [&](const T* from, T* to, int64_t number) {
      each_position(along, [&](int64_t i, std::span<const int64_t> position) {
        int64_t best = -1;
        under(along, position, [&](int64_t first, int64_t step, int64_t count) {
          for (int64_t k = 0; k < count; ++k) if (const int64_t at = first + k * step; best < 0 || from[at] > from[best] || (from[at] != from[at] && from[best] == from[best])) best = at;
        });
        to[i] = best < 0 ? std::numeric_limits<T>::lowest() : from[best];
        if (indices) indices[number * pixels + i] = number * image + (storage_order && best >= 0 ? by_column(along, best) : std::max(best, int64_t(0)));
      });
    });
  }

 private:
  // The same place counted with the first spatial axis fastest.
  static int64_t by_column(const Windows& along, int64_t at) {
    int64_t out = 0;
    for (size_t i = along.size(); i-- > 0; at /= along[i].in) {
      int64_t stride = 1;
      for (size_t k = 0; k < i; ++k) stride *= along[k].in;
      out += at % along[i].in * stride;
    }
    return out;
  }
};

}  // namespace

Operators nn_pool() {
  return {
      define<AveragePool, computed(AveragePool::T)>({.examples = {"float [[[1, 2, 3]]]; kernel_shape=[2], pads=[1, 0] -> float [[[1, 1.5, 2.5]]]",
                                                                  "float [[[1, 2, 3]]]; kernel_shape=[2], pads=[1, 0], count_include_pad=1 -> float [[[0.5, 1.5, 2.5]]]"}}),
      define<LpPool, computed(LpPool::T)>({.examples = {"float [[[3, -4]]]; kernel_shape=[2] -> float [[[5]]]"}}),
      define<MaxPool, computed(MaxPool::T)>({.examples = {"float [[[-1, -2, -3]]]; kernel_shape=[2], pads=[1, 1] -> float [[[-1, -1, -2, -3]]], int64 [[[0, 0, 1, 2]]]"}}),
  };
}

}  // namespace onward::ops
