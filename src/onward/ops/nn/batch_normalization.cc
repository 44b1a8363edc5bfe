// BatchNormalization: every channel by given statistics, or (training) by its own, which then move the running ones.
// onward.BatchNormalizationBefore14 says by is_test or by its number of outputs which of the two is meant, and has its outputs.
#include <cmath>
#include "onward/ops/convert.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct Settings { double epsilon, momentum; bool training, spatial = true; };

struct Layout { int64_t batch, channels, inner; };
Layout layout(const Tensor& x, bool spatial) {
  if (x.rank() < 2) return {x.rank() ? x.dims()[0] : 1, 1, 1};
  const int64_t inner = product(x.dims(), 2, x.rank());
  return spatial ? Layout{x.dims()[0], x.dims()[1], inner} : Layout{x.dims()[0], x.dims()[1] * inner, 1};
}

template <class T> void statistics(const T* x, const Layout& at, std::vector<double>& mean, std::vector<double>& variance) {
  const double n = double(at.batch * at.inner);
  for (int64_t c = 0; c < at.channels; ++c) {
    const auto each = [&](auto&& f) {
      for (int64_t b = 0; b < at.batch; ++b) for (int64_t i = 0; i < at.inner; ++i) f(double(x[(b * at.channels + c) * at.inner + i]));
    };
    double sum = 0, squares = 0;
    each([&](double v) { sum += v; });
    each([&](double v) { squares += (v - sum / n) * (v - sum / n); });
    mean[size_t(c)] = sum / n, variance[size_t(c)] = squares / n;
  }
}

template <class T> void apply(const T* x, T* y, const Layout& at, const std::vector<double>& factor, const std::vector<double>& shift) {
  for (int64_t row = 0; row < at.batch * at.channels; ++row) {
    const T a = T(factor[size_t(row % at.channels)]), b = T(shift[size_t(row % at.channels)]);
    for (int64_t i = 0; i < at.inner; ++i) y[row * at.inner + i] = x[row * at.inner + i] * a + b;
  }
}

void normalise(Call& call, const Settings& s) {
  const Tensor& x = call.tensor(0);
  const Layout at = layout(x, s.spatial);
  std::vector<double> given[4];                           // scale, bias, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    given[i] = as_doubles(call.tensor(i + 1));
    if (int64_t(given[i].size()) != at.channels) invalid("input ", i + 1, " has ", given[i].size(), " elements for ", at.channels, " channels");
  }
  std::vector<double> mean = given[2], variance = given[3];
  const auto kernel = [&]<class T>(const T* from, T* to) {
    if (s.training) statistics(from, at, mean, variance);
    std::vector<double> factor(mean.size()), shift(mean.size());
    for (size_t c = 0; c < mean.size(); ++c) factor[c] = given[0][c] / std::sqrt(variance[c] + s.epsilon), shift[c] = given[1][c] - mean[c] * factor[c];
    apply(from, to, at, factor, shift);
  };
  const Tensor& y = call.output(0);
  if (x.type() == DataType::f64) kernel(x.data<double>(), y.data<double>());
  else if (x.type() == DataType::f32) kernel(x.data<float>(), y.data<float>());
  else detail::run_as_float(call, x.type(), [&](Call& c) { kernel(c.tensor(0).data<float>(), c.output(0).data<float>()); });
  for (size_t k = 1; k < call.outputs.size(); ++k) {
    const Tensor* out = call.outputs[k].tensor();
    if (!out) continue;
    std::vector<double> values = k % 2 ? mean : variance;
    if (k < 3) for (size_t c = 0; c < values.size(); ++c) values[c] = given[k + 1][c] * s.momentum + values[c] * (1 - s.momentum);
    convert(DataType::f64, values.data(), out->type(), out->raw(), out->size());
  }
}

struct BatchNormalization : standard::BatchNormalization {
  void prepare(const Preparation& at) const {
    if (!training_mode && at.node.outputs.size() > 1) invalid("has ", at.node.outputs.size(), " outputs, which only training_mode=1 gives");
  }
  void infer(Inference& io) const {
    io.output(0, io.dims(0));
    if (io.outputs.size() > 1) io.output(1, io.inputs[3].type, io.dims(3)), io.output(2, io.inputs[4].type, io.dims(4));
  }
  void run(Call& call) const { normalise(call, {epsilon, momentum, training_mode != 0}); }
};

struct BatchNormalizationBefore14 {
  static constexpr Name standard_name{"onward", "BatchNormalizationBefore14", 1};
  float epsilon = 1e-5f, momentum = 0.9f;
  int64_t spatial = 1;
  std::optional<int64_t> is_test;
  void read(const Attributes& from) { from.read("epsilon", epsilon), from.read("momentum", momentum), from.read("spatial", spatial), from.read("is_test", is_test); }

  void infer(Inference& io) const {
    io.output(0, io.inputs[0].type, io.dims(0));
    for (size_t k = 1; k < io.outputs.size(); ++k) io.output(k, io.inputs[0].type, io.dims(k % 2 ? 3 : 4));
  }
  void run(Call& call) const { normalise(call, {epsilon, momentum, is_test ? !*is_test : call.outputs.size() > 1, spatial != 0}); }
};

}  // namespace

Operators nn_batch_normalization() {
  return {
      define<BatchNormalization>({.tolerance = 1e-5, .upgrades = {{14, "BatchNormalizationBefore14"}}, .examples = {
          "float [[1, 10]], float [2, 1], float [0, 1], float [0, 10], float [1, 4]; epsilon=0.0 -> float [[2, 1]]",
          "float [[1], [3]], float [1], float [0], float [0], float [0]; training_mode=1, momentum=0.5, epsilon=0.0 -> float [[-1], [1]], float [1], float [0.5]"}}),
      define<BatchNormalizationBefore14>({.tolerance = 1e-5, .examples = {"float [[1], [3]], float [1], float [0], float [1], float [4]; is_test=1, epsilon=0.0 -> float [[0], [1]]"}}),
  };
}

}  // namespace onward::ops
