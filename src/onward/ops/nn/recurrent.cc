// RNN, GRU, LSTM: one step each; what they share is in ops/recurrent.
#include "onward/ops/recurrent.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

template <class Op> void in_its_type(const Op& op, Call& call) {
  if (call.tensor(0).type() == DataType::f64) op.template recurrent<double>(call);
  else op.template recurrent<float>(call);
}

struct RNN : standard::RNN {
  Recurrence form;
  void prepare(const Preparation&) { form = Recurrence::of(*this, 1, {"Tanh"}); }
  void infer(Inference& io) const { form.infer(io, 1); }
  void run(Call& call) const { in_its_type(*this, call); }

  template <class C> void recurrent(Call& call) const {
    recur<C>(call, form, 1, 0, [](const RecurrentRun<C>& run, const C* x, std::span<std::vector<C>> states) {
      const auto h = times_r(run, states[0]);
      for (size_t i = 0; i < h.size(); ++i) states[0][i] = x[i] + h[i];
      run.activation(0).apply(states[0].data(), int64_t(h.size()));
    });
  }
};

struct GRU : standard::GRU {
  Recurrence form;
  void prepare(const Preparation&) { form = Recurrence::of(*this, 3, {"Sigmoid", "Tanh"}); }
  void infer(Inference& io) const { form.infer(io, 1); }
  void run(Call& call) const { in_its_type(*this, call); }

  template <class C> void recurrent(Call& call) const {
    const bool before = linear_before_reset != 0;
    recur<C>(call, form, 1, 1, [before](const RecurrentRun<C>& run, const C* x, std::span<std::vector<C>> states) {
      const int64_t n = run.hidden, width = 3 * n;
      std::vector<C>& h = states[0];
      const auto by_r = times_r(run, h);
      const C* r_bias = run.bias ? run.bias + width + 2 * n : nullptr;       // of the hidden gate
      std::vector<C> z(h.size()), reset(h.size()), candidate(h.size()), reset_h(h.size());
      for (int64_t b = 0; b < run.batch; ++b)
        for (int64_t i = 0; i < n; ++i) {
          z[size_t(b * n + i)] = x[b * width + i] + by_r[size_t(b * width + i)];
          reset[size_t(b * n + i)] = x[b * width + n + i] + by_r[size_t(b * width + n + i)];
        }
      run.activation(0).apply(z.data(), int64_t(z.size())), run.activation(0).apply(reset.data(), int64_t(reset.size()));
      for (size_t i = 0; i < h.size(); ++i) reset_h[i] = reset[i] * h[i];
      const auto by_reset = before ? by_r : times_r(run, reset_h);
      for (int64_t b = 0; b < run.batch; ++b)
        for (int64_t i = 0; i < n; ++i) {
          const auto at = size_t(b * n + i);
          const C linear = by_reset[size_t(b * width + 2 * n + i)] + (r_bias ? r_bias[i] : C(0));
          candidate[at] = x[b * width + 2 * n + i] + (before ? reset[at] * linear : linear);
        }
      run.activation(1).apply(candidate.data(), int64_t(candidate.size()));
      for (size_t i = 0; i < h.size(); ++i) h[i] = (1 - z[i]) * candidate[i] + z[i] * h[i];
    });
  }
};

struct LSTM : standard::LSTM {
  Recurrence form;
  void prepare(const Preparation&) { form = Recurrence::of(*this, 4, {"Sigmoid", "Tanh", "Tanh"}); }
  void infer(Inference& io) const {
    form.infer(io, 2);
    if (!io.symbols && io.has(7) && io.dims(7) != Dims{form.directions, 3 * io.dims(2)[2]}) invalid("peephole weights of shape ", shown(io.dims(7)));
  }
  void run(Call& call) const { in_its_type(*this, call); }

  template <class C> void recurrent(Call& call) const {
    const Tensor peepholes = call.has(7) ? as_type(call, call.tensor(7), type_of<C>) : Tensor();
    const bool coupled = input_forget != 0;
    recur<C>(call, form, 2, 0, [&](const RecurrentRun<C>& run, const C* x, std::span<std::vector<C>> states) {
      const C* peephole = peepholes ? peepholes.data<C>() + run.direction * 3 * run.hidden : nullptr;
      lstm_step(run, x, times_r(run, states[0]).data(), peephole, coupled, states);
    });
  }
};

}  // namespace

Operators nn_recurrent() {
  return {
      define<RNN>({.tolerance = 1e-5, .examples = {"float [[[1]], [[1]]], float [[[2]]], float [[[3]]]; activations=[\"Relu\"] -> float [[[[2]]], [[[8]]]], float [[[8]]]"}}),
      define<GRU>({.tolerance = 1e-5, .examples = {"float [[[0]]], float [[[1], [1], [1]]], float [[[1], [1], [1]]], , int32 [0], float [[[5]]] -> float [[[[0]]]], float [[[5]]]"}}),
      define<LSTM>({.tolerance = 1e-5, .examples = {"float [[[0]]], float [[[1], [1], [1], [1]]], float [[[1], [1], [1], [1]]] -> float [[[[0]]]], float [[[0]]], float [[[0]]]"}}),
  };
}

}  // namespace onward::ops
