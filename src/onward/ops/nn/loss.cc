// NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss: the (weighted) loss of every sample, or its sum or mean over the samples.
#include <cmath>
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct Shape { int64_t batch, classes, inner; };
Shape shape(std::span<const int64_t> x) { return {x[0], x[1], product(x, 2, int64_t(x.size()))}; }

template <class Standard> struct Loss : Standard {
  void prepare(const Preparation&) const {
    for (std::string_view known : {"none", "sum", "mean"}) if (this->reduction == known) return;
    invalid("reduction is '", this->reduction, "', expected none, sum or mean");
  }
  void infer(Inference& io) const {
    const Dims &x = io.dims(0), &labels = io.dims(1);
    Dims expected = x;
    if (x.size() < 2) invalid("expected a batch axis and a class axis, found shape ", shown(x));
    expected.erase(expected.begin() + 1);
    if (!io.symbols && labels != expected) invalid("labels of shape ", shown(labels), " for an input of shape ", shown(x));
    if (io.has(2) && io.inputs[2].dims && !io.symbols && io.dims(2) != Dims{x[1]}) invalid("weights of shape ", shown(io.dims(2)), " for ", x[1], " classes");
    io.output(0, this->reduction == "none" ? expected : Dims{});
    io.output(1, x);
  }

  // The loss of `log_probability`, whose classes are its second axis.
  template <class T> void losses(std::span<const int64_t> dims, const T* log_probability, const Integers& labels, In<T> weights, Out<T> out) const {
    const Shape s = shape(dims);
    double total = 0, weight_total = 0;
    for (int64_t i = 0; i < s.batch * s.inner; ++i) {
      const int64_t label = labels[size_t(i)];
      const bool ignored = this->ignore_index && label == *this->ignore_index;
      if (!ignored && (label < 0 || label >= s.classes)) invalid("label ", label, " of ", s.classes, " classes");
      const T weight = ignored ? T(0) : weights ? weights[label] : T(1);
      const T loss = ignored ? T(0) : T(-log_probability[(i / s.inner * s.classes + label) * s.inner + i % s.inner] * weight);
      if (this->reduction == "none") out[i] = loss;
      else total += double(loss), weight_total += double(weight);
    }
    if (this->reduction == "sum") out[0] = T(total);
    if (this->reduction == "mean") out[0] = T(total / weight_total);
  }
};

struct NegativeLogLikelihoodLoss : Loss<standard::NegativeLogLikelihoodLoss> {
  template <class T> void run(In<T> x, Integers labels, In<T> weights, Out<T> loss) const { losses(x.dims, x.data, labels, weights, loss); }
};

struct SoftmaxCrossEntropyLoss : Loss<standard::SoftmaxCrossEntropyLoss> {
  template <class T> void run(In<T> x, Integers labels, In<T> weights, Out<T> loss, Out<T> log_probability) const {
    const Shape s = shape(x.dims);
    std::vector<T> own(log_probability ? 0 : size_t(x.size));
    T* const to = log_probability ? log_probability.data : own.data();
    for (int64_t lane = 0; lane < s.batch * s.inner; ++lane) {
      const int64_t first = lane / s.inner * s.classes * s.inner + lane % s.inner;
      T top = -INFINITY;
      for (int64_t c = 0; c < s.classes; ++c) top = std::max(top, x[first + c * s.inner]);
      double sum = 0;
      for (int64_t c = 0; c < s.classes; ++c) sum += std::exp(double(x[first + c * s.inner] - top));
      const double shift = double(top) + std::log(sum);
      for (int64_t c = 0; c < s.classes; ++c) to[first + c * s.inner] = T(double(x[first + c * s.inner]) - shift);
    }
    losses(x.dims, to, labels, weights, loss);
  }
};

}  // namespace

Operators nn_loss() {
  return {define<NegativeLogLikelihoodLoss, computed(NegativeLogLikelihoodLoss::T)>({.examples = {
              "float [[1, 2], [3, 4]], int64 [1, 0] -> float -2.5", "float [[1, 2], [3, 4]], int64 [1, -7], float [1, 0.5]; ignore_index=-7, reduction=\"none\" -> float [-1, 0]"}}),
          define<SoftmaxCrossEntropyLoss, computed(SoftmaxCrossEntropyLoss::T)>({.tolerance = 1e-6, .examples = {"float [[0, 0]], int32 [1]; reduction=\"sum\" -> float 0.69314718, float [[-0.69314718, -0.69314718]]"}})};
}

}  // namespace onward::ops
