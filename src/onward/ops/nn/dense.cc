// onward.Dense: X·W, + bias, then a rectifier, in one pass over X. Sessions make it of MatMul, Add and Max or Relu (optimizer/passes).
//
// X [..., k]; W: a constant matrix [k, n]; bias: n values or one; rectifier: "" for none, "Max" for Max(y, 0), "Relu" for Relu(y).
#include "onward/ops/lane_product.h"
#include "onward/ops/packed_weights.h"

namespace onward::ops {
namespace {

struct Dense {
  static constexpr Name standard_name{"onward", "Dense", 1};
  static constexpr Constraint T{f32 | f64, 0};
  std::string rectifier;
  PackedWeights weights;
  Rectifier then = Rectifier::none;

  void read(const Attributes& from) { from.read("rectifier", rectifier); }
  void prepare(const Preparation& at) {
    if (const Tensor* w = at.input(1)) weights = PackedWeights(*w);
    if (rectifier == "Max") then = Rectifier::max_with_zero;
    else if (rectifier == "Relu") then = Rectifier::relu;
    else if (!rectifier.empty()) invalid("rectifier is '", rectifier, "', expected Max, Relu or nothing");
  }
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    const Dims& w = io.dims(1);
    if (out.empty() || w.size() != 2 || (out.back() >= 0 && w[0] >= 0 && out.back() != w[0])) invalid("cannot multiply ", shown(out), " by ", shown(w));
    if (io.type(1) != io.type(0) || (io.has(2) && io.type(2) != io.type(0))) invalid("X, W and bias are of different types");
    if (io.has(2)) if (const Dims& bias = io.dims(2); bias.size() > 1 || (bias.size() == 1 && bias[0] >= 0 && w[1] >= 0 && bias[0] != w[1] && bias[0] != 1)) invalid("a bias of shape ", shown(bias), " for ", w[1], " columns");
    out.back() = w[1];
    io.output(0, io.type(0), out);
  }
  template <class T> void run(const RunContext& context, In<T> x, In<T> w, In<T> bias, Out<T> y) const {
    if (y.size == 0) return;
    std::vector<T> everywhere;                            // one value for all columns
    if (bias && bias.size != w.dims[1]) everywhere.assign(size_t(w.dims[1]), bias[0]);
    const Finish<T> finish{!bias ? nullptr : everywhere.empty() ? bias.data : everywhere.data(), then};
    if (const auto* packed = weights.of<T>()) multiply_rows(context, *packed, x.data, y.data, y.size, finish);
    else PackedMatrix<T>(w.data, w.dims[0], w.dims[1]).product(x.data, y.data, y.size / w.dims[1], finish);
  }
  LaneStep side_by_side(const LaneSite& site) const {
    const bool biased = site.inputs.size() > 2 && site.inputs[2].type != DataType::none;
    return site.constant(1) && (!biased || site.constant(2)) ? product_side_by_side(site, *site.constant(1), site.constant(2), then) : LaneStep();
  }
};

}  // namespace

Operators nn_dense() {
  return {define<Dense, Dense::T>({.tolerance = 1e-6, .examples = {
      "double [[1, 2], [-3, 4]], double [[1, 0, 2], [0, -1, 3]], double [10, 0.5, -20]; rectifier=\"Max\" -> double [[11, 0, 0], [7, 0, 0]]",
      "float [1, 2], float [[1, 0], [0, -1]]; rectifier=\"Relu\" -> float [1, 0]", "float [[nan, 1]], float [[1], [1]]; rectifier=\"Max\" -> float [[nan]]",
      "double [[2]], double [[3, 4]], double 1 -> double [[7, 9]]"}})};
}

LaneForms dense_lanes() { return {{"onward.Dense", member_form<Dense>}}; }

}  // namespace onward::ops
