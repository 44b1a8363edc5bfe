// Dropout: the input as it is, or (training) with elements left out at random and the rest scaled up.
#include "onward/ops/control.h"
#include "onward/ops/random.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

struct Dropout : standard::Dropout {
  void infer(Inference& io) const {
    io.output(0, io.dims(0));
    io.output(1, DataType::b8, io.dims(0));
  }
  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    const double ratio = call.has(1) ? single(call.tensor(1)) : 0.5;
    const bool training = call.has(2) && one<bool>(call.tensor(2), "training mode");
    bool* mask = call.wants(1) && call.outputs[1].tensor() ? call.output(1).data<bool>() : nullptr;
    if (!training || ratio == 0) {
      if (mask) std::fill_n(mask, x.size(), true);
      call.outputs[0] = x;
      return;
    }
    if (!(ratio > 0 && ratio < 1)) invalid("a ratio of ", ratio, ", expected at least 0 and below 1");
    Random random(seed ? std::optional<double>(double(*seed)) : std::nullopt);
    auto values = as_doubles(x);
    for (size_t i = 0; i < values.size(); ++i) {
      const bool kept = random.uniform() >= ratio;
      values[i] = kept ? values[i] / (1 - ratio) : 0;
      if (mask) mask[i] = kept;
    }
    store(Tensor::view(DataType::f64, x.dims(), values.data()), call.output(0));
  }

 private:
  static double single(const Tensor& t) {
    if (t.size() != 1) invalid("the ratio has ", t.size(), " elements, expected 1");
    return as_doubles(t)[0];
  }
};

}  // namespace

Operators random_dropout() { return {define<Dropout>({.random = true, .examples = {"float [1, 2] -> float [1, 2], bool [true, true]"}})}; }

}  // namespace onward::ops
