// DynamicQuantizeLSTM: an LSTM with 8-bit weights; its input, and its hidden state at every step, go through 8 bits as well.
#include "onward/ops/contrib.h"
#include "onward/ops/quantized.h"
#include "onward/ops/recurrent.h"
#include "onward/ops/transpose.h"
#include "onward/ops/typed.h"

namespace onward::ops {
namespace {

// Weights [directions, inputs, 4 hidden] with a scale for each direction or for each column, as LSTM has them: [directions, 4 hidden, inputs].
Tensor weights(const Tensor& given, const Tensor& scales, const Tensor& zeros) {
  const int64_t directions = given.dims()[0], inputs = given.dims()[1], columns = given.dims()[2];
  const auto codes = as_doubles(given), scale = as_doubles(scales), zero = as_doubles(zeros);
  const auto n = int64_t(scale.size());
  if (zero.size() != scale.size() || (n != directions && n != directions * columns)) invalid(scale.size(), " scales and ", zero.size(), " zero points for weights ", shown(given));
  const Tensor real(DataType::f32, given.dims());
  for (int64_t i = 0; i < real.size(); ++i) {
    const int64_t direction = i / (inputs * columns);
    const auto k = size_t(n == directions ? direction : direction * columns + i % columns);
    real.data<float>()[i] = (float(codes[size_t(i)]) - float(zero[k])) * float(scale[k]);
  }
  return transposed(real, {0, 2, 1});
}

// What is left of x after it was quantized with a range of its own.
Tensor through_codes(const Call& call, const Tensor& x) {
  const Quantization to = dynamic_range(x);
  const Tensor codes = call.scratch(DataType::u8, x.dims()), out = call.scratch(DataType::f32, x.dims());
  quantize(x.data<float>(), x.size(), to, codes.data<uint8_t>());
  for (int64_t i = 0; i < x.size(); ++i) out.data<float>()[i] = to.real(codes.data<uint8_t>()[i]);
  return out;
}

// Weights of one direction as codes, and the scale of each column: products with them are products of codes.
struct CodedWeights {
  std::shared_ptr<const PackedCodes> codes;
  std::vector<float> scale;
};
std::vector<CodedWeights> coded(const Tensor& given, const Tensor& scales, const Tensor& zeros) {
  const int64_t directions = given.dims()[0], inputs = given.dims()[1], columns = given.dims()[2], each = scales.size() == directions ? 1 : columns;
  const auto scale = as_doubles(scales);
  std::vector<CodedWeights> out;
  for (int64_t d = 0; d < directions; ++d) {
    const Tensor codes = Tensor::view(given.type(), {inputs, columns}, given.data<char>() + d * inputs * columns), zero = Tensor::view(zeros.type(), {each}, zeros.data<char>() + d * each);
    CodedWeights w{packed_codes(codes, &zero, false), {}};
    if (!w.codes) return {};
    for (int64_t i = 0; i < columns; ++i) w.scale.push_back(float(scale[size_t(each == 1 ? d : d * columns + i)]));
    out.push_back(std::move(w));
  }
  return out;
}

struct DynamicQuantizeLSTM : contrib::DynamicQuantizeLSTM {
  Recurrence form;
  std::vector<CodedWeights> of_input, recurrent;          // of every direction; empty where the weights are no constants

  void prepare(const Preparation& at) {
    form = Recurrence::of(*this, 4, {"Sigmoid", "Tanh", "Tanh"});
    for (size_t i : {1, 2, 8, 9, 10, 11}) if (!at.input(i)) return;
    if (at.input(1)->rank() != 3 || at.input(2)->rank() != 3) return;         // infer says so
    const Tensor w = weights(*at.input(1), *at.input(8), *at.input(9)), r = weights(*at.input(2), *at.input(10), *at.input(11));
    form.keep(&w, &r);
    if (!form.single) return;
    of_input = coded(*at.input(1), *at.input(8), *at.input(9)), recurrent = coded(*at.input(2), *at.input(10), *at.input(11));
    if (of_input.empty()) recurrent.clear();
  }

  void infer(Inference& io) const {
    std::vector<Fact> facts(io.inputs.begin(), io.inputs.end());
    for (size_t i : {1, 2}) {
      Dims dims = io.dims(i);
      if (dims.size() != 3) invalid("expected weights of three axes, found shape ", shown(dims));
      std::swap(dims[1], dims[2]);
      facts[i].dims = dims;
    }
    // LSTM's R is [directions, 4 hidden, hidden].
    Inference lstm{facts, io.outputs, io.symbols};
    form.infer(lstm, 2);
    if (!io.symbols && io.has(7) && io.dims(7) != Dims{form.directions, 3 * io.dims(2)[1]}) invalid("peephole weights of shape ", shown(io.dims(7)));
  }

  void run(Call& call) const {
    const Tensor& x = call.tensor(0);
    std::vector<Value> own = {recurrent.empty() ? through_codes(call, x) : x};
    if (!form.single) for (size_t i : {1, 2}) own.push_back(weights(call.tensor(i), call.tensor(6 + 2 * i), call.tensor(7 + 2 * i)));
    std::vector<const Value*> inputs(call.inputs.begin(), call.inputs.begin() + 8);
    for (size_t i = 0; i < own.size(); ++i) inputs[i] = &own[i];
    Call as_lstm{inputs, call.outputs, call.context, call.scope};
    const Tensor peepholes = call.has(7) ? as_type(call, call.tensor(7), DataType::f32) : Tensor();
    const auto from_input = [&](int64_t direction, const float* rows, int64_t n, std::span<const float> bias, float* to) {
      by_codes(call.context, Tensor::view(DataType::f32, {n, x.dims()[2]}, rows), of_input[size_t(direction)], bias, to);
    };
    const InputProduct<float> product = from_input;
    recur<float>(as_lstm, form, 2, [&](RecurrentRun<float>& run, float* gates, std::span<std::vector<float>> states) {
      const Tensor h = Tensor::view(DataType::f32, {run.batch, run.hidden}, states[0].data());
      if (recurrent.empty()) run.weights.r.product(through_codes(call, h).data<float>(), run.by_r.data(), run.batch);
      else by_codes(call.context, h, recurrent[size_t(run.direction)], {}, run.by_r.data());
      lstm_step(run, gates, peepholes ? peepholes.data<float>() + run.direction * 3 * run.hidden : nullptr, input_forget != 0, states);
    }, recurrent.empty() ? nullptr : &product);
  }

 private:
  static void by_codes(const RunContext& context, const Tensor& x, const CodedWeights& weights, std::span<const float> bias, float* to) {
    const Quantization range = dynamic_range(x);
    std::vector<int32_t> sums(size_t(x.dims()[0] * weights.codes->columns()));
    code_product(context, dynamic_rows(x, range), *weights.codes, sums.data(), weights.codes->columns());
    std::vector<float> scale = weights.scale;
    for (float& s : scale) s *= range.scale;
    scale_sums(context, sums.data(), x.dims()[0], scale, bias, to);
  }
};

}  // namespace

Operators contrib_dynamic_quantize_lstm() {
  return {define<DynamicQuantizeLSTM>({.tolerance = 1e-5, .examples = {
      "float [[[0]]], uint8 [[[1, 1, 1, 1]]], uint8 [[[1, 1, 1, 1]]], , , , , , float [1], uint8 [0], float [1], uint8 [0] -> float [[[[0]]]], float [[[0]]], float [[[0]]]",
      "float [[[1]], [[1]]], int8 [[[1, 2, 0, 1]]], int8 [[[0, 0, 0, 2]]], , , , , , float [[0.5, 1, 1, 1]], int8 [[0, 0, 0, 0]], float [1], int8 [0]; activations=[\"Affine\", \"Relu\", \"Relu\"] -> "
      "float [[[[1]]], [[[3]]]], float [[[3]]], float [[[1.5]]]"}})};
}

}  // namespace onward::ops
