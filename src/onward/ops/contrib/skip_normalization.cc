// SkipLayerNormalization, SkipSimplifiedLayerNormalization: two inputs and a bias added, then rows normalised, scaled and shifted; the
// simplified one takes no mean away. SimplifiedLayerNormalization is its end alone; ONNX Runtime writes it into the standard's domain.
#include "onward/ops/contrib.h"
#include "onward/ops/normalise_rows.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// What is added before, and what the rows are scaled and shifted by; any of them may be missing.
struct Operands { size_t skip = 0, gamma, beta = 0, bias = 0; };     // places of the inputs, 0 for none
struct Results { size_t mean = 0, inverse = 0, sum = 0; };           // places of the outputs, 0 for none

void check_vector(Inference& io, size_t i, int64_t width) {
  if (i == 0 || !io.has(i) || !io.inputs[i].dims || io.symbols) return;
  if (io.dims(i) != Dims{width}) invalid("input ", i, " has shape ", shown(io.dims(i)), ", expected [", width, "]");
}

void infer_skip(Inference& io, const Operands& in, const Results& out) {
  const Dims& x = io.dims(0);
  if (x.empty()) invalid("expected rows, found a scalar");
  if (in.skip && !io.symbols) {
    Dims skip = io.dims(in.skip);
    while (skip.size() > 1 && skip[0] == 1 && skip.size() >= x.size()) skip.erase(skip.begin());      // (1, steps, width) as (steps, width)
    if (skip != x && !(skip.size() < x.size() && std::equal(skip.begin(), skip.end(), x.end() - std::ptrdiff_t(skip.size())))) invalid("a skip of shape ", shown(io.dims(in.skip)), " for an input of shape ", shown(x));
  }
  for (size_t i : {in.gamma, in.beta, in.bias}) check_vector(io, i, x.back());
  Dims rows = x;
  rows.back() = 1;
  io.output(0, x);
  for (size_t k : {out.mean, out.inverse}) if (k) io.output(k, DataType::f32, rows);
  if (out.sum) io.output(out.sum, io.type(0), x);
}

template <class C> struct AddBody {
  [[gnu::always_inline]] static void run(const C* a, const C* b, C* to, int64_t n) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) to[i] = a[i] + b[i];
  }
};
template <class C> void add(const C* a, const C* b, C* to, int64_t n) { simd::run<AddBody<C>, C>(a, b, to, n); }

template <class C> void normalise_sum(Call& call, const Operands& in, const Results& out, double epsilon, bool centred) {
  const auto operand = [&](size_t i) { return i && call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor(); };
  const auto wanted = [&](size_t k) { return k && call.wants(k) ? call.outputs[k].tensor() : nullptr; };
  const Tensor x = as_type(call, call.tensor(0), type_of<C>), skip = operand(in.skip), gamma = operand(in.gamma), beta = operand(in.beta), bias = operand(in.bias);
  const Tensor &y = call.output(0), to = y.type() == type_of<C> ? y : call.scratch(type_of<C>, y.dims());
  const int64_t n = x.dims().back(), rows = n ? x.size() / n : 0;
  const Tensor sum = skip || bias ? call.scratch(type_of<C>, x.dims()) : x;
  std::vector<double> mean(static_cast<size_t>(rows)), inverse(mean);
  call.context.parallel(rows, 4.0 * double(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      C* const s = sum.data<C>() + row * n;
      const C* from = x.data<C>() + row * n;
      if (skip) add(from, skip.data<C>() + row * n % skip.size(), s, n), from = s;
      if (bias) add(from, bias.data<C>(), s, n);
      const Moments m = moments(s, n, epsilon, centred);
      normalise(s, to.data<C>() + row * n, n, m, gamma.data<C>(), beta ? beta.data<C>() : nullptr);
      mean[size_t(row)] = m.mean, inverse[size_t(row)] = m.inverse;
    }
  });
  store(to, y);
  if (const Tensor* t = wanted(out.sum)) store(sum, *t);
  if (const Tensor* t = wanted(out.mean)) std::copy(mean.begin(), mean.end(), t->data<float>());
  if (const Tensor* t = wanted(out.inverse)) std::copy(inverse.begin(), inverse.end(), t->data<float>());
}

void run_skip(Call& call, const Operands& in, const Results& out, double epsilon, bool centred) {
  if (call.tensor(0).type() == DataType::f64) normalise_sum<double>(call, in, out, epsilon, centred);
  else normalise_sum<float>(call, in, out, epsilon, centred);
}

struct SkipLayerNormalization : contrib::SkipLayerNormalization {
  static constexpr Operands in{1, 2, 3, 4};
  static constexpr Results out{1, 2, 3};
  void infer(Inference& io) const { infer_skip(io, in, out); }
  void run(Call& call) const { run_skip(call, in, out, epsilon, true); }
};

struct SkipSimplifiedLayerNormalization : contrib::SkipSimplifiedLayerNormalization {
  static constexpr Operands in{1, 2, 0, 3};
  static constexpr Results out{1, 2, 3};
  void infer(Inference& io) const { infer_skip(io, in, out); }
  void run(Call& call) const { run_skip(call, in, out, epsilon, false); }
};

// Rows are all axes from `axis` on; the input becomes [outer, rows] and then has its shape again.
struct SimplifiedLayerNormalization : contrib::SimplifiedLayerNormalization {
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    const int64_t at = axis_of(axis, int64_t(x.size()));
    if (!io.symbols && io.dims(1) != Dims(x.begin() + at, x.end())) invalid("a scale of shape ", shown(io.dims(1)), " for the axes from ", at, " of ", shown(x));
    Dims rows = x;
    std::fill(rows.begin() + at, rows.end(), 1);
    io.output(0, io.type(1), x), io.output(1, DataType::f32, rows);
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const int64_t at = axis_of(axis, x.rank()), n = product(x.dims(), at, x.rank());
    const Value flat[] = {x.reshaped({product(x.dims(), 0, at), n}), call.tensor(1).reshaped({n})};
    const Value* const inputs[] = {&flat[0], &flat[1]};
    Call rows{inputs, call.outputs, call.context, call.scope};
    run_skip(rows, {0, 1}, {0, 1, 0}, epsilon, false);
  }
};

}  // namespace

Operators contrib_skip_normalization() {
  return {define<SkipLayerNormalization>({.tolerance = 1e-5, .examples = {
              "float [[0, 1]], float [[1, 2]], float [2, 2], float [1, 1]; epsilon=0.0 -> float [[-1, 3]], float [[2]], float [[1]], float [[1, 3]]",
              "float [[[0, 1]], [[2, 5]]], float [[[1, 2]]], float [1, 1], , float [0, 1]; epsilon=0.0 -> float [[[-1, 1]], [[-1, 1]]]"}}),
          define<SkipSimplifiedLayerNormalization>({.tolerance = 1e-5, .examples = {"float [[1, -1]], float [[2, -2]], float [1, 2]; epsilon=0.0 -> float [[1, -2]]"}}),
          define<SimplifiedLayerNormalization>({.tolerance = 1e-5, .examples = {"float [[4, -4]], float [1, 2]; epsilon=0.0 -> float [[1, -2]], float [[0.25]]"}})};
}

}  // namespace onward::ops
