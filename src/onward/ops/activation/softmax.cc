// Softmax, LogSoftmax along one axis. Before opset 13 the input was first flattened to two dimensions at `axis`.
#include "onward/ops/activation/flattened.h"
#include "onward/ops/activation/softmax.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

// Rows of [outer, n, inner]; the largest is taken away first so that nothing overflows.
template <bool logarithm, class T> struct Body {
  [[gnu::always_inline]] static void run(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) {
    if (inner == 1) for (; outer-- > 0; x += n, y += n) line(x, y, n);
    else for (; outer-- > 0; x += n * inner, y += n * inner) columns(x, y, n, inner);
  }
  [[gnu::always_inline]] static void line(const T* x, T* y, int64_t n) {
    const T top = largest_of(x, n);
    if constexpr (logarithm) {          // y may be x: nothing is written before the last pass
      const T total = std::log(exponentials<T, false>(x, y, n, top));
      for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - top) - total;          // together they would be rounded as the largest is
    } else {
      const T scale = 1 / exponentials(x, y, n, top);
      for (int64_t i = 0; i < n; ++i) y[i] *= scale;
    }
  }
  static void columns(const T* x, T* y, int64_t n, int64_t inner) {
    std::vector<T> from(n), to(n);
    for (int64_t k = 0; k < inner; ++k) {
      for (int64_t i = 0; i < n; ++i) from[i] = x[i * inner + k];
      line(from.data(), to.data(), n);
      for (int64_t i = 0; i < n; ++i) y[i * inner + k] = to[i];
    }
  }
};

template <class Standard, bool logarithm> struct SoftmaxOver : Standard {
  void infer(Inference& io) const {
    axis_of(this->axis, int64_t(io.dims(0).size()));
    io.output(0, io.dims(0));
  }
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    const int64_t at = axis_of(this->axis, x.rank());
    const int64_t outer = product(x.dims, 0, at), n = x.dims[at], inner = product(x.dims, at + 1, x.rank());
    context.parallel(x.size ? outer : 0, 2.0 * double(n * inner), [&](int64_t begin, int64_t end) {
      simd::run<Body<logarithm, T>, T>(x.data + begin * n * inner, y.data + begin * n * inner, end - begin, n, inner);
    });
  }
};
using Softmax = SoftmaxOver<standard::Softmax, false>;
using LogSoftmax = SoftmaxOver<standard::LogSoftmax, true>;

}  // namespace

Operators activation_softmax() {
  return {
      define<Softmax, computed(Softmax::T)>({.in_place = true, .tolerance = 1e-6, .upgrades = {flattened_before_13},
                                             .examples = {"float [[0, 0], [1000, 0]] -> float [[0.5, 0.5], [1, 0]]"}}),
      define<LogSoftmax, computed(LogSoftmax::T)>({.in_place = true, .tolerance = 1e-6, .upgrades = {flattened_before_13},
                                                   .examples = {"double [0] -> double [0]", "float [1000, 990] -> float [-4.5398899e-05, -10.000045]"}}),
  };
}

}  // namespace onward::ops
