// FusedMatMul: alpha A' B', each operand transposed in its last two axes, or with its first axis moved behind the batch, or both.
#include <numeric>

#include "onward/ops/contrib.h"
#include "onward/ops/matmul.h"
#include "onward/ops/transpose.h"

namespace onward::ops {
namespace {

struct FusedMatMul : contrib::FusedMatMul {
  void infer(Inference& io) const {
    const Dims a = permuted(io.dims(0), order(io.dims(0).size(), transA, transBatchA)), b = permuted(io.dims(1), order(io.dims(1).size(), transB, transBatchB));
    io.output(0, MatMulShape(a, b, io.symbols).output());
  }

  template <class T> void run(const RunContext& context, In<T> a, In<T> b, Out<T> y) const {
    const Tensor left = operand(a, transA, transBatchA), right = operand(b, transB, transBatchB);
    const MatMulShape shape(left.dims(), right.dims());
    if (shape.a.back() == 0) std::fill(y.begin(), y.end(), T(0));
    else matmul(context, shape, left.data<T>(), right.data<T>(), y.data);
    if (alpha != 1) for (T& v : y) v *= T(alpha);
  }

 private:
  // The first axis behind those of the batch, then the last two exchanged. A vector stays as it is.
  static Dims order(size_t rank, int64_t matrix, int64_t batch) {
    Dims perm(rank);
    std::iota(perm.begin(), perm.end(), 0);
    if (rank >= 3 && batch) std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
    if (rank >= 2 && matrix) std::swap(perm[rank - 1], perm[rank - 2]);
    return perm;
  }
  static Dims permuted(const Dims& dims, const Dims& perm) {
    Dims out(dims.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = dims[size_t(perm[i])];
    return out;
  }
  template <class T> static Tensor operand(const In<T>& x, int64_t matrix, int64_t batch) {
    const Tensor as_given = Tensor::view(type_of<T>, Dims(x.dims), x.data);
    return matrix || batch ? transposed(as_given, order(x.dims.size(), matrix, batch)) : as_given;
  }
};

}  // namespace

Operators contrib_fused_matmul() {
  return {define<FusedMatMul, computed(FusedMatMul::T)>({.tolerance = 1e-6, .examples = {
      "float [[1, 2]], float [[3, 4]]; transB=1, alpha=2.0 -> float [[22]]", "double [[[1], [2]], [[3], [4]]], double [[[1]]]; transBatchA=1 -> double [[[1], [3]], [[2], [4]]]"}})};
}

}  // namespace onward::ops
