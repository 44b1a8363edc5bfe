// UnfoldTensor: all slices of one size along an axis, every `step`; the slices become a new last axis.
#include "onward/ops/contrib.h"
#include "onward/ops/operator.h"

namespace onward::ops {
namespace {

struct UnfoldTensor : contrib::UnfoldTensor {
  void prepare(const Preparation&) const {
    if (size < 1 || step < 1) invalid("slices of ", size, " every ", step, ", expected 1 or more");
  }
  void infer(Inference& io) const {
    Dims out = io.dims(0);
    int64_t& n = out[size_t(axis_of(dim, int64_t(out.size())))];
    if (!is_symbol(n) && n < size) invalid("slices of ", size, " from an axis of ", n);
    n = io.add(io.divide(io.subtract(n, size), step), 1);
    out.push_back(size);
    io.output(0, out);
  }
  template <class T> void run(In<T> x, Out<T> y) const {
    const int64_t at = axis_of(dim, x.rank()), n = x.dims[size_t(at)], slices = y.dims[size_t(at)], outer = product(x.dims, 0, at), inner = product(x.dims, at + 1, x.rank());
    T* to = y.data;
    for (int64_t o = 0; o < outer; ++o) for (int64_t s = 0; s < slices; ++s) for (int64_t i = 0; i < inner; ++i)
      for (int64_t k = 0; k < size; ++k) *to++ = x[(o * n + s * step + k) * inner + i];
  }
};

}  // namespace

Operators contrib_unfold_tensor() {
  return {define<UnfoldTensor, by_width(UnfoldTensor::T)>({.examples = {"float [1, 2, 3, 4]; size=2, step=1 -> float [[1, 2], [2, 3], [3, 4]]",
                                                                        "int64 [[1, 2], [3, 4], [5, 6]]; dim=0, size=2, step=1 -> int64 [[[1, 3], [2, 4]], [[3, 5], [4, 6]]]"}})};
}

}  // namespace onward::ops
