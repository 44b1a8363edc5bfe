// Mean of any number of broadcast inputs.
#include "onward/ops/broadcast.h"

namespace onward::ops {
namespace {

struct Mean : standard::Mean {
  void infer(Inference& io) const { io.output(0, broadcast(io)); }

  template <class T> void run(Ins<T> inputs, Out<T> y) const {
    std::fill(y.begin(), y.end(), T(0));
    for (const In<T>& x : inputs) {
      const std::span<const int64_t> operands[] = {x.dims};
      const Rows rows(y.dims, operands);
      const int64_t step = rows.advances(0);
      if (y.size) rows.each([&](int64_t at, std::span<const int64_t> from) {
        for (int64_t i = 0; i < rows.length(); ++i) y[at + i] += x[from[0] + i * step];
      });
    }
    for (T& v : y) v /= T(inputs.size());
  }
};

}  // namespace

Operators math_mean() {
  return {define<Mean, computed(Mean::T)>({.examples = {"float [1, 2], float [[3], [5]] -> float [[2, 2.5], [3, 3.5]]", "double [7] -> double [7]"}})};
}

}  // namespace onward::ops
