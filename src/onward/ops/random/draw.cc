// RandomUniform, RandomNormal and their Like forms, Bernoulli, Multinomial: numbers drawn anew in every run.
#include <cmath>
#include "onward/ops/convert.h"
#include "onward/ops/random.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// draw(to, n) makes the next n numbers. Some at a time, so that they are in the cache when they get the type of y.
void fill(const Tensor& y, auto&& draw) {
  constexpr int64_t block = 1024;
  double values[block];
  for (int64_t first = 0; first < y.size(); first += block) {
    const int64_t n = std::min(block, y.size() - first);
    draw(values, n);
    convert(DataType::f64, values, y.type(), y.data<char>() + size_t(first) * size_of(y.type()), n);
  }
}
// scale * x + shift of what was drawn.
void fill_scaled(const Tensor& y, double scale, double shift, auto&& draw) {
  fill(y, [&](double* to, int64_t n) {
    draw(to, size_t(n));
    for (int64_t i = 0; i < n; ++i) to[i] = shift + scale * to[i];
  });
}

// Of the shape that the node states, or of that of its input.
template <class Standard> struct OfShape : Standard {
  void prepare(const Preparation&) const {
    element_type(this->dtype, Standard::T.types);
    for (int64_t d : this->shape) if (d < 0) invalid("a shape with the size ", d);
  }
  void infer(Inference& io) const { io.output(0, DataType(this->dtype), Dims(this->shape)); }
};
template <class Standard> struct Like : Standard {
  void infer(Inference& io) const { io.output(0, element_type(this->dtype.value_or(int64_t(io.inputs[0].type)), Standard::T2.types), io.dims(0)); }
};
template <class Form> struct Uniform : Form {
  void run(Call& call) const {
    Random random(this->seed);
    fill_scaled(call.output(0), double(this->high) - double(this->low), double(this->low), [&](double* to, size_t n) { random.uniform(to, n); });
  }
};
template <class Form> struct Normal : Form {
  void run(Call& call) const {
    Random random(this->seed);
    fill_scaled(call.output(0), double(this->scale), double(this->mean), [&](double* to, size_t n) { random.normal(to, n); });
  }
};

struct Bernoulli : Like<standard::Bernoulli> {
  void run(Call& call) const {
    Random random(this->seed);
    const auto probabilities = as_doubles(call.tensor(0));
    const double* below = probabilities.data();
    fill(call.output(0), [&](double* to, int64_t n) {
      random.uniform(to, size_t(n));
      for (int64_t i = 0; i < n; ++i) to[i] = to[i] < *below++ ? 1.0 : 0.0;
    });
  }
};

struct Multinomial : standard::Multinomial {
  void prepare(const Preparation&) const {
    element_type(dtype, T2.types);
    if (sample_size < 0) invalid("sample_size is ", sample_size);
  }
  void infer(Inference& io) const {
    if (io.dims(0).size() != 2) invalid("expected a batch of classes, found shape ", shown(io.dims(0)));
    io.output(0, DataType(dtype), {io.dims(0)[0], sample_size});
  }
  void run(Call& call) const {
    Random random(seed);
    const auto scores = as_doubles(call.tensor(0));       // unnormalised logarithms of probabilities
    const int64_t classes = call.tensor(0).dims()[1];
    if (classes == 0 && call.output(0).size()) invalid("there is no class to draw");
    int64_t drawn = 0;
    std::vector<double> sums(static_cast<size_t>(classes));
    const auto next = [&] {
      const double* row = scores.data() + drawn / sample_size * classes;
      if (drawn++ % sample_size == 0) {
        const double top = *std::max_element(row, row + classes);
        double sum = 0;
        for (int64_t c = 0; c < classes; ++c) sums[size_t(c)] = sum += std::exp(row[c] - top);
      }
      const auto at = std::upper_bound(sums.begin(), sums.end(), random.uniform() * sums.back()) - sums.begin();
      return double(std::min(int64_t(at), classes - 1));
    };
    fill(call.output(0), [&](double* to, int64_t n) { std::generate_n(to, n, next); });
  }
};

}  // namespace

Operators random_draw() {
  return {define<Uniform<OfShape<standard::RandomUniform>>>({.random = true}), define<Normal<OfShape<standard::RandomNormal>>>({.random = true}),
          define<Uniform<Like<standard::RandomUniformLike>>>({.random = true}), define<Normal<Like<standard::RandomNormalLike>>>({.random = true}),
          define<Bernoulli>({.random = true}), define<Multinomial>({.random = true})};
}

}  // namespace onward::ops
