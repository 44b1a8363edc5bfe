// The gradient of a convolution as convolutions: outputs with the same remainder by the stride see the same taps, at stride 1.
#pragma once
#include "onward/ops/sliding_product.h"
#include "onward/ops/window.h"

namespace onward {

// Weights of float or double for every combination of remainders, laid out once.
class TransposedFilters {
 public:
  // The windows slide over the output (`in` of each is a size of y, `out` one of x); of them taps, strides, dilations and padding matter.
  // w is [channels][filters of a group][taps…].
  TransposedFilters(const Tensor& w, int64_t group, const Windows& along);
  // Whether there are few enough remainders, and little enough padding.
  static bool serves(std::span<const int64_t> x_dims, const Windows& along);
  bool fits(DataType type, const Windows& along) const;   // made for these
  template <class T> void run(const RunContext& context, std::span<const int64_t> x_dims, const T* x, const Windows& along, const T* bias, T* y) const;

 private:
  struct Part {                                           // of one combination of remainders
    Dims remainders;
    std::vector<Dims> taps;                               // those that it sees
    std::shared_ptr<const PackedFilters<float>> single;
    std::shared_ptr<const PackedFilters<double>> twice;
  };
  Windows made_for_;
  DataType type_;
  int64_t group_, channels_, filters_;                    // the latter two of a group
  std::vector<Part> parts_;
};

}  // namespace onward
