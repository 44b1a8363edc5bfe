// MeanVarianceNormalization: the elements along some axes brought to mean 0 and variance 1. Sums are in double and run over the
// deviations from the mean; the standard's own formula, E[x^2] - E[x]^2, loses more digits the larger the mean is.
#include "onward/ops/normalise_rows.h"
#include "onward/ops/transpose.h"

namespace onward::ops {
namespace {

// Groups of `outer` runs of `n` neighbours each, `pitch` apart.
struct Groups { int64_t groups, outer, n, pitch; };

template <class T> struct DeviationSum {
  [[gnu::always_inline]] static void run(const T* x, int64_t n, double mean, bool squared, double* sum) {
    using Sum = FoldBody<TotalFold, double>;
    *sum += squared ? Sum::line(n, [=](int64_t i) __attribute__((always_inline)) { return (double(x[i]) - mean) * (double(x[i]) - mean); })
                    : Sum::line(n, [=](int64_t i) __attribute__((always_inline)) { return double(x[i]); });
  }
};

template <class T> void normalise_groups(const RunContext& context, const T* x, T* y, const Groups& g) {
  context.parallel(g.groups, 3.0 * double(g.outer * g.n), [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      const double n = double(g.outer * g.n);
      double sums[2] = {};
      for (int pass = 0; pass < 2; ++pass)
        for (int64_t o = 0; o < g.outer; ++o) simd::run<DeviationSum<T>, T>(x + group * g.n + o * g.pitch, g.n, sums[0] / n, pass == 1, &sums[pass]);
      const Moments m{sums[0] / n, 1 / (std::sqrt(sums[1] / n) + double(1e-9f))};
      for (int64_t o = 0; o < g.outer; ++o) normalise(x + group * g.n + o * g.pitch, y + group * g.n + o * g.pitch, g.n, m);
    }
  });
}

struct MeanVarianceNormalization : standard::MeanVarianceNormalization {
  void infer(Inference& io) const {
    for (int64_t a : axes) axis_of(a, int64_t(io.dims(0).size()));
    io.output(0, io.dims(0));
  }
  template <class T> void run(const RunContext& context, In<T> x, Out<T> y) const {
    if (x.size == 0) return;
    const int64_t rank = x.rank();
    std::vector<bool> along(size_t(rank), axes.empty());  // the sums; no axes mean all of them
    for (int64_t a : axes) along[size_t(axis_of(a, rank))] = true;
    // The kept axes between those that are summed over: so it is for channels in front.
    int64_t first = 0, last = rank;
    while (first < rank && along[size_t(first)]) ++first;
    if (first == rank) first = last = 0;                  // all of them are one run
    while (last > first && along[size_t(last - 1)]) --last;
    const int64_t outer = product(x.dims, 0, first), groups = product(x.dims, first, last), n = product(x.dims, last, rank);
    if (std::find(along.begin() + first, along.begin() + last, true) == along.begin() + last && (n > 1 || outer == 1)) return normalise_groups(context, x.data, y.data, Groups{groups, outer, n, groups * n});
    Dims perm, back(size_t(rank), 0);
    for (bool summed : {false, true}) for (int64_t i = 0; i < rank; ++i) if (along[size_t(i)] == summed) back[size_t(i)] = int64_t(perm.size()), perm.push_back(i);
    Tensor moved = transposed(Tensor::view(type_of<T>, x.dims, x.data), perm), out = Tensor::view(type_of<T>, y.dims, y.data);
    int64_t each = 1;
    for (int64_t i = 0; i < rank; ++i) if (along[size_t(i)]) each *= x.dims[size_t(i)];
    normalise_groups(context, moved.data<T>(), moved.data<T>(), Groups{x.size / each, 1, each, 0});
    transpose(moved, back, out);
  }
};

}  // namespace

Operators nn_mean_variance_normalization() {
  return {define<MeanVarianceNormalization, computed(MeanVarianceNormalization::T)>({.tolerance = 1e-6, .examples = {
      "float [[[[1, 3]], [[2, 6]]]] -> float [[[[-1, 1]], [[-1, 1]]]]", "float [[1, 2], [3, 6]]; axes=[0] -> float [[-1, -1], [1, 1]]",
      "float [[1, 2], [3, 6]]; axes=[1] -> float [[-1, 1], [-1, 1]]"}})};
}

}  // namespace onward::ops
