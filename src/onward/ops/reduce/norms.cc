// ReduceL1, ReduceL2, ReduceSumSquare, ReduceLogSum, ReduceLogSumExp. The last takes the largest away first, so that no exponential
// overflows. Logarithms of integers, which opsets below 28 allow, are cut to integers.
#include <cmath>
#include <limits>
#include "onward/ops/fold_lines.h"
#include "onward/ops/reduction.h"
#include "onward/ops/wrapping.h"

namespace onward::ops {
namespace {

struct SquareFold {
  template <class T> static constexpr T start() { return 0; }
  template <class T> static T step(T total, T x) { return sum(total, times(x, x)); }
  template <class T> static T join(T a, T b) { return sum(a, b); }
  template <class T> static T finish(T total, int64_t) { return total; }
};
struct L2Fold : SquareFold {
  template <class T> static T finish(T sum, int64_t) {
    if constexpr (std::is_floating_point_v<T>) return std::sqrt(sum);
    else return T(std::sqrt(double(sum)));
  }
};
struct L1Fold : SquareFold {
  template <class T> static T step(T total, T x) {
    if constexpr (std::is_integral_v<T>) return sum(total, x < 0 ? negative(x) : x);
    else return total + std::fabs(x);
  }
};

template <class Standard, bool exponential> struct LogSum : Standard {
  Reduced shape(std::span<const int64_t> dims, const Dims& axes) const {
    if (axes.empty() && this->noop_with_empty_axes) return {{dims.begin(), dims.end()}, {}};
    return reduced(dims, axes, this->keepdims != 0);
  }
  void infer(Inference& io) const {
    const auto axes = io.has(1) ? io.values(1) : Dims{};
    io.output(0, axes ? shape(io.dims(0), *axes).out : reduced_somewhere(io, this->keepdims != 0));
  }
  template <class T> void run(const RunContext& context, In<T> x, Integers axes, Out<T> y) const {
    Reduced r = shape(x.dims, axes);
    if (axes.empty() && this->noop_with_empty_axes) r.outer = x.size;      // every element on its own
    Tensor moved;
    const T* from = x.data;
    if (!r.perm.empty()) moved = transposed(Tensor::view(type_of<T>, x.dims, x.data), r.perm), from = moved.data<T>();
    context.parallel(r.outer * r.inner, 10.0 * double(r.n), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = of(from + i / r.inner * r.n * r.inner + i % r.inner, r.n, r.inner);
    });
  }
  LaneStep side_by_side(const LaneSite& site) const {
    LaneStep step;
    if (const auto r = reduced_side_by_side(site)) for_type<f32 | f64>(site.output.type, [&]<class T>() {
      step = [r = *r, from = site.inputs[0].at, to = site.output.at, lanes = site.lanes](char* block) {
        const T* x = reinterpret_cast<const T*>(block + from);
        T* y = reinterpret_cast<T*>(block + to);
        const int64_t lines = r.inner * lanes;
        for (int64_t row = 0; row < r.outer; ++row) for (int64_t i = 0; i < lines; ++i) y[row * lines + i] = of(x + row * r.n * lines + i, r.n, lines);
      };
    });
    return step;
  }

 private:
  template <class T> static T of(const T* x, int64_t n, int64_t step) {
    double top = exponential ? -INFINITY : 0, sum = 0;
    for (int64_t i = 0; exponential && i < n; ++i) if (const auto v = double(x[i * step]); v > top || v != v) top = v;
    if (!std::isfinite(top)) return cut<T>(top);
    for (int64_t i = 0; i < n; ++i) sum += exponential ? std::exp(double(x[i * step]) - top) : double(x[i * step]);
    return cut<T>(top + std::log(sum));
  }
  template <class T> static T cut(double v) {
    if constexpr (std::is_integral_v<T>) return v >= double(std::numeric_limits<T>::lowest()) && v < double(std::numeric_limits<T>::max()) ? T(v) : std::numeric_limits<T>::lowest();
    else return T(v);
  }
};
constexpr Constraint with_integers{standard::ReduceSum::T.types, 0};

template <class Standard, class Fold> Operator reduction(OperatorFacts facts) {
  return define<Reduction<Standard, Fold>, computed(Standard::T)>(std::move(facts));
}

}  // namespace

Operators reduce_norms() {
  return {
      reduction<standard::ReduceSumSquare, SquareFold>({.tolerance = 1e-6, .examples = {"int32 [[1, 2], [3, 4]], int64 [0]; keepdims=0 -> int32 [10, 20]"}}),
      reduction<standard::ReduceL2, L2Fold>({.tolerance = 1e-6, .examples = {"float [3, -4] -> float [5]", "int64 [1, 1] -> int64 [1]"}}),
      reduction<standard::ReduceL1, L1Fold>({.tolerance = 1e-6, .examples = {"float [[3, -4]], int64 [1] -> float [[7]]"}}),
      define<LogSum<standard::ReduceLogSum, false>, computed(with_integers)>({.tolerance = 1e-6, .examples = {"float [[1, 0]], int64 [1]; keepdims=0 -> float [0]", "int32 [20] -> int32 [2]"}}),
      define<LogSum<standard::ReduceLogSumExp, true>, computed(with_integers)>({.tolerance = 1e-6, .examples = {"float [1000, 1000] -> float [1000.6931]", "double [-inf] -> double [-inf]"}}),
  };
}

LaneForms norm_lanes() {
  return {{"ReduceSumSquare", fold_form<SquareFold>}, {"ReduceL2", fold_form<L2Fold>}, {"ReduceL1", fold_form<L1Fold>}, {"ReduceLogSumExp", member_form<LogSum<standard::ReduceLogSumExp, true>>}};
}

}  // namespace onward::ops
