#include "onward/ops/recurrent.h"

#include <cmath>

#include "onward/ops/packed_weights.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"
#include "onward/simd/math.h"
#include "onward/simd/targets.h"

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

template <Kind kind, class C> [[gnu::always_inline]] inline C value(const Activation& f, C x) {
  const C alpha = C(f.alpha), beta = C(f.beta);
  if constexpr (kind == Kind::relu) return x < 0 ? C(0) : x;
  if constexpr (kind == Kind::tanh) return simd::tanh(x);
  if constexpr (kind == Kind::sigmoid) return 1 / (1 + simd::exp(-x));
  if constexpr (kind == Kind::affine) return alpha * x + beta;
  if constexpr (kind == Kind::leaky_relu) return x < 0 ? alpha * x : x;
  if constexpr (kind == Kind::thresholded_relu) return x < alpha ? C(0) : x;
  if constexpr (kind == Kind::scaled_tanh) return alpha * simd::tanh(beta * x);
  if constexpr (kind == Kind::hard_sigmoid) return std::min(std::max(alpha * x + beta, C(0)), C(1));
  if constexpr (kind == Kind::elu) return x < 0 ? alpha * std::expm1(x) : x;
  if constexpr (kind == Kind::softsign) return x / (1 + std::fabs(x));
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
template <Kind kind, class C> struct Apply {
  [[gnu::always_inline]] static void run(const Activation* f, C* x, int64_t n) {
    const Activation own = *f;
    for (int64_t i = 0; i < n; ++i) x[i] = value<kind>(own, x[i]);
  }
};
template <class C> struct AddTo {
  [[gnu::always_inline]] static void run(C* to, const C* from, int64_t n) { for (int64_t i = 0; i < n; ++i) to[i] += from[i]; }
};
// c = forget * c + input * cell, the forget gate being what the input gate leaves where they are coupled.
template <class C> struct NewCell {
  [[gnu::always_inline]] static void run(const C* input, const C* forget, const C* cell, C* c, int64_t n) {
    if (forget) for (int64_t i = 0; i < n; ++i) c[i] = forget[i] * c[i] + input[i] * cell[i];
    else for (int64_t i = 0; i < n; ++i) c[i] = (1 - input[i]) * c[i] + input[i] * cell[i];
  }
};
template <class C> struct MultiplyInto {
  [[gnu::always_inline]] static void run(C* to, const C* by, int64_t n) { for (int64_t i = 0; i < n; ++i) to[i] *= by[i]; }
};

template <class C> void apply_to(const Activation& f, C* x, int64_t n) {
  constexpr void (*all[])(const Activation*, C*, int64_t) = {
      simd::run<Apply<Kind::relu, C>, C, const Activation*, C*, int64_t>, simd::run<Apply<Kind::tanh, C>, C, const Activation*, C*, int64_t>,
      simd::run<Apply<Kind::sigmoid, C>, C, const Activation*, C*, int64_t>, simd::run<Apply<Kind::affine, C>, C, const Activation*, C*, int64_t>,
      simd::run<Apply<Kind::leaky_relu, C>, C, const Activation*, C*, int64_t>, simd::run<Apply<Kind::thresholded_relu, C>, C, const Activation*, C*, int64_t>,
      simd::run<Apply<Kind::scaled_tanh, C>, C, const Activation*, C*, int64_t>, simd::run<Apply<Kind::hard_sigmoid, C>, C, const Activation*, C*, int64_t>,
      simd::run<Apply<Kind::elu, C>, C, const Activation*, C*, int64_t>, simd::run<Apply<Kind::softsign, C>, C, const Activation*, C*, int64_t>,
      simd::run<Apply<Kind::softplus, C>, C, const Activation*, C*, int64_t>};
  if (f.clip > 0) for (int64_t i = 0; i < n; ++i) x[i] = std::clamp(x[i], C(-f.clip), C(f.clip));
  all[size_t(f.kind)](&f, x, n);
}

// Rows [begin, end) of a matrix [rows][columns], transposed and packed.
template <class C> PackedMatrix<C> packed_columns(const C* rows, int64_t begin, int64_t end, int64_t columns) {
  const Tensor t = transposed(Tensor::view(type_of<C>, {end - begin, columns}, rows + begin * columns), {1, 0});
  return {t.data<C>(), columns, end - begin};
}
template <class C> std::shared_ptr<const RecurrentWeights<C>> packed(const Tensor& w, const Tensor& r, int64_t separate) {
  auto out = std::make_shared<RecurrentWeights<C>>();
  const int64_t width = w.dims()[1], inputs = w.dims()[2], hidden = r.dims()[2], together = width - separate * hidden;
  out->inputs = inputs, out->hidden = hidden;
  for (int64_t d = 0; d < w.dims()[0]; ++d) {
    const C* r_rows = r.data<C>() + d * width * hidden;
    out->directions.push_back({packed_columns(w.data<C>() + d * width * inputs, 0, width, inputs), packed_columns(r_rows, 0, together, hidden), packed_columns(r_rows, together, width, hidden)});
  }
  return out;
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

void Recurrence::keep(const Tensor* w, const Tensor* r) {
  if (!w || !r || w->type() != r->type() || w->rank() != 3 || r->rank() != 3 || w->size() == 0 || r->size() == 0) return;
  if (r->dims()[2] * gates != w->dims()[1] || r->dims()[1] != w->dims()[1] || r->dims()[0] != directions || w->dims()[0] != directions) return;     // infer says what is wrong
  if (w->type() == DataType::f32) single = packed<float>(*w, *r, separate);
  if (w->type() == DataType::f64) twice = packed<double>(*w, *r, separate);
}

template <class C> void recur(Call& call, const Recurrence& form, size_t states, RecurrentStep<C> step, const InputProduct<C>* input) {
  const auto as = [&](size_t i) { return as_type(call, call.tensor(i), type_of<C>); };
  Tensor x = as(0);
  if (form.layout) x = transposed(x, {1, 0, 2});
  std::shared_ptr<const RecurrentWeights<C>> weights;
  if constexpr (std::is_same_v<C, float>) weights = form.single;
  else weights = form.twice;
  if (!weights) weights = packed<C>(as(1), as(2), form.separate);
  const Tensor bias = call.has(3) ? as(3) : Tensor();
  const int64_t steps = x.dims()[0], batch = x.dims()[1], hidden = weights->hidden, width = form.gates * hidden;
  std::vector<int64_t> lengths = call.has(4) ? integers(call.tensor(4)) : std::vector<int64_t>(size_t(batch), steps);
  for (int64_t length : lengths) if (length < 0 || length > steps) invalid("a sequence length of ", length, " in ", steps, " steps");
  const int64_t shortest = lengths.empty() ? 0 : *std::min_element(lengths.begin(), lengths.end());
  const auto wanted = [&](size_t k) { return call.wants(k) && call.outputs[k].tensor(); };
  const auto output = [&](size_t k) { return wanted(k) ? as_output(call, call.output(k), type_of<C>) : Tensor(); };
  const Tensor y = output(0);
  if (y) std::fill_n(y.data<C>(), y.size(), C(0));
  std::vector<Tensor> last;
  for (size_t k = 0; k < states; ++k) last.push_back(output(k + 1));
  const auto state_at = [&](int64_t d, int64_t b) { return (form.layout ? b * form.directions + d : d * batch + b) * hidden; };
  const auto y_at = [&](int64_t t, int64_t d, int64_t b) { return (form.layout ? (b * steps + t) * form.directions + d : (t * form.directions + d) * batch + b) * hidden; };
  const Tensor from_input = call.scratch(type_of<C>, {steps * batch, width});

  for (int64_t d = 0; d < form.directions; ++d) {
    const auto& own = weights->directions[size_t(d)];
    RecurrentRun<C> run{form, own, d, steps, batch, hidden, bias ? bias.data<C>() + d * 2 * width : nullptr, lengths, std::vector<C>(size_t(batch * width)), {}};
    std::vector<C> both;                                  // biases of w and r
    if (run.bias) for (int64_t i = 0; i < width; ++i) both.push_back(run.bias[i] + (i < width - form.separate * hidden ? run.bias[width + i] : C(0)));
    if (input && from_input.size()) (*input)(d, x.data<C>(), steps * batch, both, from_input.data<C>());
    else if (from_input.size()) multiply_rows<C>(call.context, own.w, x.data<C>(), from_input.data<C>(), from_input.size(), {.bias = run.bias ? both.data() : nullptr});
    std::vector<std::vector<C>> now(states, std::vector<C>(size_t(batch * hidden)));
    for (size_t k = 0; k < states; ++k) if (call.has(5 + k)) {
      const Tensor first = as(5 + k);
      for (int64_t b = 0; b < batch; ++b) std::copy_n(first.data<C>() + state_at(d, b), hidden, now[k].data() + b * hidden);
    }
    // Backwards every sequence starts at its own end; one that is over keeps its state.
    const bool together = !run.backwards() || shortest == steps;
    std::vector<C> gates(size_t(together && shortest == steps ? 0 : batch * width));
    for (int64_t i = 0; i < steps; ++i) {
      call.context.check();
      const auto time = [&](int64_t b) { return run.backwards() ? lengths[size_t(b)] - 1 - i : i; };
      if (together && i < shortest) {
        step(run, from_input.data<C>() + time(0) * batch * width, now);
      } else {
        for (int64_t b = 0; b < batch; ++b) if (i < lengths[size_t(b)]) std::copy_n(from_input.data<C>() + (time(b) * batch + b) * width, width, gates.data() + b * width);
        auto next = now;
        step(run, gates.data(), next);
        for (int64_t b = 0; b < batch; ++b) if (i < lengths[size_t(b)])
          for (size_t k = 0; k < states; ++k) std::copy_n(next[k].data() + b * hidden, hidden, now[k].data() + b * hidden);
      }
      if (y) for (int64_t b = 0; b < batch; ++b) if (i < lengths[size_t(b)]) std::copy_n(now[0].data() + b * hidden, hidden, y.data<C>() + y_at(time(b), d, b));
    }
    for (size_t k = 0; k < states; ++k) if (last[k]) for (int64_t b = 0; b < batch; ++b) std::copy_n(now[k].data() + b * hidden, hidden, last[k].data<C>() + state_at(d, b));
  }
  if (y) store(y, call.output(0));
  for (size_t k = 0; k < states; ++k) if (last[k]) store(last[k], call.output(k + 1));
}

template <class C> void add_to(C* to, const C* from, int64_t n) { simd::run<AddTo<C>, C, C*, const C*, int64_t>(to, from, n); }

template <class C> void lstm_step(RecurrentRun<C>& run, C* gates, const C* peephole, bool coupled, std::span<std::vector<C>> states) {
  const int64_t n = run.hidden;
  Activation of_cell = run.activation(2);
  of_cell.clip = 0;                                       // the clip is for the gates: other engines leave the cell alone too
  add_to(gates, run.by_r.data(), run.batch * 4 * n);
  for (int64_t b = 0; b < run.batch; ++b) {
    C *input = gates + b * 4 * n, *output = input + n, *forget = output + n, *cell = forget + n, *h = states[0].data() + b * n, *c = states[1].data() + b * n;
    const auto look = [&](C* gate, int64_t row) { if (peephole) for (int64_t i = 0; i < n; ++i) gate[i] += peephole[row * n + i] * c[i]; };
    look(input, 0), look(forget, 2);
    run.activation(0).apply(input, n), run.activation(0).apply(forget, n), run.activation(1).apply(cell, n);
    simd::run<NewCell<C>, C, const C*, const C*, const C*, C*, int64_t>(input, coupled ? nullptr : forget, cell, c, n);
    look(output, 1);
    run.activation(0).apply(output, n);
    std::copy_n(c, n, h);
    of_cell.apply(h, n);
    simd::run<MultiplyInto<C>, C, C*, const C*, int64_t>(h, output, n);
  }
}

template void add_to(float*, const float*, int64_t);
template void add_to(double*, const double*, int64_t);
template void lstm_step(RecurrentRun<float>&, float*, const float*, bool, std::span<std::vector<float>>);
template void lstm_step(RecurrentRun<double>&, double*, const double*, bool, std::span<std::vector<double>>);
template void recur(Call&, const Recurrence&, size_t, RecurrentStep<float>, const InputProduct<float>*);
template void recur(Call&, const Recurrence&, size_t, RecurrentStep<double>, const InputProduct<double>*);

}  // namespace onward
