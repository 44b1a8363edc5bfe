// onward.Activated: X + Z (or X alone) through an activation function by name: the end of FusedConv and FusedGemm.
#include <cmath>

#include "onward/ops/operator.h"
#include "onward/ops/recurrent.h"

namespace onward::ops {
namespace {

struct Activated {
  static constexpr Name standard_name{"onward", "Activated", 1};
  std::string activation;
  std::vector<float> parameters;                          // in the order of the function's own
  std::optional<float> alpha, beta;
  void read(const Attributes& from) {
    from.read("activation", activation), from.read("parameters", parameters);
    from.read("alpha", alpha), from.read("beta", beta);
  }

  std::optional<Activation> function;
  double low = -INFINITY, high = INFINITY;                // of Clip

  void prepare(const Preparation&) {
    const auto parameter = [&](size_t i, const std::optional<float>& named, double standard) { return i < parameters.size() ? double(parameters[i]) : named ? double(*named) : standard; };
    if (activation == "Clip") low = parameter(0, alpha, -INFINITY), high = parameter(1, beta, INFINITY);
    else if (!activation.empty()) function = Activation::named(activation, [&](size_t i, double standard) { return parameter(i, i ? beta : alpha, standard); });
  }
  void infer(Inference& io) const {
    if (io.has(1) && io.inputs[1].dims && !io.symbols && io.dims(1) != io.dims(0)) invalid("an addend of shape ", shown(io.dims(1)), " for ", shown(io.dims(0)));
    io.output(0, io.type(0), io.dims(0));
  }
  void run(Call& call) const {
    const DataType type = call.tensor(0).type();
    if (type == DataType::f64) return kernel<double>(call);
    if (type == DataType::f32) return kernel<float>(call);
    if (contains(small_floats, type)) return detail::run_as_float(call, type, [&](Call& as_float) { kernel<float>(as_float); });
    if (!activation.empty()) unsupported("activation ", activation, " of ", name_of(type));
    call.outputs[0] = call.tensor(0);
  }

 private:
  template <class C> void kernel(Call& call) const {
    const Tensor &x = call.tensor(0), &y = call.output(0);
    const C *from = x.data<C>(), *addend = call.has(1) ? call.tensor(1).data<C>() : nullptr;
    C* const to = y.data<C>();
    call.context.parallel(y.size(), 5, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = addend ? from[i] + addend[i] : from[i];
      if (function) function->apply(to + begin, end - begin);
      else if (activation == "Clip") for (int64_t i = begin; i < end; ++i) to[i] = to[i] < C(low) ? C(low) : to[i] > C(high) ? C(high) : to[i];
    });
  }
};

}  // namespace

Operators contrib_activated() {
  return {define<Activated>({.in_place = true, .tolerance = 1e-6, .examples = {
      "float [-1, 2]; activation=\"Relu\" -> float [0, 2]", "float [-1, 2], float [0, 3]; activation=\"Clip\", parameters=[-0.5, 4.0] -> float [-0.5, 4]",
      "double [-2, 2]; activation=\"LeakyRelu\", alpha=0.25 -> double [-0.5, 2]", "int32 [7]; activation=\"\" -> int32 [7]"}})};
}

}  // namespace onward::ops
