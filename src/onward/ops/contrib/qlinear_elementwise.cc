// QLinearAdd, QLinearMul, MulInteger, QLinearWhere: two tensors of 8-bit codes with their own scales become one with a third.
#include "onward/ops/broadcast.h"
#include "onward/ops/contrib.h"
#include "onward/ops/quantized.h"
#include "onward/simd/targets.h"

namespace onward::ops {
namespace {

// (sa (a - za) + sb (b - zb)) / sc + zc, with what does not depend on a and b taken together. The value is rounded with the zero point in it,
// once: so ONNX Runtime reads the formula, and so ties come out as there.
template <class T> struct Sum {
  float a_ratio, b_ratio, fixed;
  CodeRange<T> range;
  Sum(Quantization a, Quantization b, Quantization c)
      : a_ratio(a.scale / c.scale), b_ratio(b.scale / c.scale), fixed(float(c.zero) - (a_ratio * float(a.zero) + b_ratio * float(b.zero))) {}
  [[gnu::always_inline]] T operator()(T a, T b) const { return range.rounded(__builtin_fmaf(float(a), a_ratio, __builtin_fmaf(float(b), b_ratio, fixed))); }
};

// (a - za) (b - zb) sa sb / sc + zc
template <class T> struct Product {
  int32_t a_zero, b_zero;
  float ratio, c_zero;
  CodeRange<T> range;
  Product(Quantization a, Quantization b, Quantization c) : a_zero(a.zero), b_zero(b.zero), ratio(a.scale * b.scale / c.scale), c_zero(float(c.zero)) {}
  [[gnu::always_inline]] T operator()(T a, T b) const { return range.rounded(float((int32_t(a) - a_zero) * (int32_t(b) - b_zero)) * ratio + c_zero); }
};

template <class F, class T, class R> struct PairLoop {
  [[gnu::always_inline]] static void each(const F& of, R* c, int64_t n, auto&& a, auto&& b) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) c[i] = of(a(i), b(i));
  }
  [[gnu::always_inline]] static void run(const F* f, const T* a, bool a_moves, const T* b, bool b_moves, R* c, int64_t n) {
    const F of = *f;
    if (a_moves && b_moves) each(of, c, n, [=](int64_t i) { return a[i]; }, [=](int64_t i) { return b[i]; });
    else if (a_moves) each(of, c, n, [=](int64_t i) { return a[i]; }, [=, second = *b](int64_t) { return second; });
    else if (b_moves) each(of, c, n, [=, first = *a](int64_t) { return first; }, [=](int64_t i) { return b[i]; });
    else std::fill_n(c, n, of(*a, *b));
  }
};

template <class F, class T, class R> void over_pairs(const RunContext& context, const F& f, In<T> a, In<T> b, Out<R> c) {
  const std::span<const int64_t> operands[] = {a.dims, b.dims};
  const Rows walk(c.dims, operands);
  if (c.size) context.parallel(walk.count(), 0.5 * double(walk.length()), [&](int64_t begin, int64_t end) {
    walk.each(begin, end, [&](int64_t at, std::span<const int64_t> from) {
      simd::Compiled<PairLoop<F, T, R>, const F*, const T*, bool, const T*, bool, R*, int64_t>::best(
          &f, a.data + from[0], walk.advances(0), b.data + from[1], walk.advances(1), c.data + at, walk.length());
    });
  });
}

template <class Schema, template <class> class Formula> struct Pairwise : Schema {
  void infer(Inference& io) const { io.output(0, broadcast(io.dims(0), io.dims(3), io.symbols)); }
  template <class T> void run(const RunContext& context, In<T> a, In<float> a_scale, In<T> a_zero, In<T> b, In<float> b_scale, In<T> b_zero, In<float> c_scale,
                              In<T> c_zero, Out<T> c) const {
    over_pairs(context, Formula<T>(quantization(a_scale, a_zero), quantization(b_scale, b_zero), quantization(c_scale, c_zero)), a, b, c);
  }
};
using QLinearAdd = Pairwise<contrib::QLinearAdd, Sum>;
using QLinearMul = Pairwise<contrib::QLinearMul, Product>;

struct MulInteger : contrib::MulInteger {
  void infer(Inference& io) const { io.output(0, DataType::i32, broadcast(io.dims(0), io.dims(2), io.symbols)); }
  template <class T> void run(const RunContext& context, In<T> a, In<T> a_zero, In<T> b, In<T> b_zero, Out<int32_t> c) const {
    const int32_t za = a_zero ? single(a_zero, "zero point") : 0, zb = b_zero ? single(b_zero, "zero point") : 0;
    over_pairs(context, [=](T x, T y) __attribute__((always_inline)) { return (int32_t(x) - za) * (int32_t(y) - zb); }, a, b, c);
  }
};

struct QLinearWhere : contrib::QLinearWhere {
  void infer(Inference& io) const { io.output(0, broadcast(broadcast(io.dims(0), io.dims(1), io.symbols), io.dims(4), io.symbols)); }
  template <class T> void run(In<bool> condition, In<T> x, In<float> x_scale, In<T> x_zero, In<T> y, In<float> y_scale, In<T> y_zero, In<float> z_scale, In<T> z_zero, Out<T> z) const {
    const Quantization to = quantization(z_scale, z_zero), x_from = quantization(x_scale, x_zero), y_from = quantization(y_scale, y_zero);
    const CodeTable<T> of_x([&](int32_t code) { return to.code<T>(x_from.real(code)); }), of_y([&](int32_t code) { return to.code<T>(y_from.real(code)); });
    const std::span<const int64_t> operands[] = {condition.dims, x.dims, y.dims};
    const Rows walk(z.dims, operands);
    const int64_t by_condition = walk.advances(0), by_x = walk.advances(1), by_y = walk.advances(2);
    if (z.size) walk.each([&](int64_t at, std::span<const int64_t> from) {
      for (int64_t i = 0; i < walk.length(); ++i)
        z[at + i] = condition[from[0] + i * by_condition] ? of_x[x[from[1] + i * by_x]] : of_y[y[from[2] + i * by_y]];
    });
  }
};

}  // namespace

Operators contrib_qlinear_elementwise() {
  return {
      define<QLinearAdd, QLinearAdd::T>({.examples = {"uint8 [[10, 12], [0, 255]], float 0.5, uint8 10, uint8 [20, 30], float 1, uint8 20, float 0.5, uint8 100 -> uint8 [[100, 122], [90, 255]]",
                                                      "int8 [1, -128], float 1, , int8 [1], float 1, , float 2, int8 0 -> int8 [1, -64]"}}),
      define<QLinearMul, QLinearMul::T>({.examples = {"uint8 [10, 12, 14], float 0.5, uint8 10, uint8 [23], float 1, uint8 20, float 2, uint8 1 -> uint8 [1, 2, 4]"}}),
      define<MulInteger, MulInteger::T>({.examples = {"int8 [-128, 2], int8 127, int8 [-128], int8 127 -> int32 [65025, 31875]"}}),
      define<QLinearWhere, QLinearWhere::T>({.examples = {"bool [true, false], uint8 [12], float 1, uint8 10, uint8 [0, 7], float 0.5, uint8 3, float 0.5, uint8 1 -> uint8 [5, 5]"}}),
  };
}

}  // namespace onward::ops
