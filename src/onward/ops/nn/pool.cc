// AveragePool, MaxPool, LpPool: one value for every window. The padding is never the largest, and counts in an average only if asked.
#include <cmath>
#include "onward/ops/pool.h"

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
  // Every channel of every batch entry on its own.
  template <class Fold, class T> void fold(const RunContext& context, const Fold& how, In<T> x, Out<T> y, bool padding_counts = false) const {
    if (y.size) pool(context, how, {x.dims[0] * x.dims[1], 1, windows(sliding(*this), x.dims, this->kernel_shape), padding_counts}, x.data, y.data);
  }
};

template <class T> struct Mean {
  using Value = T;
  static constexpr bool in_order = false;
  [[gnu::always_inline]] static T start() { return 0; }
  [[gnu::always_inline]] static T of(T x) { return x; }
  [[gnu::always_inline]] static T join(T a, T b) { return a + b; }
  [[gnu::always_inline]] static T finish(T sum, T taps) { return sum / taps; }
};
struct AveragePool : Pool<standard::AveragePool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const { fold(context, Mean<T>(), x, y, count_include_pad != 0); }
};

// The root of the sum of powers; 0: of any other than the first and the second.
template <class T, int power> struct Norm : Mean<T> {
  double p;
  [[gnu::always_inline]] T of(T x) const { return power == 1 ? std::abs(x) : power == 2 ? x * x : T(std::pow(std::abs(x), p)); }
  [[gnu::always_inline]] T finish(T sum, T) const { return power == 1 ? sum : power == 2 ? std::sqrt(sum) : T(std::pow(sum, 1.0 / p)); }
};
struct LpPool : Pool<standard::LpPool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    if (p == 1) fold(context, Norm<T, 1>(), x, y);
    else if (p == 2) fold(context, Norm<T, 2>(), x, y);
    else fold(context, Norm<T, 0>{{}, double(p)}, x, y);
  }
};

struct MaxPool : Pool<standard::MaxPool> {
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y, Out<int64_t> indices) const {
    if (!indices) return fold(context, LargestUnder<T>(), x, y);
    const Windows along = windows(sliding(*this), x.dims, kernel_shape);
    const int64_t image = product(x.dims, 2, x.rank()), pixels = product(y.dims, 2, y.rank());
    context.parallel(x.dims[0] * x.dims[1], 4.0 * double(pixels), [&](int64_t begin, int64_t end) {
      for (int64_t number = begin; number < end; ++number) {
        const T* from = x.data + number * image;
        each_position(along, [&](int64_t i, std::span<const int64_t> position) {
          int64_t best = -1;
          under(along, position, [&](int64_t first, int64_t step, int64_t count) {
            for (int64_t k = 0; k < count; ++k) if (const int64_t at = first + k * step; best < 0 || from[at] > from[best] || (from[at] != from[at] && from[best] == from[best])) best = at;
          });
          y[number * pixels + i] = best < 0 ? std::numeric_limits<T>::lowest() : from[best];
          indices[number * pixels + i] = number * image + (storage_order && best >= 0 ? by_column(along, best) : std::max(best, int64_t(0)));
        });
      }
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
