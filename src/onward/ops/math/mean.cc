// Mean of any number of broadcast inputs.
#include "onward/ops/elementwise.h"

namespace onward::ops {
namespace {

constexpr Types types = standard::Mean::T.types;

struct HalfOfSum {
  template <class C> auto operator()(C a, C b) const { return (a + b) / C(2); }
};

// Added up in the type of the arithmetic; the last input and the division are one pass.
struct MeanOfMany : standard::Mean {
  template <class T> void run(Ins<T> inputs, Out<T> y) const {
    if (y.size == 0) return;
    const T n = T(inputs.size());
    for (size_t k = 0; k < inputs.size(); ++k) {
      const std::span<const int64_t> operands[] = {inputs[k].dims};
      const Rows rows(y.dims, operands);
      const int64_t step = rows.advances(0);
      const bool first = k == 0, last = k + 1 == inputs.size();
      rows.each([&](int64_t at, std::span<const int64_t> from) {
        const T* const x = inputs[k].data + from[0];
        T* const to = y.data + at;
        for (int64_t i = 0; i < rows.length(); ++i) {
          const T sum = first ? x[i * step] : to[i] + x[i * step];
          to[i] = last ? sum / n : sum;
        }
      });
    }
  }
};

struct Mean : standard::Mean {
  void infer(Inference& io) const { io.output(0, broadcast(io)); }
  void run(Call& call) const {
    if (call.inputs.size() == 2) Elementwise<standard::Mean, HalfOfSum, types>{}.run(call);
    else detail::Dispatch<MeanOfMany>::run<computed(standard::Mean::T)>(MeanOfMany{}, call);
  }
};

}  // namespace

Operators math_mean() {
  return {define<Mean>({.examples = {"float [1, 2], float [[3], [5]] -> float [[2, 2.5], [3, 3.5]]", "double [7] -> double [7]",
                                     "float [1, 2], float [3, 6], float [[5], [7]] -> float [[3, 4.3333335], [3.6666667, 5]]"}})};
}

}  // namespace onward::ops
