#include "onward/ops/recurrent.h"

#include <cmath>

#include "onward/ops/matrix_product.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward {
namespace {

using Kind = Activation::Kind;
struct Row { std::string_view name; Kind kind; double alpha, beta; bool has_alpha, has_beta; };
constexpr Row table[] = {
    {"Relu", Kind::relu, 0, 0, false, false}, {"Tanh", Kind::tanh, 0, 0, false, false}, {"Sigmoid", Kind::sigmoid, 0, 0, false, false},
    {"Affine", Kind::affine, 1, 0, true, true}, {"LeakyRelu", Kind::leaky_relu, 0.01, 0, true, false},
    {"ThresholdedRelu", Kind::thresholded_relu, 1, 0, true, false}, {"ScaledTanh", Kind::scaled_tanh, 1, 1, true, true},
    {"HardSigmoid", Kind::hard_sigmoid, 0.2, 0.5, true, true}, {"Elu", Kind::elu, 1, 0, true, false},
    {"Softsign", Kind::softsign, 0, 0, false, false}, {"Softplus", Kind::softplus, 0, 0, false, false}};

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

template <class C> C value(const Activation& f, C x) {
  const C alpha = C(f.alpha), beta = C(f.beta);
  switch (f.kind) {
    case Kind::relu: return x < 0 ? C(0) : x;
    case Kind::tanh: return std::tanh(x);
    case Kind::sigmoid: return 1 / (1 + std::exp(-x));
    case Kind::affine: return alpha * x + beta;
    case Kind::leaky_relu: return x < 0 ? alpha * x : x;
    case Kind::thresholded_relu: return x < alpha ? C(0) : x;
    case Kind::scaled_tanh: return alpha * std::tanh(beta * x);
    case Kind::hard_sigmoid: return std::min(std::max(alpha * x + beta, C(0)), C(1));
    case Kind::elu: return x < 0 ? alpha * std::expm1(x) : x;
    case Kind::softsign: return x / (1 + std::fabs(x));
    default: return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  }
}

template <class C> void apply_to(const Activation& f, C* x, int64_t n) {
  if (f.clip > 0) for (int64_t i = 0; i < n; ++i) x[i] = std::clamp(x[i], C(-f.clip), C(f.clip));
  for (int64_t i = 0; i < n; ++i) x[i] = value(f, x[i]);
}

}  // namespace

Activation Activation::named(std::string_view name, FunctionRef<double(size_t i, double standard)> parameter) {
  const auto row = std::find_if(std::begin(table), std::end(table), [&](const Row& r) { return same_word(r.name, name); });
  if (row == std::end(table)) unsupported("activation function ", name);
  return {row->kind, row->has_alpha ? parameter(0, row->alpha) : row->alpha, row->has_beta ? parameter(1, row->beta) : row->beta};
}
void Activation::apply(float* x, int64_t n) const { apply_to(*this, x, n); }
void Activation::apply(double* x, int64_t n) const { apply_to(*this, x, n); }

Recurrence Recurrence::make(const std::string& direction, int64_t layout, std::vector<std::string> names, const std::vector<float>& alpha, const std::vector<float>& beta, std::optional<float> clip, std::vector<std::string> defaults) {
  Recurrence out;
  out.each = int64_t(defaults.size()), out.layout = layout;
  if (direction == "bidirectional") out.directions = 2;
  else if (direction == "reverse") out.reverse = true;
  else if (direction != "forward" && direction != "foward") invalid("direction is '", direction, "', expected forward, reverse or bidirectional");   // opset 1 spells it so
  if (layout != 0 && layout != 1) invalid("layout is ", layout, ", expected 0 or 1");
  const size_t needed = size_t(out.directions) * defaults.size();
  if (names.size() > needed) names.resize(needed);        // the default of RNN is there for both directions
  while (names.size() < needed) names.push_back(defaults[names.size() % defaults.size()]);
  size_t next_alpha = 0, next_beta = 0;
  for (const std::string& name : names) {
    Activation f = Activation::named(name, [&](size_t i, double standard) {
      const auto& given = i ? beta : alpha;
      size_t& next = i ? next_beta : next_alpha;
      return next < given.size() ? double(given[next++]) : standard;
    });
    if (clip) f.clip = double(*clip);
    out.activations.push_back(f);
  }
  return out;
}

void Recurrence::infer(Inference& io, size_t states) const {
  const Dims &x = io.dims(0), &w = io.dims(1), &r = io.dims(2);
  if (x.size() != 3 || w.size() != 3 || r.size() != 3) invalid("expected three axes of X, W and R, found shapes ", shown(x), ", ", shown(w), " and ", shown(r));
  const int64_t steps = x[layout ? 1 : 0], batch = x[layout ? 0 : 1], hidden = r[2];
  const Dims state = layout ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden};
  if (!io.symbols) {
    if (w != Dims{directions, gates * hidden, x[2]} || r != Dims{directions, gates * hidden, hidden}) invalid("weights of shapes ", shown(w), " and ", shown(r), " for an input of shape ", shown(x), " and ", directions, " directions");
    if (io.has(3) && io.dims(3) != Dims{directions, 2 * gates * hidden}) invalid("a bias of shape ", shown(io.dims(3)));
    if (io.has(4) && io.dims(4) != Dims{batch}) invalid("sequence lengths of shape ", shown(io.dims(4)), " for a batch of ", batch);
    for (size_t k = 0; k < states; ++k) if (io.has(5 + k) && io.dims(5 + k) != state) invalid("an initial state of shape ", shown(io.dims(5 + k)), ", expected ", shown(state));
  }
  io.output(0, layout ? Dims{batch, steps, directions, hidden} : Dims{steps, directions, batch, hidden});
  for (size_t k = 0; k < states; ++k) io.output(k + 1, state);
}

template <class C> void recur(Call& call, const Recurrence& form, size_t states, int64_t separate, RecurrentStep<C> step) {
  const auto as = [&](size_t i) { return as_type(call, call.tensor(i), type_of<C>); };
  Tensor x = as(0);
  if (form.layout) x = transposed(x, {1, 0, 2});
  const Tensor w = as(1), r = as(2), bias = call.has(3) ? as(3) : Tensor();
  const int64_t steps = x.dims()[0], batch = x.dims()[1], inputs = x.dims()[2], hidden = r.dims()[2], width = form.gates * hidden;
  std::vector<int64_t> lengths = call.has(4) ? integers(call.tensor(4)) : std::vector<int64_t>(size_t(batch), steps);
  for (int64_t length : lengths) if (length < 0 || length > steps) invalid("a sequence length of ", length, " in ", steps, " steps");
  const auto wanted = [&](size_t k) { return call.wants(k) && call.outputs[k].tensor(); };
  const auto output = [&](size_t k) { return wanted(k) ? as_output(call, call.output(k), type_of<C>) : Tensor(); };
  const Tensor y = output(0);
  if (y) std::fill_n(y.data<C>(), y.size(), C(0));
  std::vector<Tensor> last;
  for (size_t k = 0; k < states; ++k) last.push_back(output(k + 1));
  const auto state_at = [&](int64_t d, int64_t b) { return (form.layout ? b * form.directions + d : d * batch + b) * hidden; };
  const auto y_at = [&](int64_t t, int64_t d, int64_t b) { return (form.layout ? (b * steps + t) * form.directions + d : (t * form.directions + d) * batch + b) * hidden; };

  for (int64_t d = 0; d < form.directions; ++d) {
    RecurrentRun<C> run{form, d, steps, batch, inputs, hidden, w.data<C>() + d * width * inputs, r.data<C>() + d * width * hidden, bias ? bias.data<C>() + d * 2 * width : nullptr, {}, {}, lengths};
    const Tensor w_columns = transposed(Tensor::view(type_of<C>, {width, inputs}, run.w), {1, 0}), r_columns = transposed(Tensor::view(type_of<C>, {width, hidden}, run.r), {1, 0});
    run.r_columns.assign(r_columns.data<C>(), r_columns.data<C>() + r_columns.size());
    run.from_input.resize(size_t(steps * batch * width));
    matrix_product<C>(x.data<C>(), w_columns.data<C>(), run.from_input.data(), steps * batch, width, inputs);
    if (run.bias) for (int64_t i = 0; i < steps * batch * width; ++i) run.from_input[size_t(i)] += run.bias[i % width] + (i % width < (form.gates - separate) * hidden ? run.bias[width + i % width] : C(0));
    std::vector<std::vector<C>> now(states, std::vector<C>(size_t(batch * hidden)));
    for (size_t k = 0; k < states; ++k) if (call.has(5 + k)) {
      const Tensor first = as(5 + k);
      for (int64_t b = 0; b < batch; ++b) std::copy_n(first.data<C>() + state_at(d, b), hidden, now[k].data() + b * hidden);
    }
    std::vector<C> gates(size_t(batch * width));
    for (int64_t i = 0; i < steps; ++i) {
      call.context.check();
      // Backwards every sequence starts at its own end; one that is over keeps its state.
      const auto time = [&](int64_t b) { return run.backwards() ? lengths[size_t(b)] - 1 - i : i; };
      for (int64_t b = 0; b < batch; ++b) if (i < lengths[size_t(b)]) std::copy_n(run.from_input.data() + (time(b) * batch + b) * width, width, gates.data() + b * width);
      auto next = now;
      step(run, gates.data(), next);
      for (int64_t b = 0; b < batch; ++b) {
        if (i >= lengths[size_t(b)]) continue;
        for (size_t k = 0; k < states; ++k) std::copy_n(next[k].data() + b * hidden, hidden, now[k].data() + b * hidden);
        if (y) std::copy_n(now[0].data() + b * hidden, hidden, y.data<C>() + y_at(time(b), d, b));
      }
    }
    for (size_t k = 0; k < states; ++k) if (last[k]) for (int64_t b = 0; b < batch; ++b) std::copy_n(now[k].data() + b * hidden, hidden, last[k].data<C>() + state_at(d, b));
  }
  if (y) store(y, call.output(0));
  for (size_t k = 0; k < states; ++k) if (last[k]) store(last[k], call.output(k + 1));
}

template <class C> std::vector<C> times_r(const RecurrentRun<C>& run, const std::vector<C>& h) {
  const int64_t width = run.form.gates * run.hidden;
  std::vector<C> out(size_t(run.batch * width));
  matrix_product<C>(h.data(), run.r_columns.data(), out.data(), run.batch, width, run.hidden);
  return out;
}

template <class C> void lstm_step(const RecurrentRun<C>& run, const C* x, const C* by_r, const C* peephole, bool coupled, std::span<std::vector<C>> states) {
  const int64_t n = run.hidden, all = run.batch * n;
  std::vector<C> &h = states[0], &c = states[1];
  std::vector<C> gate[4];                                 // input, output, forget, cell
  for (int64_t k = 0; k < 4; ++k) {
    gate[k].resize(size_t(all));
    for (int64_t i = 0; i < all; ++i) gate[k][size_t(i)] = x[i / n * 4 * n + k * n + i % n] + by_r[i / n * 4 * n + k * n + i % n];
  }
  const auto look = [&](int64_t k, int64_t row) { if (peephole) for (int64_t i = 0; i < all; ++i) gate[k][size_t(i)] += peephole[row * n + i % n] * c[size_t(i)]; };
  look(0, 0), look(2, 2);
  run.activation(0).apply(gate[0].data(), all), run.activation(0).apply(gate[2].data(), all), run.activation(1).apply(gate[3].data(), all);
  for (size_t i = 0; i < c.size(); ++i) c[i] = (coupled ? 1 - gate[0][i] : gate[2][i]) * c[i] + gate[0][i] * gate[3][i];
  look(1, 1);
  run.activation(0).apply(gate[1].data(), all);
  h = c;
  Activation of_cell = run.activation(2);
  of_cell.clip = 0;                                       // the clip is for the gates: other engines leave the cell alone too
  of_cell.apply(h.data(), all);
  for (size_t i = 0; i < h.size(); ++i) h[i] *= gate[1][i];
}

template std::vector<float> times_r(const RecurrentRun<float>&, const std::vector<float>&);
template std::vector<double> times_r(const RecurrentRun<double>&, const std::vector<double>&);
template void lstm_step(const RecurrentRun<float>&, const float*, const float*, const float*, bool, std::span<std::vector<float>>);
template void lstm_step(const RecurrentRun<double>&, const double*, const double*, const double*, bool, std::span<std::vector<double>>);
template void recur(Call&, const Recurrence&, size_t, int64_t, RecurrentStep<float>);
template void recur(Call&, const Recurrence&, size_t, int64_t, RecurrentStep<double>);

}  // namespace onward
