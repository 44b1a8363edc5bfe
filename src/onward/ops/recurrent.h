// What RNN, GRU and LSTM share: shapes, directions, activation functions, and the walk over time.
#pragma once
#include "onward/ops/matrix_product.h"
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

// The weights of every direction, laid out for products: w' and r', the latter in two parts where the last gate's comes after the others.
template <class C> struct RecurrentWeights {
  struct Direction { PackedMatrix<C> w, r, r_last; };
  int64_t inputs = 0, hidden = 0;
  std::vector<Direction> directions;
};

// What the attributes of a node say; `each` activations for every direction, `gates` blocks in its weights.
struct Recurrence {
  int64_t gates = 1, each = 1, directions = 1, layout = 0;
  int64_t separate = 0;                                   // gates whose bias of r is not added to the input, and whose part of r stands apart
  bool reverse = false;                                   // the first direction runs backwards
  std::vector<Activation> activations;

  std::shared_ptr<const RecurrentWeights<float>> single;  // constant weights
  std::shared_ptr<const RecurrentWeights<double>> twice;

  template <class Standard> static Recurrence of(const Standard& op, int64_t gates, std::vector<std::string> defaults, int64_t separate = 0) {
    int64_t layout = 0;
    if constexpr (requires { op.layout; }) layout = op.layout;
    Recurrence r = make(op.direction, layout, op.activations, op.activation_alpha, op.activation_beta, op.clip, std::move(defaults));
    r.gates = gates, r.separate = separate;
    return r;
  }
  void infer(Inference& io, size_t states) const;
  // W [directions, gates * hidden, inputs] and R [directions, gates * hidden, hidden], where they are constants of one of these types.
  void keep(const Tensor* w, const Tensor* r);

 private:
  static Recurrence make(const std::string& direction, int64_t layout, std::vector<std::string> names, const std::vector<float>& alpha, const std::vector<float>& beta, std::optional<float> clip, std::vector<std::string> defaults);
};

// One direction of one run: C is float or double.
template <class C> struct RecurrentRun {
  const Recurrence& form;
  const typename RecurrentWeights<C>::Direction& weights;
  int64_t direction, steps, batch, hidden;
  const C* bias;                                          // of this direction; may be null
  std::vector<int64_t> lengths;                           // of every sequence
  std::vector<C> by_r, work;                              // room for a step
  const Activation& activation(int64_t i) const { return form.activations[size_t(direction * form.each + i)]; }
  bool backwards() const { return form.reverse || direction == 1; }
  int64_t width() const { return form.gates * hidden; }
};

// Runs step(run, t-th input rows by w' with the biases, states) for every direction and time, and stores what it leaves in h. The rows
// [batch, gates * hidden] are the step's to change. `states` of [batch, hidden] each are the node's inputs from 5 on; their last values
// are its outputs from 1 on.
template <class C> using RecurrentStep = FunctionRef<void(RecurrentRun<C>& run, C* gates, std::span<std::vector<C>> states)>;
// The products with w' are made for all times at once; an operator whose weights are codes makes them itself: to = x by w' + bias, for
// `rows` rows.
template <class C> using InputProduct = FunctionRef<void(int64_t direction, const C* x, int64_t rows, std::span<const C> bias, C* to)>;
template <class C> void recur(Call& call, const Recurrence& form, size_t states, RecurrentStep<C> step, const InputProduct<C>* input = nullptr);

// The step of an LSTM: `gates` holds what the input adds to the gates i, o, f, c, and run.by_r what the hidden state adds; states: h, c.
template <class C> void lstm_step(RecurrentRun<C>& run, C* gates, const C* peephole, bool coupled, std::span<std::vector<C>> states);

// to[i] += from[i]
template <class C> void add_to(C* to, const C* from, int64_t n);

}  // namespace onward
