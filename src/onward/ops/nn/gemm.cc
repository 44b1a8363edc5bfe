// Gemm: alpha A' B' + beta C. A constant B' is laid out once, when the session is created.
#include "onward/ops/broadcast.h"
#include "onward/ops/lane_product.h"
#include "onward/ops/packed_weights.h"
#include "onward/ops/transpose.h"
#include "onward/ops/wrapping.h"

namespace onward::ops {
namespace {

struct Gemm : standard::Gemm {
  PackedWeights weights;                // B' if B is constant

  void prepare(const Preparation& at) {
    if (const Tensor* b = at.input(1); b && b->rank() == 2 && contains(f32 | f64, b->type())) weights = PackedWeights(transB ? transposed(*b, {1, 0}) : *b);
  }

  void infer(Inference& io) const {
    const Dims &a = io.dims(0), &b = io.dims(1);
    if (a.size() != 2 || b.size() != 2) invalid("expected two matrices, found " + shown(a) + " and " + shown(b));
    const int64_t k = a[transA ? 0 : 1], other = b[transB ? 1 : 0];
    if (k >= 0 && other >= 0 && k != other) invalid("cannot multiply " + shown(a) + " by " + shown(b) + " (transA=" + std::to_string(transA) + ", transB=" + std::to_string(transB) + ")");
    io.output(0, {a[transA ? 1 : 0], b[transB ? 0 : 1]});
    if (io.has(2) && io.inputs[2].dims && broadcast(io.outputs[0].dims.value(), io.dims(2), io.symbols) != *io.outputs[0].dims && !io.symbols)
      invalid("C of shape ", shown(io.dims(2)), " does not broadcast to ", shown(*io.outputs[0].dims));
  }

  template <class T> void run(const RunContext& context, In<T> a, In<T> b, In<T> c, Out<T> y) const {
    const int64_t m = y.dims[0], n = y.dims[1], k = a.dims[transA ? 0 : 1];
    const Tensor left = transA ? transposed(Tensor::view(type_of<T>, {k, m}, a.data), {1, 0}) : Tensor();
    const T* from = left ? left.data<T>() : a.data;
    if constexpr (std::is_floating_point_v<T>)
      if (const auto* packed = weights.of<T>(); packed && y.size) {
        const bool by_column = c && alpha == 1 && beta == 1 && c.rank() == 1 && c.size == n;
        multiply_rows<T>(context, *packed, from, y.data, y.size, {.bias = by_column ? c.data : nullptr});
        return by_column ? void() : scale_and_add(c, y);
      }
    const Tensor right = transB ? transposed(Tensor::view(type_of<T>, {n, k}, b.data), {1, 0}) : Tensor();
    const T* with = right ? right.data<T>() : b.data;
    context.parallel(m, 0.05 * double(n * k), [&](int64_t begin, int64_t end) { matrix_product<T>(from + begin * k, with, y.data + begin * n, end - begin, n, k); });
    scale_and_add(c, y);
  }
  LaneStep side_by_side(const LaneSite& site) const {
    const bool biased = site.inputs.size() > 2 && site.inputs[2].type != DataType::none;
    const Tensor* b = site.constant(1);
    if (transA || !b || b->rank() != 2 || !contains(f32 | f64, b->type()) || (biased && (!site.constant(2) || site.constant(2)->rank() > 1))) return {};
    if (alpha != 1 || (biased && beta != 1)) return {};
    return product_side_by_side(site, transB ? transposed(*b, {1, 0}) : *b, site.constant(2), Rectifier::none);
  }

 private:
  template <class T> void scale_and_add(In<T> c, Out<T> y) const {
    if (alpha != 1) for (T& v : y) v = T(alpha * v);
    if (!c || beta == 0) return;
    const std::span<const int64_t> operands[] = {c.dims};
    const Rows rows(y.dims, operands);
    rows.each([&](int64_t at, std::span<const int64_t> from) {
      for (int64_t i = 0; i < rows.length(); ++i) y[at + i] = sum(y[at + i], T(beta * c[from[0] + i * rows.advances(0)]));
    });
  }
};

}  // namespace

Operators nn_gemm() {
  return {define<Gemm, computed(Gemm::T)>({.tolerance = 1e-6, .examples = {"float [[1, 2]], float [[3, 4]], float [1]; transB=1, alpha=2.0 -> float [[23]]"}})};
}

LaneForms gemm_lanes() { return {{"Gemm", member_form<Gemm>}}; }

}  // namespace onward::ops
