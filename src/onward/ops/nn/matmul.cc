// MatMul: matrix product of the last two axes, the others broadcast; a vector counts as a row on the left, a column on the right.
#include "onward/ops/matmul.h"

namespace onward::ops {
namespace {

struct MatMul : standard::MatMul {
  void infer(Inference& io) const { io.output(0, MatMulShape(io.dims(0), io.dims(1), io.symbols).output()); }
  template <class T> void run(const RunContext& context, In<T> a, In<T> b, Out<T> y) const { matmul(context, MatMulShape(a.dims, b.dims), a.data, b.data, y.data); }
};

}  // namespace

Operators nn_matmul() {
  return {define<MatMul, computed(MatMul::T)>({.tolerance = 1e-6, .examples = {
      "float [[1, 2], [3, 4]], float [1, 1] -> float [3, 7]", "int64 [[[1]], [[2]]], int64 [[5]] -> int64 [[[5]], [[10]]]"}})};
}

}  // namespace onward::ops
