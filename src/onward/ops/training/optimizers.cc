// Adagrad, Adam, Momentum: one step of training. Tensors come in groups: all values, then all gradients, then all states.
#include <cmath>
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// groups: how many tensors belong to one optimised value; outputs are all of them but its gradient.
template <class Standard, size_t groups> struct Optimizer : Standard {
  void prepare(const Preparation& at) const {
    const size_t given = at.node.inputs.size();
    if (given < 2 + groups || (given - 2) % groups != 0) invalid("has ", given, " inputs, expected R, T and ", groups, " tensors for every value");
    if (at.node.outputs.size() > (given - 2) / groups * (groups - 1)) invalid("has ", at.node.outputs.size(), " outputs for ", given, " inputs");
    if constexpr (requires { this->mode; }) if (this->mode != "standard" && this->mode != "nesterov") invalid("mode is '", this->mode, "', expected standard or nesterov");
  }
  void infer(Inference& io) const {
    const size_t n = (io.inputs.size() - 2) / groups;
    for (size_t k = 0; k < io.outputs.size(); ++k) {
      const size_t group = k / n == 0 ? 0 : k / n + 1, input = 2 + group * n + k % n;
      if (!io.symbols && io.dims(input) != io.dims(2 + k % n)) invalid("tensors of shapes ", shown(io.dims(input)), " and ", shown(io.dims(2 + k % n)), " do not go together");
      io.output(k, io.inputs[input].type, io.dims(input));
    }
  }
  void run(Call& call) const {
    const double rate = single(call.tensor(0)), updates = single(call.tensor(1));
    const size_t n = (call.inputs.size() - 2) / groups;
    for (size_t i = 0; i < n; ++i) {
      std::vector<double> part[groups];
      for (size_t g = 0; g < groups; ++g) {
        part[g] = as_doubles(call.tensor(2 + g * n + i));
        if (part[g].size() != part[0].size()) invalid("tensors of ", part[0].size(), " and ", part[g].size(), " elements do not go together");
      }
      step(part, rate, updates);
      for (size_t g = 0; g < groups; ++g) {
        const size_t k = (g < 2 ? g : g - 1) * n + i;
        if (g != 1 && call.wants(k) && call.outputs[k].tensor()) store(Tensor::view(DataType::f64, call.output(k).dims(), part[g].data()), call.output(k));
      }
    }
  }

 private:
  static double single(const Tensor& t) {
    if (t.size() != 1) invalid("R and T are ", shown(t), ", expected one number");
    return as_doubles(t)[0];
  }
  void step(std::vector<double>* part, double rate, double updates) const;
};

using Adagrad = Optimizer<standard::Adagrad, 3>;
using Adam = Optimizer<standard::Adam, 4>;
using Momentum = Optimizer<standard::Momentum, 3>;

template <> void Adagrad::step(std::vector<double>* part, double rate, double updates) const {
  auto &x = part[0], &g = part[1], &h = part[2];
  const double r = rate / (1 + updates * decay_factor);
  for (size_t i = 0; i < x.size(); ++i) {
    const double gradient = norm_coefficient * x[i] + g[i];
    h[i] += gradient * gradient;
    x[i] -= r * gradient / (std::sqrt(h[i]) + epsilon);
  }
}

template <> void Adam::step(std::vector<double>* part, double rate, double updates) const {
  auto &x = part[0], &g = part[1], &v = part[2], &h = part[3];
  const double a = alpha, b = beta, r = updates > 0 ? rate * std::sqrt(1 - std::pow(b, updates)) / (1 - std::pow(a, updates)) : rate;
  for (size_t i = 0; i < x.size(); ++i) {
    const double gradient = norm_coefficient * x[i] + g[i];
    v[i] = a * v[i] + (1 - a) * gradient;
    h[i] = b * h[i] + (1 - b) * gradient * gradient;
    x[i] = (1 - norm_coefficient_post) * (x[i] - r * v[i] / (std::sqrt(h[i]) + epsilon));
  }
}

template <> void Momentum::step(std::vector<double>* part, double rate, double updates) const {
  auto &x = part[0], &g = part[1], &v = part[2];
  const double current = updates > 0 ? beta : 1;          // the first gradient counts in full
  for (size_t i = 0; i < x.size(); ++i) {
    const double gradient = norm_coefficient * x[i] + g[i];
    v[i] = alpha * v[i] + current * gradient;
    x[i] -= rate * (mode == "nesterov" ? gradient + alpha * v[i] : v[i]);
  }
}

}  // namespace

Operators training_optimizers() {
  return {define<Adagrad>({.examples = {"float 1, int64 0, float [1], float [2], float [0]; epsilon=0.0 -> float [0], float [4]"}}),
          define<Adam>({.tolerance = 1e-6, .examples = {"float 1, int64 0, float [1], float [2], float [0], float [0]; alpha=0.5, beta=0.75, epsilon=0.0 -> float [0], float [1], float [1]"}}),
          define<Momentum>({.examples = {"float 1, int64 1, float [1], float [2], float [4]; alpha=0.5, beta=1.0, mode=\"standard\", norm_coefficient=0.0 -> float [-3], float [4]"}})};
}

}  // namespace onward::ops
