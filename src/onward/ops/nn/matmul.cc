// MatMul: matrix product of the last two axes, the others broadcast; a vector counts as a row on the left, a column on the right. A
// constant matrix on the right is laid out once, when the session is created.
#include "onward/ops/lane_product.h"
#include "onward/ops/matmul.h"
#include "onward/ops/packed_weights.h"

namespace onward::ops {
namespace {

struct MatMul : standard::MatMul {
  PackedWeights weights;

  void prepare(const Preparation& at) {
    if (const Tensor* b = at.input(1)) weights = PackedWeights(*b);
  }
  void infer(Inference& io) const { io.output(0, MatMulShape(io.dims(0), io.dims(1), io.symbols).output()); }
  template <class T> void run(const RunContext& context, In<T> a, In<T> b, Out<T> y) const {
    if constexpr (std::is_floating_point_v<T>)
      if (const auto* packed = weights.of<T>()) return multiply_rows(context, *packed, a.data, y.data, y.size);
    matmul(context, MatMulShape(a.dims, b.dims), a.data, b.data, y.data);
  }
  LaneStep side_by_side(const LaneSite& site) const {
    return site.constant(1) ? product_side_by_side(site, *site.constant(1), nullptr, Rectifier::none) : LaneStep();
  }
};

}  // namespace

Operators nn_matmul() {
  return {define<MatMul, computed(MatMul::T)>({.tolerance = 1e-6, .examples = {
      "float [[1, 2], [3, 4]], float [1, 1] -> float [3, 7]", "int64 [[[1]], [[2]]], int64 [[5]] -> int64 [[[5]], [[10]]]",
      "double [[[1, 2]], [[3, 4]]], double [[1, 0, 2], [0, 1, 3]] -> double [[[1, 2, 8]], [[3, 4, 18]]]"}})};
}

LaneForms matmul_lanes() { return {{"MatMul", member_form<MatMul>}}; }

}  // namespace onward::ops
