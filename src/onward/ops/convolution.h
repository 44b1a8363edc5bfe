// Convolution as Conv, ConvInteger and NhwcConv share it.
#pragma once
#include "onward/ops/sliding_product.h"
#include "onward/ops/window.h"

namespace onward {

// Constant weights of float or double, laid out when the session is created.
class ConvolutionWeights {
 public:
  ConvolutionWeights() = default;
  ConvolutionWeights(const Tensor& w, int64_t group);     // of any other type or shape: nothing
  template <class T> const PackedFilters<T>* of() const {
    if constexpr (std::is_same_v<T, float>) return single_.get();
    else if constexpr (std::is_same_v<T, double>) return double_.get();
    else return nullptr;
  }

 private:
  std::shared_ptr<const PackedFilters<float>> single_;
  std::shared_ptr<const PackedFilters<double>> double_;
};

struct Convolution {
  Sliding sliding;
  int64_t group = 1;
  void check() const;
  Dims output(Inference& io, size_t x, size_t w) const { return output(io.dims(x), io.dims(w), io.symbols); }
  Dims output(const Dims& x, const Dims& w, Symbols* symbols) const;
  // y[n][filter][position], and the shapes of its operands; the bias, of every filter, may be null.
  template <class T> void run(const RunContext& context, std::span<const int64_t> x_dims, const T* x, std::span<const int64_t> w_dims, const T* w, const T* bias, T* y,
                              const ConvolutionWeights& weights = {}) const;
};

template <class Standard> Convolution convolution(const Standard& op) { return {sliding(op), op.group}; }

}  // namespace onward
