// onward.MultiplyAdd: x * factor + addend, rounded twice, in one pass over memory.
#include "onward/ops/elementwise.h"

namespace onward::ops {
namespace {

struct MultiplyAdd {
  static constexpr Name standard_name{"onward", "MultiplyAdd", 1};
  void read(const Attributes&) {}
};
struct Formula {
  template <class C> auto operator()(C x, C factor, C addend) const { return x * factor + addend; }
};

struct Kernel : Elementwise<MultiplyAdd, Formula, f32 | f64 | small_floats> {
  void infer(Inference& io) const { io.output(0, io.type(0), broadcast(io)); }
};

}  // namespace

Operators contrib_multiply_add() {
  return {define<Kernel>({.in_place = true, .examples = {
      "float [1, 2], float [3], float [[1], [2]] -> float [[4, 7], [5, 8]]", "double [0.5], double 2, double 1 -> double [2]"}})};
}

}  // namespace onward::ops
