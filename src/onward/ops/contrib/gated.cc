// SwiGLU, GatedRMSNorm, BranchwiseRMSNorm of com.microsoft: rows scaled by a gate, normalised by their root mean square, or both.
#include <cmath>
#include "onward/ops/contrib.h"
#include "onward/ops/normalise_rows.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

template <class C> C sigmoid(C x) { return 1 / (1 + std::exp(-x)); }

// kernel<C>(the inputs in C, the output in C) for the type that the first input computes in.
template <class F> void in_computed_type(Call& call, size_t inputs, F&& kernel) {
  for_type<f32 | f64>(computed_as(call.tensor(0).type()), [&]<class C>() {
    std::vector<Tensor> in;
    for (size_t i = 0; i < inputs; ++i) in.push_back(call.has(i) ? as_type(call, call.tensor(i), type_of<C>) : Tensor());
    const Tensor &y = call.output(0), to = y.type() == type_of<C> ? y : call.scratch(type_of<C>, y.dims());
    kernel.template operator()<C>(in, to);
    store(to, y);
  });
}

// clamp(gate) * sigmoid(alpha * clamp(gate)) * (clamp(up) + beta); without `up`, the input holds the gates first and then the ups.
struct SwiGLU : contrib::SwiGLU {
  void prepare(const Preparation&) const {
    if (round_activation != 0) unsupported("round_activation");
  }
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    if (out.empty()) invalid("expected rows, found a scalar");
    if (io.has(1)) {
      if (!io.symbols && io.dims(1) != out) invalid("gate and up of shapes ", shown(out), " and ", shown(io.dims(1)));
    } else {
      if (!is_symbol(out.back()) && out.back() % 2 != 0) invalid("rows of ", out.back(), " elements have no halves");
      out.back() = io.divide(out.back(), 2);
    }
    io.output(0, out);
  }
  void run(Call& call) const {
    in_computed_type(call, 2, [&]<class C>(std::span<const Tensor> in, const Tensor& y) {
      const int64_t n = y.dims().back();
      for (int64_t i = 0; i < y.size(); ++i) {
        const int64_t at = in[1] ? i : i / n * 2 * n + i % n;
        C g = in[0].data<C>()[at], l = in[1] ? in[1].data<C>()[i] : in[0].data<C>()[at + n];
        if (limit > 0) g = std::min(g, C(limit)), l = std::clamp(l, C(-limit), C(limit));
        y.data<C>()[i] = g * sigmoid(C(activation_alpha) * g) * (l + C(activation_beta));
      }
    });
  }
};

// Rows as long as the scale, within the last axis.
struct GatedRMSNorm : contrib::GatedRMSNorm {
  void prepare(const Preparation&) const {
    if (activation != "silu" && activation != "swish" && activation != "sigmoid") invalid("activation is '", activation, "', expected silu, swish or sigmoid");
  }
  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &scale = io.dims(1);
    if (x.empty() || scale.size() != 1 || (!io.symbols && (scale[0] < 1 || x.back() % scale[0] != 0))) invalid("a scale of shape ", shown(scale), " for an input of shape ", shown(x));
    if (!io.symbols && io.dims(2) != x) invalid("a gate of shape ", shown(io.dims(2)), " for an input of shape ", shown(x));
    io.output(0, x);
  }
  void run(Call& call) const {
    in_computed_type(call, 3, [&]<class C>(std::span<const Tensor> in, const Tensor& y) {
      const int64_t n = in[1].size();
      const C *scale = in[1].data<C>(), *gate = in[2].data<C>();
      for (int64_t at = 0; at < y.size(); at += n) {
        const C* x = in[0].data<C>() + at;
        C* const to = y.data<C>() + at;
        normalise(x, to, n, moments(x, n, epsilon, false));
        for (int64_t i = 0; i < n; ++i) to[i] *= scale[i] * (activation == "sigmoid" ? sigmoid(gate[at + i]) : gate[at + i] * sigmoid(gate[at + i]));
      }
    });
  }
};

// [..., branches, width], or [..., branches * width] with num_branches; a scale for all of them or for one.
struct BranchwiseRMSNorm : contrib::BranchwiseRMSNorm {
  void prepare(const Preparation&) const {
    if (num_branches < 0) invalid("num_branches is ", num_branches);
  }
  void infer(Inference& io) const {
    const Dims& x = io.dims(0);
    if (x.size() < (num_branches ? 1u : 2u)) invalid("an input of shape ", shown(x), " has no branches");
    if (!io.symbols) {
      if (num_branches && x.back() % num_branches != 0) invalid("rows of ", x.back(), " elements in ", num_branches, " branches");
      const int64_t width = num_branches ? x.back() / num_branches : x.back(), all = num_branches ? x.back() : x.back() * x[x.size() - 2];
      const int64_t given = io.has(1) ? product(io.dims(1), 0, int64_t(io.dims(1).size())) : width;
      if (given != width && given != all) invalid("a scale of shape ", shown(io.dims(1)), " for an input of shape ", shown(x));
    }
    io.output(0, x);
  }
  void run(Call& call) const {
    in_computed_type(call, 2, [&]<class C>(std::span<const Tensor> in, const Tensor& y) {
      const int64_t n = num_branches ? y.dims().back() / num_branches : y.dims().back();
      for (int64_t at = 0; n && at < y.size(); at += n) {
        C* const to = y.data<C>() + at;
        normalise(in[0].data<C>() + at, to, n, moments(in[0].data<C>() + at, n, epsilon, false));
        if (in[1]) for (int64_t i = 0; i < n; ++i) to[i] *= in[1].data<C>()[(at + i) % in[1].size()];
      }
    });
  }
};

}  // namespace

Operators contrib_gated() {
  return {define<SwiGLU>({.tolerance = 1e-6, .examples = {"float [[0, 1]], float [[5, 1]]; activation_beta=1.0 -> float [[0, 1.4621172]]", "float [[9, 2]]; limit=1.0 -> float [[0.73105858]]"}}),
          define<GatedRMSNorm>({.tolerance = 1e-5, .examples = {"float [[3, -3, 1, 1]], float [1, 2], float [[0, 0, 0, 0]]; activation=\"sigmoid\", epsilon=0.0 -> float [[0.5, -1, 0.5, 1]]"}}),
          define<BranchwiseRMSNorm>({.tolerance = 1e-5, .examples = {"float [[3, -3], [1, 1]], float [1, 2]; epsilon=0.0 -> float [[1, -2], [1, 2]]", "float [[3, 1]]; num_branches=2, epsilon=0.0 -> float [[1, 1]]"}})};
}

}  // namespace onward::ops
