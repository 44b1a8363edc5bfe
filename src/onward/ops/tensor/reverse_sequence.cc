// ReverseSequence: of every batch entry the first so many time steps in reverse order; the rest stays.
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct ReverseSequence : standard::ReverseSequence {
  void prepare(const Preparation&) const {
    if (batch_axis + time_axis != 1 || batch_axis * time_axis != 0) invalid("batch_axis is ", batch_axis, " and time_axis ", time_axis, ", expected 0 and 1 or 1 and 0");
  }
  void infer(Inference& io) const {
    if (io.dims(0).size() < 2) invalid("expected a batch axis and a time axis, found shape ", shown(io.dims(0)));
    io.output(0, io.dims(0));
  }
  template <class T> void run(In<T> x, Integers lengths, Out<T> y) const {
    const int64_t batches = x.dims[size_t(batch_axis)], steps = x.dims[size_t(time_axis)], inner = product(x.dims, 2, x.rank());
    if (int64_t(lengths.size()) != batches) invalid(lengths.size(), " lengths for a batch of ", batches);
    for (int64_t length : lengths) if (length < 0 || length > steps) invalid("a length of ", length, " in ", steps, " time steps");
    const auto at = [&](int64_t batch, int64_t step) { return (batch_axis == 0 ? batch * steps + step : step * batches + batch) * inner; };
    for (int64_t b = 0; b < batches; ++b)
      for (int64_t t = 0; t < steps; ++t) std::copy_n(x.data + at(b, t < lengths[size_t(b)] ? lengths[size_t(b)] - 1 - t : t), inner, y.data + at(b, t));
  }
};

}  // namespace

Operators tensor_reverse_sequence() {
  return {define<ReverseSequence, by_width(ReverseSequence::T)>({.examples = {"float [[1, 2, 3], [4, 5, 6]], int64 [2, 3]; batch_axis=0, time_axis=1 -> float [[2, 1, 3], [6, 5, 4]]"}})};
}

}  // namespace onward::ops
