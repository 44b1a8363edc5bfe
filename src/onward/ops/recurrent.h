// What RNN, GRU and LSTM share: shapes, directions, activation functions, and the walk over time.
#pragma once
#include "onward/ops/operator.h"

namespace onward {

// An activation function and its parameters; `clip` bounds its argument.
struct Activation {
  enum class Kind : uint8_t { relu, tanh, sigmoid, affine, leaky_relu, thresholded_relu, scaled_tanh, hard_sigmoid, elu, softsign, softplus };
  Kind kind = Kind::tanh;
  double alpha = 0, beta = 0, clip = 0;
  // By its name in the standard; parameter(i, standard) is its i-th parameter. Throws for a name that is none.
  static Activation named(std::string_view name, FunctionRef<double(size_t i, double standard)> parameter);
  void apply(float* x, int64_t n) const;
  void apply(double* x, int64_t n) const;
};

// What the attributes of a node say; `each` activations for every direction, `gates` blocks in its weights.
struct Recurrence {
  int64_t gates = 1, each = 1, directions = 1, layout = 0;
  bool reverse = false;                                   // the first direction runs backwards
  std::vector<Activation> activations;

  template <class Standard> static Recurrence of(const Standard& op, int64_t gates, std::vector<std::string> defaults) {
    int64_t layout = 0;
    if constexpr (requires { op.layout; }) layout = op.layout;
    Recurrence r = make(op.direction, layout, op.activations, op.activation_alpha, op.activation_beta, op.clip, std::move(defaults));
    r.gates = gates;
    return r;
  }
  void infer(Inference& io, size_t states) const;

 private:
  static Recurrence make(const std::string& direction, int64_t layout, std::vector<std::string> names, const std::vector<float>& alpha, const std::vector<float>& beta, std::optional<float> clip, std::vector<std::string> defaults);
};

// One direction of one run: C is float or double.
template <class C> struct RecurrentRun {
  const Recurrence& form;
  int64_t direction, steps, batch, inputs, hidden;
  const C *w, *r, *bias;                                  // of this direction; the bias may be null
  std::vector<C> from_input;                              // [steps, batch, gates * hidden]: x w' with both biases, but those of `separate`
  std::vector<C> r_columns;                               // r', laid out for products
  std::vector<int64_t> lengths;                           // of every sequence
  const Activation& activation(int64_t i) const { return form.activations[size_t(direction * form.each + i)]; }
  bool backwards() const { return form.reverse || direction == 1; }
};

// Runs step(run, t-th input rows, state h, batch entries still running) for every direction and time, and stores what it leaves in h.
// `states` of [batch, hidden] each are the node's inputs from 5 on; their last values are its outputs from 1 on.
template <class C> using RecurrentStep = FunctionRef<void(const RecurrentRun<C>& run, const C* gates, std::span<std::vector<C>> states)>;
template <class C> void recur(Call& call, const Recurrence& form, size_t states, int64_t separate_gates, RecurrentStep<C> step);

// The step of an LSTM: `x` and `by_r` are what input and hidden state add to the gates i, o, f, c; states are h and c.
template <class C> void lstm_step(const RecurrentRun<C>& run, const C* x, const C* by_r, const C* peephole, bool coupled, std::span<std::vector<C>> states);

// h r' of every gate: [batch, gates * hidden].
template <class C> std::vector<C> times_r(const RecurrentRun<C>& run, const std::vector<C>& h);

}  // namespace onward
