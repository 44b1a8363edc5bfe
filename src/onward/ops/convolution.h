// Convolution as Conv, ConvInteger and QLinearConv share it: patches become columns, then one matrix product for each group.
#pragma once
#include "onward/ops/window.h"

namespace onward {

struct Convolution {
  Sliding sliding;
  int64_t group = 1;
  void check() const;
  Dims output(Inference& io, size_t x, size_t w) const { return output(io.dims(x), io.dims(w), io.symbols); }
  Dims output(const Dims& x, const Dims& w, Symbols* symbols) const;
  // y[n][filter][position] without bias, and the shapes of its operands.
  template <class T> void run(const RunContext& context, std::span<const int64_t> x_dims, const T* x, std::span<const int64_t> w_dims, const T* w, T* y) const;
};

template <class Standard> Convolution convolution(const Standard& op) { return {sliding(op), op.group}; }

}  // namespace onward
