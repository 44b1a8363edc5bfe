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
  void prepare(const Preparation& at) { form = Recurrence::of(*this, 1, {"Tanh"}), form.keep(at.input(1), at.input(2)); }
  void infer(Inference& io) const { form.infer(io, 1); }
  void run(Call& call) const { in_its_type(*this, call); }

  template <class C> void recurrent(Call& call) const {
    recur<C>(call, form, 1, [](RecurrentRun<C>& run, C* x, std::span<std::vector<C>> states) {
      std::vector<C>& h = states[0];
      run.weights.r.product(h.data(), run.by_r.data(), run.batch);
      std::copy_n(x, h.size(), h.data());
      add_to(h.data(), run.by_r.data(), int64_t(h.size()));
      run.activation(0).apply(h.data(), int64_t(h.size()));
    });
  }
};

struct GRU : standard::GRU {
  Recurrence form;
  void prepare(const Preparation& at) { form = Recurrence::of(*this, 3, {"Sigmoid", "Tanh"}, 1), form.keep(at.input(1), at.input(2)); }
  void infer(Inference& io) const { form.infer(io, 1); }
  void run(Call& call) const { in_its_type(*this, call); }

  template <class C> void recurrent(Call& call) const {
    const bool before = linear_before_reset != 0;
    recur<C>(call, form, 1, [before](RecurrentRun<C>& run, C* x, std::span<std::vector<C>> states) {
      const int64_t n = run.hidden, width = 3 * n;
      C *h = states[0].data(), *by_r = run.by_r.data();      // of z and the reset gate: [batch, 2 n]
      const C* r_bias = run.bias ? run.bias + width + 2 * n : nullptr;       // of the hidden gate
      run.work.resize(size_t(2 * run.batch * n));
      C *reset_h = run.work.data(), *linear = reset_h + run.batch * n;
      run.weights.r.product(h, by_r, run.batch);
      for (int64_t b = 0; b < run.batch; ++b) {
        C *z = x + b * width, *reset = z + n;
        add_to(z, by_r + b * 2 * n, 2 * n);
        run.activation(0).apply(z, 2 * n);
        for (int64_t i = 0; i < n; ++i) reset_h[b * n + i] = reset[i] * h[b * n + i];
      }
      run.weights.r_last.product(before ? h : reset_h, linear, run.batch);
      for (int64_t b = 0; b < run.batch; ++b) {
        C *z = x + b * width, *reset = z + n, *candidate = reset + n, *by_h = linear + b * n, *own = h + b * n;
        if (r_bias) add_to(by_h, r_bias, n);
        if (before) for (int64_t i = 0; i < n; ++i) by_h[i] *= reset[i];
        add_to(candidate, by_h, n);
        run.activation(1).apply(candidate, n);
        for (int64_t i = 0; i < n; ++i) own[i] = (1 - z[i]) * candidate[i] + z[i] * own[i];
      }
    });
  }
};

struct LSTM : standard::LSTM {
  Recurrence form;
  void prepare(const Preparation& at) { form = Recurrence::of(*this, 4, {"Sigmoid", "Tanh", "Tanh"}), form.keep(at.input(1), at.input(2)); }
  void infer(Inference& io) const {
    form.infer(io, 2);
    if (!io.symbols && io.has(7) && io.dims(7) != Dims{form.directions, 3 * io.dims(2)[2]}) invalid("peephole weights of shape ", shown(io.dims(7)));
  }
  void run(Call& call) const { in_its_type(*this, call); }

  template <class C> void recurrent(Call& call) const {
    const Tensor peepholes = call.has(7) ? as_type(call, call.tensor(7), type_of<C>) : Tensor();
    const bool coupled = input_forget != 0;
    recur<C>(call, form, 2, [&](RecurrentRun<C>& run, C* x, std::span<std::vector<C>> states) {
      run.weights.r.product(states[0].data(), run.by_r.data(), run.batch);
      lstm_step(run, x, peepholes ? peepholes.data<C>() + run.direction * 3 * run.hidden : nullptr, coupled, states);
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
